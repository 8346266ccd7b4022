"""The integer networks of the hyperprior: from the hyper-latent, and from half of the symbols, to means and scales.

They run in strips of rows, so that what they hold meanwhile neither grows with the picture nor leaves the caches.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from cnnzip.errors import BadModelError
from cnnzip.prior.checkerboard import FIRST, SECOND, Checkerboard
from cnnzip.prior.exact import (
    ACTIVATION_BITS,
    ACTIVATION_LIMIT,
    Depthwise,
    Planes,
    Pointwise,
    check,
    layer,
    leaky,
    shuffle,
)
from cnnzip.prior.prior import Region
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

ONE = 1 << ACTIVATION_BITS
"""A symbol's step in the units of the activations."""

STRIP = 1 << 11
"""Positions of the latent that the layers are run on together."""

Weights = Mapping[str, tuple[NDArray[np.int16], NDArray[np.int32]]]
"""Weight and bias of every layer."""

Parameters = tuple[NDArray[np.int32], NDArray[np.uint8]]
"""Means in units of 2^-8 and table indices of the symbols of one half, flat."""


class HyperNetwork:
    """The layers, ready to run.

    Args:
        weights: of all `LAYERS`.
        channels: of the latent, M.
        hyper_channels: of the hyper-latent, Z.

    Raises:
        BadModelError: they do not fit together, or sums might not be exact.
    """

    def __init__(self, weights: Weights, channels: int, hyper_channels: int) -> None:
        self.width = width = weights["context.1"][0].size // 9
        wanted = {
            "hyper_synthesis.0": (4 * width, hyper_channels),
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
        self._hyper = [layer(*weights[name]) for name in LAYERS if name.startswith("hyper_synthesis")]
        self._context = _Halves(*weights["context.0"]), Depthwise(*weights["context.1"])
        self._mixing = Pointwise(*weights["second.0"])
        self._last = _split(*weights["first"]), _split(*weights["second.2"])
        self.channels = channels

    def features(self, hyper: NDArray[np.int32], region: Region) -> Planes:
        """The whole hyper-latent (Z, …) to the features (N, h, w) of a region of the latent, which both passes use.

        The region begins at multiples of `HYPER_STRIDE`.
        """
        rows, columns = region
        features = np.empty((self.width, rows.stop - rows.start, columns.stop - columns.start))
        across = _surroundings(columns)
        for strip in strips(*features.shape[1:]):
            here = slice(rows.start + strip.start, rows.start + strip.stop)
            down = _surroundings(here)
            x = self._hyper_synthesis(hyper[:, down, across])
            features[:, strip] = x[:, _within(here, down), _within(columns, across)]
        return features

    def first(self, features: Planes) -> Parameters:
        """Means and table indices of the first half, as the hyper-latent alone tells them."""
        return self._parameters(features.shape, FIRST, lambda rows: features[:, rows])

    def second(self, features: Planes, known: NDArray[np.int32]) -> Parameters:
        """Those of the second half, once the values of the first are `known`, flat."""
        _, height, width = features.shape
        parts = Checkerboard(height, width).split(known, self.channels, FIRST)
        at_first, reach = self._context

        def strip(rows: slice) -> Planes:
            around = slice(max(0, rows.start - 1), min(rows.stop + 1, height))
            limit = CONTEXT_LIMIT * ONE
            board = Checkerboard(around.stop - around.start, width, odd=around.start % 2 == 1)
            before = Checkerboard(around.start, width).counts
            near = [
                np.clip(part[:, start : start + count], -limit, limit).astype(np.float64)
                for part, start, count in zip(parts, before, board.counts, strict=True)
            ]
            context = leaky(reach(at_first(near, board)))[:, rows.start - around.start :][:, : rows.stop - rows.start]
            return leaky(self._mixing(np.concatenate([features[:, rows], context])))

        return self._parameters(features.shape, SECOND, strip)

    def _hyper_synthesis(self, hyper: NDArray[np.int32]) -> Planes:
        expand, smooth, expand_again, smooth_again, mix = self._hyper
        # The coders carry larger symbols than sums are exact for.
        x = np.clip(hyper.astype(np.float64) * ONE, -ACTIVATION_LIMIT, ACTIVATION_LIMIT)
        x = smooth(shuffle(leaky(expand(x))))
        x = smooth_again(shuffle(leaky(expand_again(x))))
        return leaky(mix(x))

    def _parameters(self, shape: tuple[int, ...], half: int, run: Callable[[slice], Planes]) -> Parameters:
        """What the last layer makes of the planes (N, rows, w) that `run` gives, at the places of a half alone."""
        _, height, width = shape
        counts = Checkerboard(height, width).counts
        colors = (half, 1 - half)  # of the first channels, and of the others
        mean, index = (
            [np.empty((self.channels // 2, counts[color]), dtype=kind) for color in colors]
            for kind in (np.int32, np.uint8)
        )
        done = [0, 0]
        for rows in strips(height, width):
            x = run(rows)
            board = Checkerboard(rows.stop - rows.start, width)  # strips begin with even rows
            for part, color in enumerate(colors):
                there = slice(done[part], done[part] + board.counts[color])
                told = self._last[half][part](board.gather(x, color))
                mean[part][:, there], scale = np.split(told, 2)
                scale *= 1 / ONE
                scale += 0.5
                # Nothing negative is left, so that the cast rounds down.
                index[part][:, there] = np.clip(scale, 0, LAST_SCALE, out=scale)
                done[part] = there.stop
        return np.concatenate([m.ravel() for m in mean]), np.concatenate([i.ravel() for i in index])


class _Halves:
    """The first layer of the context, which sees zeros where the second half of the symbols will be, and skips them."""

    def __init__(self, weight: NDArray[np.int16], bias: NDArray[np.int32]) -> None:
        check(weight, bias)
        # Each position knows half of the channels: the sums are those of half the layer.
        self._parts = [Pointwise(np.ascontiguousarray(half), bias) for half in np.split(weight, 2, axis=1)]

    def __call__(self, parts: list[Planes], board: Checkerboard) -> Planes:
        """The values of the first half, (M / 2, places) for each colour, to (N, h, w)."""
        planes = np.empty((self._parts[0].outputs, board.height, board.width))
        for color, (run, part) in enumerate(zip(self._parts, parts, strict=True)):
            board.scatter(planes, color, run(part))
        return planes


def _split(weight: NDArray[np.int16], bias: NDArray[np.int32]) -> tuple[Pointwise, Pointwise]:
    """A layer that gives M means and M scales as two, each for half the channels; errors as of `exact.layer`."""
    check(weight, bias)
    means, scales = np.split(np.arange(len(weight)), 2)
    first, second = (np.concatenate(pair) for pair in zip(np.split(means, 2), np.split(scales, 2), strict=True))
    return Pointwise(weight[first], bias[first]), Pointwise(weight[second], bias[second])


def strips(height: int, width: int) -> Iterator[slice]:
    """The rows of a latent in groups, whole rows of the hyper-latent each, of about `STRIP` positions."""
    rows = HYPER_STRIDE * max(1, STRIP // (HYPER_STRIDE * width))
    return (slice(top, min(top + rows, height)) for top in range(0, height, rows))


def _surroundings(span: slice) -> slice:
    """The span of the hyper-latent that a span of the features depends on.

    Both depthwise layers together reach three positions of the latent: less than one of the hyper-latent.
    """
    return slice(max(0, span.start // HYPER_STRIDE - 1), -(-span.stop // HYPER_STRIDE) + 1)


def _within(span: slice, around: slice) -> slice:
    """Where a span of the latent lies in what is made of the span `around` of the hyper-latent."""
    begin = HYPER_STRIDE * around.start
    return slice(span.start - begin, span.stop - begin)
