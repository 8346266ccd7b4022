"""The pictures that speed is measured on: some of Kodak, and photographs of `train/clic-*` cut and put together.

A crop is the middle of a photograph, twice as long as it is wide, at its own resolution: 2 megapixels. Mosaics are
made of its two halves, squares, photograph after photograph; where they come to their turn again, they are mirrored.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnzip.bench.pictures import rgb
from cnnzip.errors import FileError
from cnnzip.files import write_atomic

Pixels = NDArray[np.uint8]

SQUARE = 1024
"""Pixels a side."""

MOSAICS = {12: (4, 3), 50: (8, 6), 100: (12, 8)}
"""Columns and rows of squares, by megapixels."""

COUNTS = {2: 3, 12: 2, 50: 1, 100: 1}
"""Pictures, by megapixels."""

START_SIDE = 64
"""Pixels a side of the picture that stands for no picture at all: what it costs is the start of the program."""

KODAK = slice(0, None, 4)
"""Which of the pictures of Kodak, by their order."""


def kodak(data: Path) -> list[Path]:
    """Six of Kodak; raises FileError where there is none."""
    found = sorted((data / "kodak").glob("*.png"), key=lambda path: (len(path.name), path.name))[KODAK]
    if not found:
        raise FileError(f"{data / 'kodak'}: no *.png in it")
    return found


def make(data: Path, folder: Path, largest: int) -> dict[int, list[Path]]:
    """The pictures by megapixels, 0 for that of the start, as PNG in `folder`; those that are there are taken.

    Args:
        data: has the folder `train`.
        folder: must be there.
        largest: megapixels; what is larger is not made.

    Raises:
        FileError: no photograph is large enough, or a file cannot be read or written.
        PictureError: a photograph is damaged.
    """
    sizes = [size for size in COUNTS if size <= largest]
    paths = {size: [folder / f"{size}mp-{number}.png" for number in range(COUNTS[size])] for size in sizes}
    paths[0] = [folder / "start.png"]
    missing = [(size, number) for size in paths for number, path in enumerate(paths[size]) if not path.exists()]
    photos = crops(data / "train") if missing else []
    for size, number in missing:
        if size in MOSAICS:
            columns, rows = MOSAICS[size]
            pixels = mosaic(photos, columns, rows, first=number * columns * rows)
        else:
            pixels = photos[number % len(photos)]
        if not size:
            pixels = pixels[:START_SIDE, :START_SIDE]
        _write(paths[size][number], pixels)
    return paths


def crops(folder: Path) -> list[Pixels]:
    """The middle of every `clic-*` in `folder` that is large enough, (SQUARE, 2·SQUARE, 3) or upright."""
    found = []
    for path in sorted(folder.glob("clic-*")):
        pixels = rgb(path)
        height, width = pixels.shape[:2]
        wanted = (SQUARE, 2 * SQUARE) if width >= height else (2 * SQUARE, SQUARE)
        top, left = (height - wanted[0]) // 2, (width - wanted[1]) // 2
        if min(top, left) >= 0:
            found.append(pixels[top : top + wanted[0], left : left + wanted[1]])
    if not found:
        raise FileError(f"{folder}: no clic-* of at least {2 * SQUARE}×{SQUARE} in it")
    return found


def mosaic(photos: list[Pixels], columns: int, rows: int, first: int) -> Pixels:
    """Squares, from the one with the number `first` on, as a picture (rows·SQUARE, columns·SQUARE, 3)."""
    whole = np.empty((rows * SQUARE, columns * SQUARE, 3), np.uint8)
    for place in range(columns * rows):
        number, half = divmod(first + place, 2)
        turn, which = divmod(number, len(photos))
        photo = photos[which]
        axis = 1 if photo.shape[1] > photo.shape[0] else 0
        square = np.split(photo, 2, axis=axis)[half]
        top, left = (SQUARE * at for at in divmod(place, columns))
        whole[top : top + SQUARE, left : left + SQUARE] = square[:, ::-1] if turn % 2 else square
    return whole


def _write(path: Path, pixels: Pixels) -> None:
    image = Image.fromarray(np.ascontiguousarray(pixels))
    write_atomic(path, lambda file: image.save(file, "png", compress_level=1), force=True)
