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

    def encode(self, latent: NDArray[np.float32], units: int, hyper_analysis: HyperAnalysis) -> list[Pass]:
        """The passes to be entropy-coded, for a latent (M, h, w) at a quality in hundredths."""

    def decode(self, read: Read, shape: tuple[int, int, int], units: int) -> NDArray[np.int32]:
        """The values (M, h, w) = `shape` that the passes stand for: integers, the same on every machine."""

    def arrange(
        self, passes: Sequence[NDArray[Number]], shape: tuple[int, int, int]
    ) -> tuple[NDArray[Number], NDArray[Number] | None]:
        """What the symbols of each pass have, such as their bits, where they belong.

        These are places of the latent, (M, h, w) = `shape`, and of the hyper-latent, (Z, ⌈h/4⌉, ⌈w/4⌉), None where the
        prior has none.
        """

    def steps(self, values: NDArray[np.int32]) -> NDArray[np.float32]:
        """Values in steps of the quantiser."""

    def dequantise(self, values: NDArray[np.int32], units: int) -> NDArray[np.float32]:
        """Values to the latent that the synthesis gets; float, so of no concern to the entropy decoder."""
