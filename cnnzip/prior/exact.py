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
    """A 1×1 convolution: weight (D, C) and bias (D,), integers."""

    def __init__(self, weight: NDArray[np.int16], bias: NDArray[np.int32]) -> None:
        self._weight = weight.astype(np.float64)
        self._bias = bias.astype(np.float64)
        _check_sums(np.abs(self._weight).sum(axis=1), self._bias)

    def __call__(self, x: Planes) -> Planes:
        """(C, …) to (D, …)."""
        sums = self._weight @ x.reshape(len(x), -1)
        sums += self._bias[:, None]
        return _rescale(sums).reshape(len(sums), *x.shape[1:])


class Depthwise:
    """A 3×3 convolution of each channel with zero padding: weight (C, 3, 3) and bias (C,), integers."""

    def __init__(self, weight: NDArray[np.int16], bias: NDArray[np.int32]) -> None:
        self._weight = weight.astype(np.float64)
        self._bias = bias.astype(np.float64)
        _check_sums(np.abs(self._weight).sum(axis=(1, 2)), self._bias)

    def __call__(self, x: Planes) -> Planes:
        """(C, h, w) to the same shape."""
        _, height, width = x.shape
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
        sums = np.empty_like(x)
        sums[:] = self._bias[:, None, None]
        product = np.empty_like(sums)
        for row in range(3):
            for column in range(3):
                window = padded[:, row : row + height, column : column + width]
                sums += np.multiply(self._weight[:, row, column, None, None], window, out=product)
        return _rescale(sums)


def layer(weight: NDArray[np.int16], bias: NDArray[np.int32]) -> Layer:
    """The layer with these integer weights, (D, C) or (C, 3, 3).

    Raises:
        BadModelError: the bias is of another shape, or they are so large that sums might not be exact.
    """
    check_fit(weight, bias)
    return Pointwise(weight, bias) if weight.ndim == 2 else Depthwise(weight, bias)


def check_fit(weight: NDArray[np.int16], bias: NDArray[np.int32]) -> None:
    """Raises BadModelError where a layer's bias is of another shape than its weight asks for."""
    if bias.shape != weight.shape[:1]:
        raise BadModelError("the prior's weights and biases do not fit together")


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


def _check_sums(weights: NDArray[np.float64], bias: NDArray[np.float64]) -> None:
    if not np.all(weights * ACTIVATION_LIMIT + np.abs(bias) < EXACT / 2):
        raise BadModelError("the prior's weights are so large that its sums might not be exact")


def _rescale(sums: Planes) -> Planes:
    """From units of 2^-20 to units of 2^-8, rounded half up and clipped, in place."""
    sums *= 2.0**-WEIGHT_BITS
    sums += 0.5
    np.floor(sums, out=sums)
    return np.clip(sums, -ACTIVATION_LIMIT, ACTIVATION_LIMIT, out=sums)
