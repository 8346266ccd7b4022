"""The hyperprior with context at run time, in exact integers; `hyper_density.py` learns it.

Three passes: the hyper-latent at 1/64; of the symbols, the first half of a checkerboard (`checkerboard.py`) with means
and scales from the hyper-latent; the other half with means and scales from the hyper-latent and the first half.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnzip.errors import BadModelError
from cnnzip.prior.checkerboard import FIRST, SECOND, Checkerboard
from cnnzip.prior.exact import ACTIVATION_BITS, ACTIVATION_LIMIT, Layer, Planes, check_fit, layer, leaky, shuffle
from cnnzip.prior.gains import MAX_SYMBOL, Gains, Pass, array_of, table_rows
from cnnzip.prior.prior import HyperAnalysis, Number, Read
from cnnzip.prior.quality import nearest_row
from cnnzip.prior.rounding import DISTANCES, round_to
from cnnzip.prior.scales import CONTEXT_LIMIT, HYPER_STRIDE, LAST_SCALE

LAYERS = (
    "hyper_synthesis.0",
    "hyper_synthesis.3",
    "hyper_synthesis.4",
    "hyper_synthesis.7",
    "hyper_synthesis.8",
    "first",
    "context.0",
    "context.1",
    "second.0",
    "second.2",
)
"""The integer layers, by the names that they have in `HyperDensity`."""

LAST_LAYERS = ("first", "second.2")
"""Those that give the means and scales of the two passes."""

THRESHOLDS = "encoder.thresholds"

ONE = 1 << ACTIVATION_BITS
"""A symbol's step in the units of the activations."""

STRIP = 1 << 12
"""Positions of the latent that the layers are run on together: what they hold meanwhile would fill the memory."""

Parameters = tuple[NDArray[np.int32], NDArray[np.uint8]]
"""Means in units of 2^-8 and table indices of the symbols of one half, flat."""


@dataclass(frozen=True)
class HyperPrior:
    """Gains, how the encoder rounds, the table rows of the Z channels of the hyper-latent, and the integer layers."""

    gains: Gains
    thresholds: NDArray[np.float32]  # (64, DISTANCES); the encoder's
    hyper_index: NDArray[np.uint8]  # (R, Z)
    weights: dict[str, tuple[NDArray[np.int16], NDArray[np.int32]]]
    layers: dict[str, Layer]
    last: dict[str, tuple[Layer, Layer]]
    """The layers that give means and scales, split: for the first M / 2 channels, and for the others."""

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
        channels, width = gains.channels, weights["context.1"][0].size // 9
        wanted = {
            "hyper_synthesis.0": (4 * width, hyper_index.shape[1]),
            "hyper_synthesis.3": (width, 3, 3),
            "hyper_synthesis.4": (4 * width, width),
            "hyper_synthesis.7": (width, 3, 3),
            "hyper_synthesis.8": (width, width),
            "first": (2 * channels, width),
            "context.0": (width, channels),
            "context.1": (width, 3, 3),
            "second.0": (width, 2 * width),
            "second.2": (2 * channels, width),
        }
        if not width or channels % 2 or {name: weight.shape for name, (weight, _) in weights.items()} != wanted:
            raise BadModelError("the prior's layers do not fit together")
        if thresholds.shape != (LAST_SCALE + 1, DISTANCES):
            raise BadModelError("the prior's arrays do not fit together")
        # So that no symbol is more than a step from what it stands for; NaN is not.
        if not ((thresholds >= 0.5) & (thresholds <= 1)).all():
            raise BadModelError("the prior's thresholds must lie in 0.5 … 1")
        layers = {name: layer(*pair) for name, pair in weights.items() if name not in LAST_LAYERS}
        last = {name: _split(*weights[name]) for name in LAST_LAYERS}
        return cls(gains, thresholds, hyper_index, weights, layers, last)

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

    def encode(self, latent: NDArray[np.float32], units: int, hyper_analysis: HyperAnalysis) -> list[Pass]:
        """See `Prior`."""
        scaled = self.gains.scale(latent, units)
        _, height, width = scaled.shape
        padded = np.pad(scaled, ((0, 0), (0, -height % HYPER_STRIDE), (0, -width % HYPER_STRIDE)))
        hyper = np.nan_to_num(hyper_analysis(padded[None])[0], nan=0.0)
        hyper_symbols = np.clip(np.rint(hyper), -MAX_SYMBOL, MAX_SYMBOL).astype(np.int32)
        passes: list[Pass] = [(hyper_symbols.ravel(), self.hyper_indices(hyper_symbols.shape, units))]

        features = self.features(hyper_symbols, height, width)
        board = Checkerboard(height, width)
        mean, index = self.first(features)
        symbols = self.quantise(board.take(scaled, FIRST), mean, index)
        passes.append((symbols, index))
        values = np.zeros(scaled.shape, dtype=np.int32)
        board.put(values, FIRST, ONE * symbols + mean)
        mean, index = self.second(features, values)
        passes.append((self.quantise(board.take(scaled, SECOND), mean, index), index))
        return passes

    def decode(self, read: Read, shape: tuple[int, int, int], units: int) -> NDArray[np.int32]:
        """See `Prior`; the values are symbols plus means, in units of 2^-8."""
        _, height, width = shape
        hyper_shape = self.hyper_shape(height, width)
        hyper_symbols = read(self.hyper_indices(hyper_shape, units)).reshape(hyper_shape)

        features = self.features(hyper_symbols, height, width)
        board = Checkerboard(height, width)
        values = np.zeros(shape, dtype=np.int32)
        mean, index = self.first(features)
        board.put(values, FIRST, ONE * read(index) + mean)
        mean, index = self.second(features, values)
        board.put(values, SECOND, ONE * read(index) + mean)
        return values

    def arrange(
        self, passes: Sequence[NDArray[Number]], shape: tuple[int, int, int]
    ) -> tuple[NDArray[Number], NDArray[Number] | None]:
        """See `Prior`."""
        hyper, first, second = passes
        board = Checkerboard(*shape[1:])
        latent = np.empty(shape, dtype=first.dtype)
        board.put(latent, FIRST, first)
        board.put(latent, SECOND, second)
        return latent, hyper.reshape(self.hyper_shape(*shape[1:]))

    def steps(self, values: NDArray[np.int32]) -> NDArray[np.float32]:
        """See `Prior`."""
        steps: NDArray[np.float32] = values.astype(np.float32) / np.float32(ONE)
        return steps

    def dequantise(self, values: NDArray[np.int32], units: int) -> NDArray[np.float32]:
        """See `Prior`."""
        return self.gains.unscale(self.steps(values), units)

    def hyper_shape(self, height: int, width: int) -> tuple[int, int, int]:
        """(Z, ⌈h/4⌉, ⌈w/4⌉) for a latent of that height and width."""
        return self.hyper_index.shape[1], -(-height // HYPER_STRIDE), -(-width // HYPER_STRIDE)

    def quantise(
        self, scaled: NDArray[np.float32], mean: NDArray[np.int32], index: NDArray[np.uint8]
    ) -> NDArray[np.int32]:
        """Symbols of a scaled latent around integer means, with the indices of their scales."""
        symbols = round_to(scaled - mean.astype(np.float32) / np.float32(ONE), index, self.thresholds)
        return np.clip(symbols, -MAX_SYMBOL, MAX_SYMBOL).astype(np.int32)

    def hyper_indices(self, shape: tuple[int, ...], units: int) -> NDArray[np.uint8]:
        """The table index of every symbol of a hyper-latent (Z, h, w) = `shape`, flat."""
        row = self.hyper_index[nearest_row(units, len(self.hyper_index))]
        return np.repeat(row, shape[1] * shape[2])

    def features(self, hyper_symbols: NDArray[np.int32], height: int, width: int) -> NDArray[np.int32]:
        """Hyper-latent (Z, h/4, w/4) to the features (N, h, w) that both passes use."""
        features = np.empty((len(self.weights["context.1"][0]), height, width), dtype=np.int32)
        for rows in strips(height, width):
            # Both depthwise layers together reach three rows of the features: less than one of the hyper-latent.
            top, bottom = max(0, rows.start // HYPER_STRIDE - 1), -(-rows.stop // HYPER_STRIDE) + 1
            x = self._hyper_synthesis(hyper_symbols[:, top:bottom])
            above = HYPER_STRIDE * top
            features[:, rows] = x[:, rows.start - above : rows.stop - above, :width]
        return features

    def first(self, features: NDArray[np.int32]) -> Parameters:
        """Means and table indices of the first half, as the hyper-latent alone tells them."""
        return self._parameters(features.shape, FIRST, lambda rows: _planes(features[:, rows]))

    def second(self, features: NDArray[np.int32], values: NDArray[np.int32]) -> Parameters:
        """Those of the second half, once the first of the `values` (M, h, w) is known, the others being zero."""

        def strip(rows: slice) -> Planes:
            run = self.layers
            top = max(0, rows.start - 1)  # what the depthwise layer reaches
            limit = CONTEXT_LIMIT * ONE
            known = np.clip(_planes(values[:, top : rows.stop + 1]), -limit, limit)
            context = leaky(run["context.1"](run["context.0"](known)))[:, rows.start - top : rows.stop - top]
            return leaky(run["second.0"](np.concatenate([_planes(features[:, rows]), context])))

        return self._parameters(features.shape, SECOND, strip)

    def _hyper_synthesis(self, hyper_symbols: NDArray[np.int32]) -> Planes:
        run = self.layers
        # The coders carry larger symbols than sums are exact for.
        x = np.clip(_planes(hyper_symbols) * ONE, -ACTIVATION_LIMIT, ACTIVATION_LIMIT)
        x = run["hyper_synthesis.0"](x)
        x = run["hyper_synthesis.3"](shuffle(leaky(x)))
        x = shuffle(leaky(run["hyper_synthesis.4"](x)))
        x = run["hyper_synthesis.7"](x)
        return leaky(run["hyper_synthesis.8"](x))

    def _parameters(self, shape: tuple[int, ...], half: int, run: Callable[[slice], Planes]) -> Parameters:
        """What the last layer makes of the planes (N, rows, w) that `run` gives, at the places of a half alone."""
        _, height, width = shape
        counts = [len(places) for places in Checkerboard(height, width).positions]
        mean, index = (
            [np.empty((self.channels // 2, count), dtype=kind) for count in (counts[half], counts[1 - half])]
            for kind in (np.int32, np.uint8)
        )
        done = [0, 0]
        for rows in strips(height, width):
            x = run(rows).reshape(-1, (rows.stop - rows.start) * width)
            positions = Checkerboard(rows.stop - rows.start, width).positions  # strips begin with even rows
            for part, places in enumerate((positions[half], positions[1 - half])):
                there = slice(done[part], done[part] + len(places))
                mean[part][:, there], scale = np.split(self.last[LAST_LAYERS[half]][part](x[:, places]), 2)
                index[part][:, there] = np.clip(np.floor(scale / ONE + 0.5), 0, LAST_SCALE)
                done[part] = there.stop
        return np.concatenate([m.ravel() for m in mean]), np.concatenate([i.ravel() for i in index])


def _split(weight: NDArray[np.int16], bias: NDArray[np.int32]) -> tuple[Layer, Layer]:
    """A layer that gives M means and M scales as two, each for half the channels; errors as of `layer`."""
    check_fit(weight, bias)
    means, scales = np.split(np.arange(len(weight)), 2)
    first, second = (np.concatenate(pair) for pair in zip(np.split(means, 2), np.split(scales, 2), strict=True))
    return layer(weight[first], bias[first]), layer(weight[second], bias[second])


def strips(height: int, width: int) -> Iterator[slice]:
    """The rows of a latent in groups, whole rows of the hyper-latent each, of about `STRIP` positions."""
    rows = HYPER_STRIDE * max(1, STRIP // (HYPER_STRIDE * width))
    return (slice(top, min(top + rows, height)) for top in range(0, height, rows))


def _planes(integers: NDArray[np.int32]) -> Planes:
    return integers.astype(np.float64)
