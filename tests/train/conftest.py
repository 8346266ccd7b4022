import shutil
import signal
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("pytorch_optimizer")

from cnnzip.train.config import TrainConfig  # noqa: E402

TESTS = Path(__file__).parents[1]
SMALL = {"width": 8, "blocks": 1, "latent_channels": 8, "stride": 8}


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """So small a network gains nothing by more, and loses much on a busy machine."""
    torch.set_num_threads(1)


@pytest.fixture
def photos(tmp_path):
    """A folder of two photos, 64×96 and 96×64."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for path in (TESTS / "data").glob("*x*.png"):
        if path.name in ("lighthouse-64x96.png", "parrots-96x64.png"):
            shutil.copy(path, folder)
    return folder


@pytest.fixture
def small_config():
    """Settings of a tiny run, all of which may be changed."""

    def config(**changes):
        return TrainConfig(
            **{"family": "residual", "options": SMALL, "crop": 32, "batch": 2, "steps": 4, "bf16": False, **changes}
        )

    return config


@pytest.fixture
def command(monkeypatch, capsys):
    """Run the command line in this process: its exit code and the lines on stderr."""

    def run(*arguments):
        from cnnzip.cli.app import run

        monkeypatch.setattr("sys.argv", ["cnnzip", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            run()
        return left.value.code, capsys.readouterr().err.splitlines()

    before = signal.getsignal(signal.SIGTERM)  # the command line has a handler of its own
    yield run
    signal.signal(signal.SIGTERM, before)
