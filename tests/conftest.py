"""What tests of several rooms share: the small model that never changes, and pictures to code with it."""

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# Before numpy is loaded: the processes that share the tests would otherwise fight for the cores with a thread for each.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from cnnzip.codec.model import Model, load_model
from cnnzip.image import Picture, read
from cnnzip.networks.runtime import Runtime

TESTS = Path(__file__).parent

# Speed is measured in benchmarks, and never asserted in a test.
settings.register_profile("cnnzip", deadline=None)
settings.load_profile("cnnzip")
MODELS = TESTS / "golden" / "models"


@pytest.fixture
def installed_tiny(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model `tiny` is installed, and none of the user's; its bundle's folder."""
    monkeypatch.setenv("CNNZIP_MODELS", str(MODELS))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("home")))
    return MODELS / "tiny"


@pytest.fixture(scope="session")
def tiny() -> Model:
    return load_model(MODELS / "tiny")


@pytest.fixture(scope="session")
def tiny_runtime(tiny: Model) -> Runtime:
    return tiny.runtime(threads=1)


@pytest.fixture(scope="session")
def photo_file() -> Path:
    """A crop of a Kodak picture, RGB, 96×64."""
    return TESTS / "data" / "parrots-96x64.png"


@pytest.fixture(scope="session")
def photo(photo_file: Path) -> Picture:
    return read(photo_file.read_bytes())


@pytest.fixture(scope="session")
def photo_model() -> Model:
    """A small model of the family `photo` with random weights: nothing was learnt, and all must work all the same."""
    return load_model(MODELS / "tiny-photo")


@pytest.fixture(scope="session")
def denoiser_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of a tiny denoiser, `models/faint`, trained for some steps at a rate at which it learns nothing."""
    pytest.importorskip("torch")
    pytest.importorskip("pytorch_optimizer")
    from cnnzip.cli.app import run

    folder = tmp_path_factory.mktemp("denoiser")
    (folder / "photos").mkdir()
    for name in ("lighthouse-64x96.png", "parrots-96x64.png"):
        shutil.copy(TESTS / "data" / name, folder / "photos")
    places = f"{folder}/photos --valid {folder}/photos --run-dir {folder}/run -o {folder}/models --name faint"
    settings = "--family denoise --set width=8 --crop 32 --batch 2 --steps 4 --rate 1 --threads 1 --seed 1"
    handler = signal.getsignal(signal.SIGTERM)  # the command line has one of its own
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["cnnzip", "train", *places.split(" "), *settings.split(" ")])
        with pytest.raises(SystemExit) as left:
            run()
    signal.signal(signal.SIGTERM, handler)
    assert left.value.code == 0
    return folder / "models" / "faint"


@pytest.fixture(scope="session")
def small_options() -> dict[str, dict[str, int]]:
    """The smallest useful options of every family, for tests that go through all of them."""
    return {
        "pool": {"latent_channels": 16, "width": 16},
        "dense": {"latent_channels": 16, "width": 8},
        "deconv": {"latent_channels": 16, "width": 8},
        "residual": {"latent_channels": 16, "width": 8, "blocks": 1},
        "photo": {
            "latent_channels": 16,
            "width_4": 4,
            "width_8": 8,
            "width_16": 12,
            "hyper_channels": 4,
            "blocks_8": 1,
            "blocks_16": 1,
        },
    }
