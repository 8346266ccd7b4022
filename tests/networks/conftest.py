import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TESTS = Path(__file__).parents[1]
TINY = TESTS / "golden" / "models" / "tiny"


@pytest.fixture
def tiny(tmp_path):
    """A copy of the tiny bundle that a test may damage."""
    return Path(shutil.copytree(TINY, tmp_path / "tiny"))


@pytest.fixture(scope="session")
def described():
    """What `model.json` of the tiny bundle says."""
    return json.loads((TINY / "model.json").read_text(encoding="utf-8"))


@pytest.fixture
def pixels():
    """A photo, (1, 3, 64, 96) in 0…1."""
    with Image.open(TESTS / "data" / "parrots-96x64.png") as image:
        samples = np.asarray(image.convert("RGB"), dtype=np.float32)
    return np.ascontiguousarray(samples.transpose(2, 0, 1)[None]) / np.float32(255)
