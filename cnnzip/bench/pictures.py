"""What every benchmark works on: a folder of pictures."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnzip.errors import CnnzipError, FileError, PictureError
from cnnzip.files import read_bytes
from cnnzip.image import Picture, read
from cnnzip.image.formats import FORMATS
from cnnzip.image.picture import to_8_bit

MIN_SIDE = 16
"""Pixels. Below, most codecs store little but their headers, and most metrics are not defined."""

_SUFFIXES = tuple(suffix for entry in FORMATS.values() for suffix in entry.suffixes)


@dataclass(frozen=True)
class Entry:
    """A picture that can be measured."""

    name: str
    sha256: str
    width: int
    height: int
    note: str | None
    """How its pixels differ from what the file holds."""


@dataclass(frozen=True)
class Unusable:
    """A picture that cannot be, and why."""

    name: str
    reason: str


def pictures(folder: Path) -> Iterator[tuple[str, bytes, Picture]]:
    """Name, bytes and picture of every picture in `folder`, in the order of their names.

    Raises:
        FileError: `folder` is no folder, or holds no picture.
    """
    found = False
    for path in _files(folder):
        data = path.read_bytes()
        try:
            picture = read(data)
        except PictureError:
            continue
        found = True
        yield path.name, data, picture
    if not found:
        raise FileError(f"{folder}: no picture in it")


def survey(folder: Path, limit: int | None = None) -> list[Entry | Unusable]:
    """The first `limit` usable pictures in `folder` in the order of their names, and what came in between.

    A file that is no picture counts as unusable where its name says that it is one; else it is passed over.

    Raises:
        FileError: `folder` is no folder, or holds no picture.
    """
    found: list[Entry | Unusable] = []
    usable = 0
    for path in _files(folder):
        if limit is not None and usable == limit:
            break
        try:
            entry = _survey(path)
        except CnnzipError as error:
            if path.name.lower().endswith(_SUFFIXES):
                found.append(Unusable(path.name, str(error)))
            continue
        usable += isinstance(entry, Entry)
        found.append(entry)
    if not found:
        raise FileError(f"{folder}: no picture in it")
    return found


def _survey(path: Path) -> Entry | Unusable:
    data = read_bytes(path)
    picture = read(data)
    width, height = picture.width, picture.height
    if min(width, height) < MIN_SIDE:
        return Unusable(path.name, f"{width}×{height}: too small to measure; a side takes {MIN_SIDE} pixels")
    notes = []
    if picture.channels == 1:
        notes.append("gray, measured as RGB")
    if picture.depth > 8:
        notes.append(f"{picture.depth} bits, measured with 8")
    if picture.alpha is not None:
        notes.append("measured without its alpha")
    return Entry(path.name, hashlib.sha256(data).hexdigest(), width, height, "; ".join(notes) or None)


def rgb(path: Path) -> NDArray[np.uint8]:
    """The picture in the file `path` as it is measured: (H, W, 3), 8 bits.

    Raises:
        FileError, PictureError: it cannot be read.
    """
    color = to_8_bit(read(read_bytes(path)).color)
    return np.ascontiguousarray(np.broadcast_to(color, (*color.shape[:2], 3)))


def _files(folder: Path) -> Iterator[Path]:
    """The files in `folder`, shorter names first, so that 10.png comes after 9.png; hidden ones are passed over."""
    if not folder.is_dir():
        raise FileError(f"{folder}: not a folder of pictures")
    for path in sorted(folder.iterdir(), key=lambda p: (len(p.name), p.name)):
        if path.is_file() and not path.name.startswith("."):
            yield path
