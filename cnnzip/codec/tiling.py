"""The tiles of a latent: each is coded by itself, so that they can be decoded alone, and side by side.

A tile is about 2^t positions a side, t being the header's field `tiling`: a side of the latent has as many tiles as go
into it, rounded to the nearest, and all but the last are of one length, a multiple of `HYPER_STRIDE`. The hyper-latent,
where there is one, is that of the whole picture: tiles lose no more of each other than the context at their borders.
"""

from cnnzip.prior.prior import Region
from cnnzip.prior.scales import HYPER_STRIDE

WHOLE = 0
"""The tiling of a latent in one piece."""

TILINGS = range(4, 13)
"""Those in tiles: of 16 to 4096 positions a side."""

TILE_PIXELS = 1024
"""By default, about so many pixels a side. Tiles of half of that cost 0.4 to 1.6 % of a file, of 1024 a third of it."""


def grid(height: int, width: int, tiling: int) -> list[Region]:
    """The tiles of a latent of height × width positions, row by row."""
    if tiling == WHOLE:
        return [(slice(0, height), slice(0, width))]
    across = _spans(width, 1 << tiling)
    return [(rows, columns) for rows in _spans(height, 1 << tiling) for columns in across]


def tiling_for(height: int, width: int, stride: int, side: int = TILE_PIXELS) -> int:
    """The tiling of a latent of height × width positions in tiles of about `side` pixels; `WHOLE` where one is all.

    Raises:
        ValueError: no tiling has that side.
    """
    if side == 0:
        return WHOLE
    tiling = (side // stride).bit_length() - 1
    if tiling not in TILINGS or stride << tiling != side:
        sides = ", ".join(str(stride << number) for number in TILINGS)
        raise ValueError(f"tiles may have 0 (none), {sides} pixels a side, not {side}")
    return tiling if len(grid(height, width, tiling)) > 1 else WHOLE


def _spans(length: int, side: int) -> list[slice]:
    count = max(1, (2 * length + side) // (2 * side))
    step = -(-length // (count * HYPER_STRIDE)) * HYPER_STRIDE
    return [slice(start, min(start + step, length)) for start in range(0, length, step)]
