"""The gains at run time: one latent for every quality, and what each prior has in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnzip.errors import BadModelError
from cnnzip.prior.quality import level_of

MAX_SYMBOL = 2**20 - 1
"""What the entropy coders can escape; far beyond what any trained latent reaches."""

MAX_GAIN = 1e9
"""Far beyond those of any model; its inverse is the least gain. What symbols are multiplied to is finite in float32."""

Pass = tuple[NDArray[np.int32], NDArray[np.uint8]]
"""Symbols and, for each, its table index; both flat."""


@dataclass(frozen=True)
class Gains:
    """L levels, M channels: latent → (latent − mean) · gain, and back with another gain."""

    mean: NDArray[np.float32]  # (M,)
    gain: NDArray[np.float32]  # (L, M); the encoder's
    inverse_gain: NDArray[np.float32]  # (L, M); the decoder's

    NAMES = ("prior.mean", "encoder.gain", "prior.inverse_gain")

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """What the model bundle stores."""
        return dict(zip(self.NAMES, (self.mean, self.gain, self.inverse_gain), strict=True))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Gains":
        """The gains that `to_arrays` stored.

        Raises:
            BadModelError: an array is missing, of a wrong shape or type, or holds impossible values.
        """
        mean, gain, inverse = (array_of(arrays, name, np.float32) for name in cls.NAMES)
        channels = mean.shape[-1] if mean.ndim == 1 else -1
        if channels < 1 or gain.ndim != 2 or gain.shape != inverse.shape or gain.shape[1] != channels or len(gain) < 2:
            raise BadModelError("the prior's arrays do not fit together")
        gains = np.stack([gain, inverse])
        # Not the other way round: NaN is neither below nor above.
        if not ((np.abs(mean) <= MAX_GAIN).all() and ((gains >= 1 / MAX_GAIN) & (gains <= MAX_GAIN)).all()):
            raise BadModelError(
                f"the prior's means must lie within ±{MAX_GAIN:g}, its gains between that and its inverse"
            )
        return cls(mean, gain, inverse)

    @property
    def channels(self) -> int:
        """Channels of the latent, M."""
        return len(self.mean)

    def scale(self, latent: NDArray[np.float32], units: int) -> NDArray[np.float32]:
        """Latent (M, h, w) in steps of the quality in hundredths; finite, within what the coders can code."""
        # A network can be driven to NaN or beyond the coders' range by no picture, but by a bad bundle.
        with np.errstate(over="ignore", invalid="ignore"):
            scaled = (latent - self.mean[:, None, None]) * interpolate(self.gain, units)
        finite: NDArray[np.float32] = np.nan_to_num(scaled, nan=0.0, posinf=MAX_SYMBOL, neginf=-MAX_SYMBOL)
        return np.clip(finite, -MAX_SYMBOL, MAX_SYMBOL)

    def unscale(self, steps: NDArray[np.float32], units: int) -> NDArray[np.float32]:
        """Steps (M, h, w) to the latent that the synthesis gets."""
        with np.errstate(over="ignore", invalid="ignore"):
            latent: NDArray[np.float32] = steps * interpolate(self.inverse_gain, units)
            latent += self.mean[:, None, None]
        return latent


def interpolate(gains: NDArray[np.float32], units: int) -> NDArray[np.float32]:
    """Gains (L, M) at a quality in hundredths, geometrically: (M, 1, 1)."""
    level, t = level_of(units, len(gains))
    log = (1 - t) * np.log(gains[level]) + t * np.log(gains[level + 1])
    gain: NDArray[np.float32] = np.exp(log).astype(np.float32)[:, None, None]
    return gain


def array_of(arrays: Mapping[str, NDArray[Any]], name: str, dtype: type) -> NDArray[Any]:
    """The array `name`, contiguous.

    Raises:
        BadModelError: it is missing, or of another type.
    """
    if name not in arrays:
        raise BadModelError(f"the prior lacks '{name}'")
    if arrays[name].dtype != dtype:
        raise BadModelError(f"the prior's '{name}' is of type {arrays[name].dtype}")
    return np.ascontiguousarray(arrays[name])


def table_rows(arrays: Mapping[str, NDArray[Any]], name: str, channels: int, tables: int) -> NDArray[np.uint8]:
    """The table indices `name`, (R, channels): a row for each of R equally spaced qualities.

    Raises:
        BadModelError: they are missing, of a wrong shape or type, or name a table beyond `tables`.
    """
    index: NDArray[np.uint8] = array_of(arrays, name, np.uint8)
    if index.ndim != 2 or len(index) < 2 or index.shape[1] != channels or not channels:
        raise BadModelError("the prior's arrays do not fit together")
    if int(index.max()) >= tables:
        raise BadModelError(f"the prior refers to table {int(index.max())} of {tables}")
    return index
