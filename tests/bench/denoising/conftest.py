"""Quick denoisers, and a stand-in for a trained network."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from cnnzip.bench.denoising.classical import Gaussian, Noisy
from cnnzip.bench.denoising.denoiser import Denoiser
from cnnzip.bench.denoising.ours import Ours
from cnnzip.bench.denoising.run import Request
from cnnzip.codec.model import Description


class Broken(Denoiser):
    """Fails as sigma says."""

    name, label = "broken", "Broken"
    version = "1"

    def denoise(self, noisy, sigma):
        if sigma == 1:
            raise ZeroDivisionError("no way")
        return {2: noisy[:-1], 3: np.full_like(noisy, np.nan)}[sigma], None


@dataclass
class Network:
    """A box of 3×3 where there is noise; remembers the levels that it was told."""

    multiple: int = 8
    halo: int = 8
    channels: int = 3
    levels: list[float] = field(default_factory=list)

    def run(self, noisy, level):
        self.levels.append(round(float(level.max()) * 255, 3))
        return uniform_filter(noisy, (1, 1, 3, 3), mode="reflect")


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    """What every denoiser of cnnzip opens."""
    made = Network()
    monkeypatch.setattr("cnnzip.denoise.model.open_denoiser", lambda name, threads: made)
    return made


def description(**changes: object) -> Description:
    """Of a denoiser."""
    fields = {
        "name": "denoise",
        "id": bytes(8),
        "family": "denoise",
        "options": {},
        "prior": "none",
        "stride": 8,
        "files": {"weights.safetensors": "0123456789"},
        "training": {},
    }
    return Description(**{**fields, **changes})


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A denoiser is installed, and nothing else."""
    monkeypatch.setattr("cnnzip.bench.denoising.registry.installed", lambda: [(Path("models/denoise"), description())])


def ours(*, blind: bool) -> Ours:
    return Ours("denoise", description(), blind=blind)


@pytest.fixture
def request_for(folder: Path, tmp_path: Path):
    """A request over `folder` with one quick denoiser; arguments replace its fields."""

    def make(**fields: object) -> Request:
        setting = {
            "folder": folder,
            "output": tmp_path,
            "denoisers": [Noisy(), Gaussian()],
            "command": "cnnzip bench --task denoise",
            "sigmas": (15.0, 25.0),
        }
        return Request(**{**setting, **fields})

    return make
