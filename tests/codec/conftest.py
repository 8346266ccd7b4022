"""What runs the small model of the family `photo`."""

import pytest

from cnnzip.codec.model import Model
from cnnzip.networks.runtime import Runtime


@pytest.fixture(scope="session")
def photo_runtime(photo_model: Model) -> Runtime:
    return photo_model.runtime(threads=1)
