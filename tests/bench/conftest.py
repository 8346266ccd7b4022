"""Pictures and codecs for the benchmark's tests."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnzip.bench.codecs.codec import Codec
from cnnzip.bench.codecs.pillow import Jpeg, Webp
from cnnzip.bench.metrics import METRICS
from cnnzip.bench.results import CodecInfo, Measurement, MetricInfo, Results
from cnnzip.bench.run import Request

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def kodim() -> np.ndarray:
    """Kodak's picture 23, 512×768."""
    return np.asarray(Image.open(ROOT / "docs" / "kodim23.png").convert("RGB"))


@pytest.fixture
def folder(tmp_path: Path, kodim: np.ndarray) -> Path:
    """Two small pictures, `a.png` and `b.png`."""
    made = tmp_path / "pictures"
    made.mkdir()
    Image.fromarray(kodim[100:196, 300:428]).save(made / "a.png")
    Image.fromarray(kodim[300:364, 100:196]).save(made / "b.png")
    return made


class Gray(Codec):
    """Keeps the mean colour; `quality` is of no use."""

    name, label, settings = "gray", "Gray", ""
    qualities = (10, 50)

    @property
    def version(self) -> str:
        return "1"

    def encode(self, picture, quality):
        return bytes([*picture.mean(axis=(0, 1)).astype(np.uint8), *map(int, picture.shape[:2])])

    def decode(self, data):
        return np.full((*data[3:5], 3), np.frombuffer(data[:3], np.uint8), np.uint8)


class Broken(Gray):
    """Fails, or decodes something else, as `quality` says."""

    name, label = "broken", "Broken"
    qualities = (0, 1, 2, 3)

    def encode(self, picture, quality):
        if quality == 0:
            raise ZeroDivisionError("no way")
        return bytes([int(quality)]) + picture.tobytes() + bytes(picture.shape[:2])

    def decode(self, data):
        picture = np.frombuffer(data[1:-2], np.uint8).reshape(*data[-2:], 3)
        return {1: picture[:-1], 2: 255 - picture, 3: picture.astype(np.float32)}[data[0]]


@pytest.fixture
def request_for(folder: Path, tmp_path: Path):
    """A request over `folder` with two quick codecs; arguments replace its fields."""

    def make(**fields: object) -> Request:
        setting = {
            "folder": folder,
            "output": tmp_path,
            "codecs": [Jpeg(), Webp()],
            "metrics": [METRICS["psnr_rgb"], METRICS["ssim"]],
            "command": "cnnzip bench",
            "qualities": {"jpeg": (20, 50, 80), "webp": (20, 50, 80)},
        }
        return Request(**{**setting, **fields})

    return make


def curves(**codecs: list[tuple[float, float]]) -> Results:
    """Results of one picture of 100×100 with a metric `psnr_rgb`: (bpp, PSNR) by codec; the quality counts up."""
    measurements = [
        Measurement(name, "a.png", quality, round(bpp * 1250), 100, 100, 0.01, 0.02, {"psnr_rgb": value})
        for name, points in codecs.items()
        for quality, (bpp, value) in enumerate(points)
    ]
    return Results(
        command="cnnzip bench",
        created="2026-01-01T00:00:00+00:00",
        machine={"processor": "p", "cores": "1", "memory": "1 GiB", "system": "s"},
        versions={},
        baseline="jpeg",
        codecs=[CodecInfo(name, name.upper(), "1", "", 1) for name in codecs],
        metrics=[MetricInfo("psnr_rgb", "PSNR (RGB)", "dB", True)],
        measurements=measurements,
    )
