"""How well the noise level is found: `python -m cnnzip.denoise.measure FOLDER` prints a table for a folder of pictures.

Noise is drawn by fixed seeds. "clean" is the pictures as they are; "told clean" counts those found to be free of noise.
"""

import io
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnzip.denoise.level import estimate_level
from cnnzip.errors import CnnzipError, PictureError
from cnnzip.files import read_bytes
from cnnzip.image import from_planes, prepare, read, to_planes

SIGMAS = (5, 10, 15, 25, 50)
QUALITIES = (90, 75)
AFTER_JPEG = (10, 25)

Pixels = NDArray[np.float32]


def cases(clean: Pixels, seed: int) -> Iterator[tuple[str, float, Pixels]]:
    """What is measured of a clean picture (H, W, C) in 0…1: name, level and pixels of every case."""
    yield "clean", 0, clean
    for quality in QUALITIES:
        yield f"clean, JPEG {quality}", 0, _jpeg(clean, quality)
    noise = np.random.default_rng(seed).standard_normal(clean.shape, dtype=np.float32) / np.float32(255)
    for sigma in SIGMAS:
        noisy = clean + np.float32(sigma) * noise
        yield f"σ {sigma}", sigma, noisy
        yield f"σ {sigma}, 8 bits", sigma, _rounded(noisy)
    for sigma in AFTER_JPEG:
        for quality in QUALITIES:
            yield f"σ {sigma}, then JPEG {quality}", sigma, _jpeg(clean + np.float32(sigma) * noise, quality)


def found(folder: Path, *, grayscale: bool) -> tuple[dict[str, tuple[float, list[float]]], float]:
    """For every case its level and what was found in each picture of `folder`; and the seconds that a megapixel took.

    Raises:
        CnnzipError: no picture is there.
    """
    levels: dict[str, tuple[float, list[float]]] = {}
    seconds = pixels = 0.0
    for seed, clean in enumerate(_pictures(folder, grayscale)):
        for name, sigma, noisy in cases(clean, seed):
            start = time.process_time()
            level = estimate_level(noisy)
            seconds += time.process_time() - start
            pixels += noisy.shape[0] * noisy.shape[1]
            levels.setdefault(name, (sigma, []))[1].append(level)
    if not levels:
        raise CnnzipError(f"{folder}: no picture in it")
    return levels, 1e6 * seconds / pixels


def table(levels: dict[str, tuple[float, list[float]]]) -> str:
    """The table of what `found` gives, in Markdown."""
    rows = [
        "| picture | mean found | least | most | within 10 % or 1 | told clean |",
        "|---|---|---|---|---|---|",
    ]
    for name, (sigma, numbers) in levels.items():
        near = sum(abs(number - sigma) <= max(1, 0.1 * sigma) for number in numbers)
        count = len(numbers)
        statistics = f"{np.mean(numbers):.2f} | {min(numbers):.2f} | {max(numbers):.2f}"
        rows.append(f"| {name} | {statistics} | {near} of {count} | {numbers.count(0.0)} of {count} |")
    return "\n".join(rows)


def _pictures(folder: Path, grayscale: bool) -> Iterator[Pixels]:
    for path in sorted(folder.iterdir()):
        if path.is_file():
            try:
                picture = read(read_bytes(path))
            except PictureError:
                continue
            yield to_planes(prepare(picture, grayscale=grayscale))[0].transpose(1, 2, 0)


def _rounded(pixels: Pixels) -> Pixels:
    """Clipped and rounded to 8 bits."""
    rounded: Pixels = from_planes(pixels.transpose(2, 0, 1)[None], 8).astype(np.float32) / np.float32(255)
    return rounded


def _jpeg(pixels: Pixels, quality: int) -> Pixels:
    """After a JPEG with halved colour, as most are."""
    from PIL import Image

    samples = from_planes(pixels.transpose(2, 0, 1)[None], 8)
    file = io.BytesIO()
    Image.fromarray(samples.squeeze(axis=2) if samples.shape[2] == 1 else samples).save(file, "JPEG", quality=quality)
    coded: Pixels = to_planes(read(file.getvalue()))[0].transpose(1, 2, 0)
    return coded


def main() -> None:
    """Print the tables for colour and gray, and the time."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit("usage: python -m cnnzip.denoise.measure FOLDER")
    for name, grayscale in (("RGB", False), ("gray", True)):
        try:
            levels, seconds = found(Path(sys.argv[1]), grayscale=grayscale)
        except CnnzipError as error:
            sys.exit(f"measure: {error}")
        print(f"{name}, {1000 * seconds:.0f} ms a megapixel\n\n{table(levels)}\n")


if __name__ == "__main__":
    main()
