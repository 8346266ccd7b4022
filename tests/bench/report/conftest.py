"""A small benchmark of real files: Pillow's codecs and the model `tiny`, on crops of a photograph."""

import io
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import cnnzip
from cnnzip.bench.metrics import psnr_rgb, psnr_y
from cnnzip.bench.results import CodecInfo, ColdTime, Failure, Measurement, MetricInfo, Results

Pixels = NDArray[np.uint8]

MODELS = Path(__file__).parents[2] / "golden" / "models"

CODECS = {
    "jpeg": ("JPEG", "JPEG", {"optimize": True}),
    "jpeg-444": ("JPEG 4:4:4", "JPEG", {"optimize": True, "subsampling": "4:4:4"}),
    "webp": ("WebP", "WEBP", {"method": 2}),
    "avif": ("AVIF", "AVIF", {"speed": 9, "max_threads": 1}),
    "jpeg2000": ("JPEG 2000", "JPEG2000", {}),
}
METRICS = {"psnr_rgb": ("PSNR", "dB", psnr_rgb), "psnr_y": ("PSNR of luma", "dB", psnr_y)}


def render(codec: str, path: Path, quality: float) -> tuple[bytes, Pixels]:
    """Code and decode again, as `write_report` asks for it."""
    image = Image.open(path).convert("RGB")
    if codec.startswith("cnnzip-"):
        data = cnnzip.encode(image, quality=quality, model=codec.removeprefix("cnnzip-"), threads=1)
        return data, np.asarray(cnnzip.decode(data, threads=1))
    _, kind, options = CODECS[codec]
    if codec == "jpeg2000":
        options = {"quality_mode": "rates", "quality_layers": [101 - quality]}
    file = io.BytesIO()
    image.save(file, kind, quality=int(quality), **options)
    return file.getvalue(), np.asarray(Image.open(file).convert("RGB"))


def measure(
    folder: Path,
    names: Sequence[str],
    codecs: Sequence[str],
    qualities: Sequence[float],
    metrics: dict[str, tuple[str, str, Callable[[Pixels, Pixels], float]]] = METRICS,
) -> Results:
    """Measure every picture with every codec at every quality."""
    results = Results(
        command="cnnzip bench pictures -o report",
        created="2026-11-21T14:00:00+00:00",
        machine={"processor": "a processor", "cores": "2", "memory": "8 GB", "system": "Linux"},
        versions={"pillow": "13.0.0"},
        baseline="jpeg",
        codecs=[
            CodecInfo(name, CODECS[name][0] if name in CODECS else name.replace("-", " "), "1.0", "defaults", 1)
            for name in codecs
        ],
        metrics=[MetricInfo(name, label, unit, True, "1.0") for name, (label, unit, _) in metrics.items()],
    )
    for name in names:
        original = np.asarray(Image.open(folder / name).convert("RGB"))
        for codec in codecs:
            for quality in qualities:
                start = time.perf_counter()
                data, decoded = render(codec, folder / name, quality)
                seconds = (time.perf_counter() - start) / 2
                values = {key: function(original, decoded) for key, (_, _, function) in metrics.items()}
                size = (len(data), original.shape[1], original.shape[0])
                results.measurements.append(Measurement(codec, name, quality, *size, seconds, seconds, values))
    return results


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small pictures, one of them upright."""
    result = tmp_path_factory.mktemp("pictures")
    source = Image.open(Path(__file__).parents[3] / "docs" / "kodim23.png").convert("RGB")
    for i, box in enumerate([(80, 60, 272, 188), (400, 150, 592, 278), (300, 200, 396, 360)]):
        source.crop(box).save(result / f"crop-{i}.png")
    return result


@pytest.fixture(scope="session")
def measured(folder: Path) -> Results:
    """Everything that a page can show, with names and messages as hostile as they come."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CNNZIP_MODELS", str(MODELS))
        names = [f"crop-{i}.png" for i in range(3)]
        results = measure(folder, names, ["jpeg", "webp", "jpeg2000", "cnnzip-tiny"], [10, 30, 50, 70, 90])
    results.cold = [ColdTime("jpeg", 0.02, 0.01, 9 << 20, 8 << 20, "crop-0.png", 50, "cjpeg 2.1")]
    results.failures = [Failure("webp", "<marquee>bold</marquee>.png", 50, "</script><script>alert(1)</script>")]
    results.skipped = {"jxl": "pillow-jxl-plugin is not installed"}
    results.command = 'cnnzip bench "<img src=x onerror=alert(1)>"'
    return results


@pytest.fixture(scope="session")
def tiny_render() -> Iterator[Callable[[str, Path, float], tuple[bytes, Pixels]]]:
    """`render`, with the model `tiny` installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CNNZIP_MODELS", str(MODELS))
        yield render
