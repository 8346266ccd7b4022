"""The factorised prior at run time: latent ↔ integer symbols, each with the index of its probability table.

A table a channel and quality, the same at every position (Ballé et al., ICLR 2017). What the entropy decoder
depends on, the table indices, follows from the quality and the shape alone, in integers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnzip.prior.gains import Gains, Pass, table_rows
from cnnzip.prior.prior import HyperAnalysis, Number, Read
from cnnzip.prior.quality import nearest_row


@dataclass(frozen=True)
class FactorisedPrior:
    """Gains, and R rows of table indices (equally spaced qualities)."""

    gains: Gains
    table_index: NDArray[np.uint8]  # (R, M)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """What the model bundle stores."""
        return {**self.gains.to_arrays(), "prior.table_index": self.table_index}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], tables: int) -> "FactorisedPrior":
        """The prior that `to_arrays` stored, to be used with `tables` probability tables.

        Raises:
            BadModelError: an array is missing, of a wrong shape or type, or holds impossible values.
        """
        gains = Gains.from_arrays(arrays)
        return cls(gains, table_rows(arrays, "prior.table_index", gains.channels, tables))

    @property
    def channels(self) -> int:
        """Channels of the latent, M."""
        return self.gains.channels

    def quantise(self, latent: NDArray[np.float32], units: int) -> NDArray[np.int32]:
        """Latent (M, h, w) to symbols of the same shape, at a quality in hundredths."""
        return np.rint(self.gains.scale(latent, units)).astype(np.int32)

    def encode(self, latent: NDArray[np.float32], units: int, _hyper_analysis: HyperAnalysis) -> list[Pass]:
        """See `Prior`."""
        return [(self.quantise(latent, units).ravel(), self.indices(latent.shape, units))]

    def decode(self, read: Read, shape: tuple[int, int, int], units: int) -> NDArray[np.int32]:
        """See `Prior`; the values are the symbols."""
        return read(self.indices(shape, units)).reshape(shape)

    def arrange(
        self, passes: Sequence[NDArray[Number]], shape: tuple[int, int, int]
    ) -> tuple[NDArray[Number], NDArray[Number] | None]:
        """See `Prior`."""
        return passes[0].reshape(shape), None

    def steps(self, values: NDArray[np.int32]) -> NDArray[np.float32]:
        """See `Prior`."""
        return values.astype(np.float32)

    def dequantise(self, values: NDArray[np.int32], units: int) -> NDArray[np.float32]:
        """See `Prior`."""
        return self.gains.unscale(self.steps(values), units)

    def indices(self, shape: tuple[int, ...], units: int) -> NDArray[np.uint8]:
        """The table index of every symbol of a latent (M, h, w) = `shape`, flat."""
        row = self.table_index[nearest_row(units, len(self.table_index))]
        return np.repeat(row, shape[1] * shape[2])
