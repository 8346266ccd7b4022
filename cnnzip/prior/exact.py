"""Networks in exact integers: what decides a probability table must be the same on every machine.

Activations are integers in units of 2^-8, weights in units of 2^-12. Products and sums run in float64, whose integers
are exact below 2^53; that no sum can reach this is checked from the weights when a model is loaded. So the result does
not depend on the order of summation, the number of threads or the library (DESIGN, section 3; Ballé, Johnston and
Minnen, "Integer networks for data compression with latent-variable models", ICLR 2019).
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cnnzip.errors import BadModelError
from cnnzip.prior.products import product

ACTIVATION_BITS = 8
WEIGHT_BITS = 12
BIAS_BITS = ACTIVATION_BITS + WEIGHT_BITS

ACTIVATION_LIMIT = 2.0**22
"""Activations are clipped to this many units, ± 16,384 in real terms: no trained network comes near it."""

EXACT = 2.0**53

LEAK_BITS = 3
"""The slope of the activation below zero is 2^-3, a shift."""

Planes = NDArray[np.float64]
"""(C, h, w), float64 holding integers."""


Layer = Callable[[Planes], Planes]
"""A convolution, (C, h, w) to (D, h, w), from activations to activations; a 1×1 one takes (C, positions), too."""


class Pointwise:
    """A 1×1 convolution: weight (D, C) and bias (D,), integers.

    Raises:
        BadModelError: see `layer`.
    """

    def __init__(self, weight: NDArray[np.int16], bias: NDArray[np.int32]) -> None:
        self._weight, self._bias = _scaled(weight, bias)

    @property
    def outputs(self) -> int:
        """D."""
        return len(self._weight)

    def __call__(self, x: Planes) -> Planes:
        """(C, …) to (D, …)."""
        sums = product(self._weight, x.reshape(len(x), -1))
        sums += self._bias[:, None]
        return _to_activations(sums).reshape(len(sums), *x.shape[1:])


class Depthwise:
    """A 3×3 convolution of each channel with zero padding: weight (C, 3, 3) and bias (C,), integers.

    Raises:
        BadModelError: see `layer`.
    """

    CHANNELS = 16
    """So many are worked on together: with their sums and products they stay in a core's cache."""

    def __init__(self, weight: NDArray[np.int16], bias: NDArray[np.int32]) -> None:
        self._weight, self._bias = _scaled(weight, bias)

    def __call__(self, x: Planes) -> Planes:
        """(C, h, w) to the same shape."""
        channels, height, width = x.shape
        # With zeros around it, a plane is one row in which each tap lies at a constant distance; what a tap sees behind
        # the end of a row belongs to the two columns that are dropped.
        wide = width + 2
        padded = np.zeros((min(channels, self.CHANNELS), (height + 2) * wide + 2))
        inside = padded[:, : (height + 2) * wide].reshape(-1, height + 2, wide)[:, 1:-1, 1:-1]
        sums, product = np.empty((2, len(padded), height * wide))
        result = np.empty_like(x)
        for start in range(0, channels, self.CHANNELS):
            some = slice(start, start + self.CHANNELS)
            count = len(x[some])
            inside[:count] = x[some]
            total = sums[:count]
            total[:] = self._bias[some, None]
            for row in range(3):
                for column in range(3):
                    seen = padded[:count, row * wide + column :][:, : height * wide]
                    total += np.multiply(self._weight[some, row, column, None], seen, out=product[:count])
            result[some] = _to_activations(total).reshape(count, height, wide)[:, :, :width]
        return result


def layer(weight: NDArray[np.int16], bias: NDArray[np.int32]) -> Layer:
    """The layer with these integer weights, (D, C) or (C, 3, 3).

    Raises:
        BadModelError: the bias is of another shape, or they are so large that sums might not be exact.
    """
    return Pointwise(weight, bias) if weight.ndim == 2 else Depthwise(weight, bias)


def check(weight: NDArray[np.int16], bias: NDArray[np.int32]) -> None:
    """Raise BadModelError for what cannot be a layer; see `layer`."""
    if bias.shape != weight.shape[:1]:
        raise BadModelError("the prior's weights and biases do not fit together")
    sums = np.abs(weight.astype(np.float64)).reshape(len(weight), -1).sum(axis=1)
    if not np.all(sums * ACTIVATION_LIMIT + np.abs(bias.astype(np.float64)) < EXACT / 2):
        raise BadModelError("the prior's weights are so large that its sums might not be exact")


def leaky(x: Planes) -> Planes:
    """Keeps what is above zero; ⌊x / 8⌋ below."""
    shifted = x * 2.0**-LEAK_BITS
    # Of whole numbers this is the smaller of the two above zero and the larger below.
    return np.maximum(np.floor(shifted, out=shifted), x, out=shifted)


def shuffle(x: Planes) -> Planes:
    """Pixel-shuffle by two: (4·C, h, w) to (C, 2·h, 2·w)."""
    channels, height, width = x.shape
    blocks = x.reshape(channels // 4, 2, 2, height, width)
    return blocks.transpose(0, 3, 1, 4, 2).reshape(channels // 4, 2 * height, 2 * width)


def _scaled(weight: NDArray[np.int16], bias: NDArray[np.int32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights and bias in units of activations, and a half for rounding: powers of two, so sums are no less exact.

    Raises:
        BadModelError: see `layer`.
    """
    check(weight, bias)
    unit = np.float64(2.0**-WEIGHT_BITS)
    return weight.astype(np.float64) * unit, bias.astype(np.float64) * unit + 0.5


def _to_activations(sums: Planes) -> Planes:
    """Sums with their half to whole activations, in place: rounded half up and clipped."""
    np.floor(sums, out=sums)
    return np.clip(sums, -ACTIVATION_LIMIT, ACTIVATION_LIMIT, out=sums)
