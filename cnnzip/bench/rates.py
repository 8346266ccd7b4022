"""Rate and distortion of cnnzip beside JPEG, from bytes of real files, and the BD-rate between them.

    python -m cnnzip.bench.rates DIR [--model NAME] [--coder huffman|rans]

Each picture is encoded, decoded and compared. JPEG is Pillow's, optimised, 4:2:0. A point of a curve is the mean
rate and the mean PSNR over the pictures at one quality; the BD-rate (Bjøntegaard, VCEG-M33) is Akima-interpolated
over the range of PSNR that both curves cover, by the package `bjontegaard`.
"""

import argparse
import io
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bjontegaard import bd_rate
from PIL import Image

from cnnzip.bench.pictures import pictures
from cnnzip.codec.decode import decode_picture
from cnnzip.codec.encode import encode_picture
from cnnzip.codec.models import DEFAULT_MODEL, find_model
from cnnzip.errors import CnnzipError
from cnnzip.image import Picture, Samples

CNNZIP_QUALITIES = (0, 10, 20, 30, 40, 50, 60, 70, 75, 80, 90, 100)
JPEG_QUALITIES = (5, 10, 15, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 95)


@dataclass(frozen=True)
class Point:
    """One quality: means over all pictures."""

    quality: int
    bpp: float
    psnr: float


@dataclass(frozen=True)
class Comparison:
    """Two curves, and the rate of the first against the second at equal PSNR."""

    cnnzip: list[Point]
    jpeg: list[Point]

    @property
    def overlap(self) -> tuple[float, float]:
        """The PSNRs, in dB, between which both curves run."""
        lows, highs = zip(*((c[0].psnr, c[-1].psnr) for c in (self.cnnzip, self.jpeg)), strict=True)
        return max(lows), min(highs)

    @property
    def bd_rate(self) -> float:
        """Per cent of rate that cnnzip takes more (less, where negative) than JPEG."""
        jpeg, ours = (([p.bpp for p in c], [p.psnr for p in c]) for c in (self.jpeg, self.cnnzip))
        result: float = bd_rate(*jpeg, *ours, method="akima", require_matching_points=False, min_overlap=0)
        return result


def psnr(reference: Samples, decoded: Samples) -> float:
    """PSNR in dB over all samples of two pictures of 8 bits."""
    mse = np.mean((reference.astype(np.float64) - decoded) ** 2)
    return float(10 * np.log10(255**2 / mse)) if mse else float("inf")


def jpeg_point(picture: Picture, quality: int) -> tuple[float, float]:
    """(bpp, PSNR) of Pillow's JPEG at `quality`."""
    file = io.BytesIO()
    Image.fromarray(picture.color).save(file, "JPEG", quality=quality, optimize=True, subsampling="4:2:0")
    decoded = np.asarray(Image.open(file))
    return 8 * file.tell() / (picture.width * picture.height), psnr(picture.color, decoded)


def compare(folder: Path, model_name: str, coder: str) -> Comparison:
    """Both curves over the 8-bit RGB pictures in `folder`."""
    model = find_model(model_name)
    runtime = model.runtime()
    ours: dict[int, list[tuple[float, float]]] = {q: [] for q in CNNZIP_QUALITIES}
    jpeg: dict[int, list[tuple[float, float]]] = {q: [] for q in JPEG_QUALITIES}
    for _name, _data, picture in pictures(folder):
        if picture.channels != 3 or picture.depth != 8:
            continue
        for quality, points in ours.items():
            data = encode_picture(picture, model, runtime, quality=quality, coder=coder)
            decoded = decode_picture(data, find_model=lambda _: model, open_runtime=lambda _: runtime)
            points.append((8 * len(data) / (picture.width * picture.height), psnr(picture.color, decoded.color)))
        for quality, points in jpeg.items():
            points.append(jpeg_point(picture, quality))
    return Comparison(_means(ours), _means(jpeg))


def _means(points: dict[int, list[tuple[float, float]]]) -> list[Point]:
    return [Point(q, *(float(v) for v in np.mean(values, axis=0))) for q, values in points.items()]


def main() -> None:
    """Print the curves and the BD-rate."""
    parser = argparse.ArgumentParser(description="Rate and distortion beside JPEG.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--coder", default="huffman", choices=("huffman", "rans"))
    arguments = parser.parse_args()
    try:
        result = compare(arguments.folder, arguments.model, arguments.coder)
    except CnnzipError as error:
        sys.exit(f"cnnzip.bench.rates: {error}")
    for name, curve in (("cnnzip", result.cnnzip), ("jpeg", result.jpeg)):
        print(f"{name:<8} quality    bpp   PSNR dB")
        for point in curve:
            print(f"{'':<8} {point.quality:>7} {point.bpp:>6.3f} {point.psnr:>9.2f}")
    low, high = result.overlap
    print(
        f"BD-rate of PSNR against JPEG (Pillow, optimised, 4:2:0), {low:.2f} to {high:.2f} dB: {result.bd_rate:+.1f} %"
    )


if __name__ == "__main__":
    main()
