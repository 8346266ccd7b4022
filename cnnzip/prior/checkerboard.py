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

    What belongs to a half stands flat: channel by channel, and of each the positions of its colour row by row.
    """

    def __init__(self, height: int, width: int) -> None:
        even = (np.arange(height)[:, None] + np.arange(width)) % 2 == 0
        self.positions = np.flatnonzero(even), np.flatnonzero(~even)
        """The flat positions of each colour: `positions[half]` are those of the first channels."""

    def take(self, latent: NDArray[Number], half: int) -> NDArray[Number]:
        """What (M, h, w) has at the places of a half, flat."""
        return np.concatenate([channels[:, places].ravel() for channels, places in self._parts(latent, half)])

    def put(self, latent: NDArray[Number], half: int, values: NDArray[Number]) -> None:
        """Write what `take` would read, in place; (M, h, w) must be contiguous."""
        start = 0
        for channels, places in self._parts(latent, half):
            size = len(channels) * len(places)
            channels[:, places] = values[start : start + size].reshape(len(channels), -1)
            start += size

    def _parts(self, latent: NDArray[Number], half: int) -> list[tuple[NDArray[Number], NDArray[np.intp]]]:
        flat = latent.reshape(len(latent), -1)
        middle = len(latent) // 2
        return [(flat[:middle], self.positions[half]), (flat[middle:], self.positions[1 - half])]
