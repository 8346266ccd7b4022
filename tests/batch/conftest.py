"""Trees of small pictures, and what a batch needs to work on them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cnnzip.batch.jobs.encode import EncodeJob
from cnnzip.batch.jobs.verify import VerifyJob
from cnnzip.batch.samples import make_pictures
from cnnzip.codec.rate_control import goal_of
from cnnzip.limits import MAX_PIXELS

Contents = Callable[[Path], dict[str, bytes]]


@pytest.fixture(scope="session")
def many(photo_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 16 pictures in 8 folders; not to be changed."""
    folder = tmp_path_factory.mktemp("many")
    make_pictures([photo_file], folder, 16, (32, 24))
    return folder


@pytest.fixture
def tree(many: Path, tmp_path: Path, installed_tiny: Path) -> Path:
    """A copy of `many`; the model `tiny` is installed."""
    return Path(shutil.copytree(many, tmp_path / "in"))


@pytest.fixture
def encode_job() -> EncodeJob:
    return EncodeJob(goal_of(None), "tiny", limit_pixels=MAX_PIXELS)


@pytest.fixture
def verify_job() -> VerifyJob:
    return VerifyJob(MAX_PIXELS)
