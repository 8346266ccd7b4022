"""Which integer the encoder sends: the nearest, or the one nearer to zero where that saves more than it spoils.

Between s and s + 1 a number t of the way is sent as s + 1 only if t² − (1 − t)² = 2·t − 1, the squared error that this
saves, is worth the bits that it costs more: 2·t − 1 > µ·(bits(s + 1) − bits(s)), the decision of rate–distortion
optimised quantisation (Sullivan and Wiegand, IEEE Signal Processing Magazine 1998), each symbol by itself. A decoder
sees no difference.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

TRADE = 0.03
"""µ: the squared error, in steps of the quantiser, that one bit is worth. At high rates an optimal quantiser gains
2·ln 2 / 12 = 0.116 by a bit, but these symbols are also the context of others: less was best on `valid/`
(docs/models.md)."""

DISTANCES = 16
"""Thresholds differ up to this symbol; the densities that reach beyond are so broad that it is near ½ there."""


def to_nearest(scales: int) -> NDArray[np.float32]:
    """The thresholds of plain rounding, (scales, DISTANCES)."""
    return np.full((scales, DISTANCES), 0.5, dtype=np.float32)


def thresholds(histograms: Sequence[NDArray[np.float64]]) -> NDArray[np.float32]:
    """From which t on a number between s and s + 1 is sent as s + 1: (scales, s = 0 … DISTANCES − 1).

    Args:
        histograms: for each scale the weights of the symbols −R … R, all positive, R above `DISTANCES`.
    """
    weights = np.stack(histograms)
    reach = weights.shape[1] // 2
    mirrored = (weights + weights[:, ::-1])[:, reach : reach + DISTANCES + 1]
    bits = -np.log2(mirrored)
    limits: NDArray[np.float64] = np.clip(0.5 + TRADE / 2 * np.diff(bits, axis=1), 0.5, 1.0)
    return limits.astype(np.float32)


def round_to(x: NDArray[np.float32], index: NDArray[np.uint8], limits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Numbers, each with the index of its scale, to whole numbers (as floats), by the thresholds of `thresholds`."""
    magnitude = np.abs(x)
    below = np.floor(magnitude)
    limit = limits[index, np.minimum(below, DISTANCES - 1).astype(np.uint8)]
    rounded: NDArray[np.float32] = np.copysign(below + (magnitude - below > limit), x)
    return rounded
