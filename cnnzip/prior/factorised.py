"""The factorised prior at run time: latent ↔ integer symbols, each with the index of its probability table.

A table a channel and quality, the same at every position (Ballé et al., ICLR 2017). What the entropy decoder
depends on, the table indices, follows from the quality and the shape alone, in integers.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnzip.errors import BadModelError
from cnnzip.prior.quality import level_of, nearest_row

MAX_SYMBOL = 2**20 - 1
"""What the entropy coders can escape; far beyond what any trained latent reaches."""

Pass = tuple[NDArray[np.int32], NDArray[np.uint8]]
"""Symbols and, for each, its table index; both flat."""


@dataclass(frozen=True)
class FactorisedPrior:
    """L levels, M channels, R rows of table indices (equally spaced qualities)."""

    mean: NDArray[np.float32]  # (M,)
    gain: NDArray[np.float32]  # (L, M); the encoder's
    inverse_gain: NDArray[np.float32]  # (L, M); the decoder's
    table_index: NDArray[np.uint8]  # (R, M)

    NAMES = ("prior.mean", "encoder.gain", "prior.inverse_gain", "prior.table_index")

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """What the model bundle stores."""
        values = (self.mean, self.gain, self.inverse_gain, self.table_index)
        return dict(zip(self.NAMES, values, strict=True))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], tables: int) -> "FactorisedPrior":
        """The prior that `to_arrays` stored, to be used with `tables` probability tables.

        Raises:
            BadModelError: an array is missing, of a wrong shape or type, or holds impossible values.
        """
        try:
            mean, gain, inverse, index = (arrays[name] for name in cls.NAMES)
        except KeyError as error:
            raise BadModelError(f"the prior lacks {error}") from error
        channels = mean.shape[-1] if mean.ndim == 1 else -1
        shapes_fit = channels >= 1 and gain.shape == inverse.shape and gain.ndim == index.ndim == 2
        shapes_fit = shapes_fit and gain.shape[1] == index.shape[1] == channels
        shapes_fit = shapes_fit and gain.shape[0] >= 2 and index.shape[0] >= 2
        types_fit = all(a.dtype == np.float32 for a in (mean, gain, inverse)) and index.dtype == np.uint8
        if not (shapes_fit and types_fit):
            raise BadModelError("the prior's arrays do not fit together")
        if not (np.isfinite(mean).all() and all(np.isfinite(g).all() and (g > 0).all() for g in (gain, inverse))):
            raise BadModelError("the prior's gains and means must be finite, the gains positive")
        if int(index.max()) >= tables:
            raise BadModelError(f"the prior refers to table {int(index.max())} of {tables}")
        return cls(*(np.ascontiguousarray(a) for a in (mean, gain, inverse, index)))

    @property
    def channels(self) -> int:
        """Channels of the latent, M."""
        return len(self.mean)

    def quantise(self, latent: NDArray[np.float32], units: int) -> NDArray[np.int32]:
        """Latent (M, h, w) to symbols of the same shape, at a quality in hundredths."""
        # A network can be driven to NaN or beyond the coders' range by no picture, but by a bad bundle.
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = (latent - self.mean[:, None, None]) * self._interpolate(self.gain, units)
        finite = np.nan_to_num(scaled, nan=0.0, posinf=MAX_SYMBOL, neginf=-MAX_SYMBOL)
        symbols: NDArray[np.int32] = np.clip(np.rint(finite), -MAX_SYMBOL, MAX_SYMBOL).astype(np.int32)
        return symbols

    def encode(self, latent: NDArray[np.float32], units: int) -> list[Pass]:
        """The passes to be entropy-coded, for a latent (M, h, w)."""
        return [(self.quantise(latent, units).ravel(), self.indices(latent.shape, units))]

    def decode(
        self,
        read: Callable[[NDArray[np.uint8]], NDArray[np.int32]],
        shape: tuple[int, ...],
        units: int,
    ) -> NDArray[np.int32]:
        """The symbols (M, h, w) = `shape`, from an entropy decoder that `read`s one pass for its indices."""
        return read(self.indices(shape, units)).reshape(shape)

    def dequantise(self, symbols: NDArray[np.int32], units: int) -> NDArray[np.float32]:
        """Symbols (M, h, w) to the latent that the synthesis gets."""
        with np.errstate(over="ignore", invalid="ignore"):
            latent: NDArray[np.float32] = symbols.astype(np.float32) * self._interpolate(self.inverse_gain, units)
            latent += self.mean[:, None, None]
        return latent

    def indices(self, shape: tuple[int, ...], units: int) -> NDArray[np.uint8]:
        """The table index of every symbol of a latent (M, h, w) = `shape`, flat."""
        row = self.table_index[nearest_row(units, len(self.table_index))]
        return np.repeat(row, shape[1] * shape[2])

    @staticmethod
    def _interpolate(gains: NDArray[np.float32], units: int) -> NDArray[np.float32]:
        level, t = level_of(units, len(gains))
        log = (1 - t) * np.log(gains[level]) + t * np.log(gains[level + 1])
        gain: NDArray[np.float32] = np.exp(log).astype(np.float32)[:, None, None]
        return gain  # (M, 1, 1)
