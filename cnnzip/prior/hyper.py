"""The hyperprior with context at run time, in exact integers; `hyper_density.py` learns it.

Three passes: the hyper-latent at 1/64; of the symbols, the first half of a checkerboard (`checkerboard.py`) with means
and scales from the hyper-latent; the other half with means and scales from the hyper-latent and the first half.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnzip.errors import BadModelError
from cnnzip.prior.checkerboard import FIRST, SECOND, Checkerboard
from cnnzip.prior.gains import MAX_SYMBOL, Gains, Pass, array_of, table_rows
from cnnzip.prior.hyper_network import LAYERS, ONE, HyperNetwork
from cnnzip.prior.prior import HyperAnalysis, Number, Read, Region, whole
from cnnzip.prior.quality import nearest_row
from cnnzip.prior.rounding import DISTANCES, round_to
from cnnzip.prior.scales import HYPER_STRIDE, LAST_SCALE

THRESHOLDS = "encoder.thresholds"


@dataclass(frozen=True)
class HyperPrior:
    """Gains, how the encoder rounds, the table rows of the Z channels of the hyper-latent, and the integer layers."""

    gains: Gains
    thresholds: NDArray[np.float32]  # (64, DISTANCES); the encoder's
    hyper_index: NDArray[np.uint8]  # (R, Z)
    weights: dict[str, tuple[NDArray[np.int16], NDArray[np.int32]]]
    network: HyperNetwork

    @classmethod
    def make(
        cls,
        gains: Gains,
        thresholds: NDArray[np.float32],
        hyper_index: NDArray[np.uint8],
        weights: dict[str, tuple[NDArray[np.int16], NDArray[np.int32]]],
    ) -> "HyperPrior":
        """The prior with those weights and biases of the integer layers.

        Raises:
            BadModelError: they do not fit together, or sums might not be exact.
        """
        network = HyperNetwork(weights, gains.channels, hyper_index.shape[1])
        if thresholds.shape != (LAST_SCALE + 1, DISTANCES):
            raise BadModelError("the prior's arrays do not fit together")
        # So that no symbol is more than a step from what it stands for; NaN is not.
        if not ((thresholds >= 0.5) & (thresholds <= 1)).all():
            raise BadModelError("the prior's thresholds must lie in 0.5 … 1")
        return cls(gains, thresholds, hyper_index, weights, network)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """What the model bundle stores."""
        arrays: dict[str, NDArray[Any]] = {
            **self.gains.to_arrays(),
            THRESHOLDS: self.thresholds,
            "prior.hyper_index": self.hyper_index,
        }
        for name, (weight, bias) in self.weights.items():
            arrays[f"prior.{name}.weight"] = weight
            arrays[f"prior.{name}.bias"] = bias
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], tables: int) -> "HyperPrior":
        """The prior that `to_arrays` stored, to be used with `tables` probability tables.

        Raises:
            BadModelError: an array is missing, of a wrong shape or type, or holds impossible values.
        """
        if tables <= LAST_SCALE:
            raise BadModelError(f"the prior needs {LAST_SCALE + 1} tables, there are {tables}")
        weights = {
            name: (
                array_of(arrays, f"prior.{name}.weight", np.int16),
                array_of(arrays, f"prior.{name}.bias", np.int32),
            )
            for name in LAYERS
        }
        hyper_channels = math.prod(weights["hyper_synthesis.0"][0].shape[1:])
        index = table_rows(arrays, "prior.hyper_index", hyper_channels, tables)
        thresholds = array_of(arrays, THRESHOLDS, np.float32)
        return cls.make(Gains.from_arrays(arrays), thresholds, index, weights)

    @property
    def channels(self) -> int:
        """Channels of the latent, M."""
        return self.gains.channels

    def hyper_shape(self, height: int, width: int) -> tuple[int, int, int]:
        """See `Prior`."""
        return self.hyper_index.shape[1], -(-height // HYPER_STRIDE), -(-width // HYPER_STRIDE)

    def hyper_indices(self, shape: tuple[int, ...], units: int) -> NDArray[np.uint8]:
        """See `Prior`."""
        row = self.hyper_index[nearest_row(units, len(self.hyper_index))]
        return np.repeat(row, shape[1] * shape[2])

    def hyper(self, latent: NDArray[np.float32], units: int, hyper_analysis: HyperAnalysis) -> NDArray[np.int32]:
        """See `Prior`."""
        return self._hyper(self.gains.scale(latent, units), hyper_analysis)

    def _hyper(self, scaled: NDArray[np.float32], hyper_analysis: HyperAnalysis) -> NDArray[np.int32]:
        _, height, width = scaled.shape
        padded = np.pad(scaled, ((0, 0), (0, -height % HYPER_STRIDE), (0, -width % HYPER_STRIDE)))
        hyper = np.nan_to_num(hyper_analysis(padded[None])[0], nan=0.0)
        symbols: NDArray[np.int32] = np.clip(np.rint(hyper), -MAX_SYMBOL, MAX_SYMBOL).astype(np.int32)
        return symbols

    def encode_tile(
        self, latent: NDArray[np.float32], units: int, hyper: NDArray[np.int32], region: Region
    ) -> list[Pass]:
        """See `Prior`: the first half of the checkerboard, and the second."""
        return self._encode_tile(self.gains.scale(latent, units), hyper, region)

    def _encode_tile(self, scaled: NDArray[np.float32], hyper: NDArray[np.int32], region: Region) -> list[Pass]:
        board = Checkerboard(*scaled.shape[1:])
        features = self.network.features(hyper, region)
        mean, index = self.network.first(features)
        first = self.quantise(board.take(scaled, FIRST), mean, index)
        mean, again = self.network.second(features, ONE * first + mean)
        return [(first, index), (self.quantise(board.take(scaled, SECOND), mean, again), again)]

    def decode_tile(self, read: Read, units: int, hyper: NDArray[np.int32], region: Region) -> NDArray[np.int32]:
        """See `Prior`; the values are symbols plus means, in units of 2^-8."""
        features = self.network.features(hyper, region)
        board = Checkerboard(*features.shape[1:])
        values = np.empty((self.channels, *features.shape[1:]), dtype=np.int32)
        mean, index = self.network.first(features)
        known = ONE * read(index) + mean
        board.put(values, FIRST, known)
        mean, index = self.network.second(features, known)
        board.put(values, SECOND, ONE * read(index) + mean)
        return values

    def encode(self, latent: NDArray[np.float32], units: int, hyper_analysis: HyperAnalysis) -> list[Pass]:
        """See `Prior`."""
        scaled = self.gains.scale(latent, units)
        hyper = self._hyper(scaled, hyper_analysis)
        ahead = hyper.ravel(), self.hyper_indices(hyper.shape, units)
        return [ahead, *self._encode_tile(scaled, hyper, whole(*scaled.shape[1:]))]

    def decode(self, read: Read, shape: tuple[int, int, int], units: int) -> NDArray[np.int32]:
        """See `Prior`."""
        hyper_shape = self.hyper_shape(*shape[1:])
        hyper = read(self.hyper_indices(hyper_shape, units)).reshape(hyper_shape)
        return self.decode_tile(read, units, hyper, whole(*shape[1:]))

    def arrange(self, passes: Sequence[NDArray[Number]], height: int, width: int) -> NDArray[Number]:
        """See `Prior`."""
        first, second = passes
        board = Checkerboard(height, width)
        latent = np.empty((self.channels, height, width), dtype=first.dtype)
        board.put(latent, FIRST, first)
        board.put(latent, SECOND, second)
        return latent

    def steps(self, values: NDArray[np.int32]) -> NDArray[np.float32]:
        """See `Prior`."""
        steps: NDArray[np.float32] = values.astype(np.float32) / np.float32(ONE)
        return steps

    def dequantise(self, values: NDArray[np.int32], units: int) -> NDArray[np.float32]:
        """See `Prior`."""
        return self.gains.unscale(self.steps(values), units)

    def quantise(
        self, scaled: NDArray[np.float32], mean: NDArray[np.int32], index: NDArray[np.uint8]
    ) -> NDArray[np.int32]:
        """Symbols of a scaled latent around integer means, with the indices of their scales."""
        symbols = round_to(scaled - mean.astype(np.float32) / np.float32(ONE), index, self.thresholds)
        return np.clip(symbols, -MAX_SYMBOL, MAX_SYMBOL).astype(np.int32)
