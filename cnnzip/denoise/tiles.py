"""Tiles of a picture with a halo around them, so that a network sees of each tile all that its output depends on."""

from collections.abc import Iterator
from dataclasses import dataclass

Region = tuple[slice, slice]

TILE_SIDE = 1024
"""Pixels. What a network holds of one tile bounds the memory; larger tiles share less of it with their neighbours."""


@dataclass(frozen=True)
class Tile:
    """A part of a picture; each region is rows and columns.

    Attributes:
        outer: what is read: the tile and its halo, as far as the picture reaches.
        inner: what is written, within the picture.
        within: the same, within what was read.
    """

    outer: Region
    inner: Region
    within: Region


def tiles(height: int, width: int, *, multiple: int, halo: int, side: int = TILE_SIDE) -> Iterator[Tile]:
    """Tiles that cover height × width pixels once, row by row.

    Every outer region begins at multiples of `multiple`, and ends there or at the picture's end.

    Args:
        height: of the picture, in pixels.
        width: of the picture.
        multiple: of this, in pixels, is the grid on which a network works.
        halo: how far, in pixels, its output depends on what is beyond a tile.
        side: about the longest side of a tile.
    """
    # What is repeated behind the picture's end, up to a multiple, must be the same for a tile as for the whole.
    halo = -(-max(halo, multiple) // multiple) * multiple
    for rows in _spans(height, multiple, halo, side):
        for columns in _spans(width, multiple, halo, side):
            outer, inner, within = zip(rows, columns, strict=True)
            yield Tile(outer, inner, within)


def _spans(length: int, multiple: int, halo: int, side: int) -> list[tuple[slice, slice, slice]]:
    """Outer, inner and inner within outer of each tile along one side, all of about equal length."""
    count = -(-length // side)
    step = -(-length // (count * multiple)) * multiple
    spans = []
    for start in range(0, length, step):
        stop = min(start + step, length)
        first, last = max(start - halo, 0), min(stop + halo, length)
        spans.append((slice(first, last), slice(start, stop), slice(start - first, stop - first)))
    return spans
