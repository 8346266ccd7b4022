"""The halves of a latent that are coded one after the other (He et al., "Checkerboard context model", CVPR 2021).

The first half are the even positions of the first M / 2 channels and the odd ones of the others, so that in the second
pass every position already knows half of its channels.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.generic)

FIRST, SECOND = 0, 1


class Checkerboard:
    """Where the halves of latents of `height` and `width` lie.

    A colour is 0, the even positions, or 1, the odd ones: in half H the first channels have the places of colour H, and
    the others those of colour 1 - H. What belongs to a half stands flat: channel by channel, and of each the places of
    its colour row by row.

    Args:
        height: rows.
        width: columns.
        odd: whether the position at the top left is an odd one.
    """

    def __init__(self, height: int, width: int, *, odd: bool = False) -> None:
        self.height, self.width = height, width
        self._shift = int(odd)
        more = -(-height * width // 2)
        self.counts = (height * width - more, more) if odd else (more, height * width - more)
        """How many places each colour has."""

    def gather(self, planes: NDArray[Number], color: int) -> NDArray[Number]:
        """What (C, h, w) has at the places of a colour, (C, places)."""
        if self.width % 2:
            return planes.reshape(len(planes), -1)[:, self._places(color)]
        taken = np.empty((len(planes), self.height, self.width // 2), dtype=planes.dtype)
        for row, column in self._rows(color):
            taken[:, row::2] = planes[:, row::2, column::2]
        return taken.reshape(len(planes), -1)

    def scatter(self, planes: NDArray[Number], color: int, values: NDArray[Number]) -> None:
        """Write what `gather` would read, in place; (C, h, w) must be contiguous."""
        if self.width % 2:
            planes.reshape(len(planes), -1)[:, self._places(color)] = values
            return
        given = values.reshape(len(planes), self.height, self.width // 2)
        for row, column in self._rows(color):
            planes[:, row::2, column::2] = given[:, row::2]

    def split(self, values: NDArray[Number], channels: int, half: int) -> tuple[NDArray[Number], NDArray[Number]]:
        """The flat values of a half as matrices (M / 2, places), those of the first channels before the others'."""
        middle = channels // 2 * self.counts[half]
        return values[:middle].reshape(channels // 2, -1), values[middle:].reshape(channels // 2, -1)

    def take(self, latent: NDArray[Number], half: int) -> NDArray[Number]:
        """What (M, h, w) has at the places of a half, flat."""
        first, others = np.split(latent, 2)
        return np.concatenate([self.gather(first, half).ravel(), self.gather(others, 1 - half).ravel()])

    def put(self, latent: NDArray[Number], half: int, values: NDArray[Number]) -> None:
        """Write what `take` would read, in place; (M, h, w) must be contiguous."""
        for planes, color, part in zip(
            np.split(latent, 2), (half, 1 - half), self.split(values, len(latent), half), strict=True
        ):
            self.scatter(planes, color, part)

    def _places(self, color: int) -> NDArray[np.intp]:
        """The flat positions of a colour."""
        board = np.arange(self.height)[:, None] + np.arange(self.width) + self._shift
        return np.flatnonzero(board % 2 == color)

    def _rows(self, color: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """For even and for odd rows, where the first place of a colour is: (row, column)."""
        column = (color + self._shift) % 2
        return (0, column), (1, 1 - column)
