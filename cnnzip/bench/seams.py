"""How much the seams of a model's blocks show: jumps of the error across them, beside jumps elsewhere.

    python -m cnnzip.bench.seams DIR [--model dense] [--side 32] [--qualities 20,50,80] [--crop FILE.png]

1.00 says that nobody can tell where the blocks end. JPEG, with its blocks of 8×8, stands beside it as a yardstick.
"""

import argparse
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnzip.bench.pictures import pictures
from cnnzip.codec.decode import decode_picture
from cnnzip.codec.encode import encode_picture
from cnnzip.codec.model import Model
from cnnzip.codec.models import find_model
from cnnzip.errors import CnnzipError
from cnnzip.files import write_atomic
from cnnzip.image import Picture
from cnnzip.image.picture import to_8_bit

CROP = 192
ZOOM = 2
"""Side of the square that `--crop` shows, in pixels of the picture, and how much it is enlarged."""

JPEG_BLOCK = 8
JPEG_QUALITIES = (10, 30, 70)


def seam_ratio(error: NDArray[np.float32], side: int) -> float:
    """Mean absolute jump of the error (H, W, C) where blocks of `side` meet, over that between other neighbours.

    A picture without a seam has none to measure: NaN.
    """
    at_seams, elsewhere = [], []
    for turned in (error, error.transpose(1, 0, 2)):
        jumps = np.abs(np.diff(turned, axis=0)).mean(axis=(1, 2))  # (H − 1,), between row i and row i + 1
        is_seam = np.arange(1, len(turned)) % side == 0
        at_seams.append(jumps[is_seam])
        elsewhere.append(jumps[~is_seam])
    seams, rest = np.concatenate(at_seams), np.concatenate(elsewhere)
    return float(seams.mean() / rest.mean()) if len(seams) else float("nan")


def report(model: Model, folder: Path, side: int, qualities: list[float], crop: Path | None) -> None:
    """Print a row a quality of the model and of JPEG, and write the picture that `crop` asks for."""
    found = [to_8_bit(picture.color) for _, _, picture in pictures(folder)]
    runtime = model.runtime()

    def coded(color: NDArray[np.uint8], quality: float) -> NDArray[np.uint8]:
        data = encode_picture(Picture(color), model, runtime, quality=quality)
        return to_8_bit(decode_picture(data, find_model=lambda _: model, open_runtime=lambda _: runtime).color)

    print(f"{len(found)} pictures")
    print("codec       quality  seams every  PSNR dB  seam ratio")
    for name, code, block, steps in (
        (model.description.name, coded, side, qualities),
        ("jpeg", by_jpeg, JPEG_BLOCK, JPEG_QUALITIES),
    ):
        for quality in steps:
            ratio, psnr = measured(found, [code(color, quality) for color in found], block)
            print(f"{name:10}  {quality:7g}  {block:11}  {psnr:7.2f}  {ratio:10.3f}")
    if crop:
        first = found[0]
        _save(np.hstack([_middle(view) for view in (first, coded(first, qualities[0]))]), crop)


def measured(found: list[NDArray[np.uint8]], decoded: list[NDArray[np.uint8]], side: int) -> tuple[float, float]:
    """Seam ratio, and PSNR in dB, means over the pictures."""
    ratios, psnrs = [], []
    for color, other in zip(found, decoded, strict=True):
        error = other.astype(np.float32) - color
        ratios.append(seam_ratio(error, side))
        psnrs.append(10 * np.log10(255**2 / np.square(error).mean()))
    return float(np.nanmean(ratios)), float(np.mean(psnrs))


def by_jpeg(color: NDArray[np.uint8], quality: float) -> NDArray[np.uint8]:
    """(H, W, C) as Pillow's JPEG gives it back, colour at full resolution."""
    coded = BytesIO()
    _image(color).save(coded, "jpeg", quality=int(quality), subsampling=0)
    with Image.open(coded) as image:
        decoded: NDArray[np.uint8] = np.asarray(image).reshape(color.shape)
    return decoded


def _image(pixels: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[..., 0])


def _middle(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    top, left = (max(0, (length - CROP) // 2) for length in pixels.shape[:2])
    return pixels[top : top + CROP, left : left + CROP]


def _save(pixels: NDArray[np.uint8], path: Path) -> None:
    image = _image(pixels.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1))
    write_atomic(path, lambda file: image.save(file, "png", optimize=True), force=True)


def main() -> None:
    """Parse the command line and print the report."""
    parser = argparse.ArgumentParser(description="How much the seams of a model's blocks show.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="dense")
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--qualities", default="20,50,80")
    parser.add_argument("--crop", type=Path, help="show the first picture: original | coded at the first quality")
    arguments = parser.parse_args()
    try:
        qualities = [float(quality) for quality in arguments.qualities.split(",")]
        report(find_model(arguments.model), arguments.folder, arguments.side, qualities, arguments.crop)
    except (CnnzipError, ValueError) as error:
        sys.exit(f"cnnzip.bench.seams: {error}")


if __name__ == "__main__":
    main()
