"""The factorised prior at run time: latent ↔ integer symbols, each with the index of its probability table.

A table a channel and quality, the same at every position (Ballé et al., ICLR 2017). What the entropy decoder
depends on, the table indices, follows from the quality and the shape alone, in integers.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnzip.prior.gains import Gains, Pass, table_rows
from cnnzip.prior.prior import HyperAnalysis, Number, Read, Region, whole
from cnnzip.prior.quality import nearest_row
from cnnzip.prior.scales import HYPER_STRIDE


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

    def hyper_shape(self, height: int, width: int) -> tuple[int, int, int]:
        """See `Prior`: there is none."""
        return 0, -(-height // HYPER_STRIDE), -(-width // HYPER_STRIDE)

    def hyper_indices(self, shape: tuple[int, ...], _units: int) -> NDArray[np.uint8]:
        """See `Prior`."""
        return np.zeros(math.prod(shape), dtype=np.uint8)

    def hyper(self, latent: NDArray[np.float32], _units: int, _hyper_analysis: HyperAnalysis) -> NDArray[np.int32]:
        """See `Prior`."""
        return np.zeros(self.hyper_shape(*latent.shape[1:]), dtype=np.int32)

    def encode_tile(
        self, latent: NDArray[np.float32], units: int, _hyper: NDArray[np.int32], _region: Region
    ) -> list[Pass]:
        """See `Prior`."""
        return [(self.quantise(latent, units).ravel(), self.indices(latent.shape, units))]

    def decode_tile(self, read: Read, units: int, _hyper: NDArray[np.int32], region: Region) -> NDArray[np.int32]:
        """See `Prior`; the values are the symbols."""
        shape = (self.channels, *(span.stop - span.start for span in region))
        return read(self.indices(shape, units)).reshape(shape)

    def encode(self, latent: NDArray[np.float32], units: int, hyper_analysis: HyperAnalysis) -> list[Pass]:
        """See `Prior`."""
        return self.encode_tile(latent, units, self.hyper(latent, units, hyper_analysis), whole(*latent.shape[1:]))

    def decode(self, read: Read, shape: tuple[int, int, int], units: int) -> NDArray[np.int32]:
        """See `Prior`."""
        hyper = np.zeros(self.hyper_shape(*shape[1:]), dtype=np.int32)
        return self.decode_tile(read, units, hyper, whole(*shape[1:]))

    def arrange(self, passes: Sequence[NDArray[Number]], height: int, width: int) -> NDArray[Number]:
        """See `Prior`."""
        return passes[0].reshape(self.channels, height, width)

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
