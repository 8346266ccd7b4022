"""What every prior is at run time."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from cnnzip.prior.gains import Gains, Pass

Read = Callable[[NDArray[np.uint8]], NDArray[np.int32]]
"""An entropy decoder: table indices of one pass to its symbols."""

HyperAnalysis = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""The encoder's network from the scaled latent, (1, M, h, w), to the hyper-latent, (1, Z, h/4, w/4)."""

Region = tuple[slice, slice]
"""Rows and columns of a latent."""

Number = TypeVar("Number", bound=np.generic)


class Prior(Protocol):
    """Latent ↔ passes of integer symbols with table indices; all that decoding depends on is exact."""

    @property
    def gains(self) -> Gains:
        """What the latent is multiplied by at each quality."""

    @property
    def channels(self) -> int:
        """Channels of the latent, M."""

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """What the model bundle stores."""

    def hyper_shape(self, height: int, width: int) -> tuple[int, int, int]:
        """(Z, ⌈h/4⌉, ⌈w/4⌉) of the hyper-latent to a latent (M, h, w); Z is 0 where the prior has none."""

    def hyper_indices(self, shape: tuple[int, ...], units: int) -> NDArray[np.uint8]:
        """The table index of every symbol of a hyper-latent of that shape, flat, at a quality in hundredths."""

    def hyper(self, latent: NDArray[np.float32], units: int, hyper_analysis: HyperAnalysis) -> NDArray[np.int32]:
        """The hyper-latent of a latent (M, h, w), or of a part of it that begins at multiples of `HYPER_STRIDE`."""

    def encode_tile(
        self, latent: NDArray[np.float32], units: int, hyper: NDArray[np.int32], region: Region
    ) -> list[Pass]:
        """The passes of a tile: `latent` (M, h, w) is what lies in `region`, and `hyper` that of the whole picture."""

    def decode_tile(self, read: Read, units: int, hyper: NDArray[np.int32], region: Region) -> NDArray[np.int32]:
        """The values (M, h, w) of a tile: integers, the same on every machine."""

    def encode(self, latent: NDArray[np.float32], units: int, hyper_analysis: HyperAnalysis) -> list[Pass]:
        """All passes of a latent (M, h, w) in one piece: the hyper-latent's, where there is one, and the tile's."""

    def decode(self, read: Read, shape: tuple[int, int, int], units: int) -> NDArray[np.int32]:
        """The values (M, h, w) = `shape` that the passes of `encode` stand for."""

    def arrange(self, passes: Sequence[NDArray[Number]], height: int, width: int) -> NDArray[Number]:
        """What the symbols of each pass of a tile have, such as their bits, where they belong: (M, h, w)."""

    def steps(self, values: NDArray[np.int32]) -> NDArray[np.float32]:
        """Values in steps of the quantiser."""

    def dequantise(self, values: NDArray[np.int32], units: int) -> NDArray[np.float32]:
        """Values to the latent that the synthesis gets; float, so of no concern to the entropy decoder."""


def whole(height: int, width: int) -> Region:
    """The region that is all of a latent."""
    return slice(0, height), slice(0, width)
