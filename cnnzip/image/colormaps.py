"""Colour maps: numbers in 0 … 1 → RGB, between anchors that lie evenly."""

import numpy as np
from numpy.typing import NDArray

INFERNO = (
    (0, 0, 4),
    (22, 11, 57),
    (66, 10, 104),
    (106, 23, 110),
    (147, 38, 103),
    (188, 55, 84),
    (221, 81, 58),
    (243, 120, 25),
    (252, 165, 10),
    (246, 215, 70),
    (252, 255, 164),
)
"""Perceptually uniform, from black over violet and orange to pale yellow (matplotlib's, every tenth)."""

BLUE_RED = (
    (33, 102, 172),
    (103, 169, 207),
    (209, 229, 240),
    (247, 247, 247),
    (253, 219, 199),
    (239, 138, 98),
    (178, 24, 43),
)
"""Diverging around a neutral middle (ColorBrewer's RdBu, reversed)."""


def colors(numbers: NDArray[np.floating], anchors: tuple[tuple[int, int, int], ...]) -> NDArray[np.float32]:
    """Numbers of any shape, (…), as RGB 0 … 255, (…, 3); outside 0 … 1 they take the colour of the end."""
    at = np.linspace(0, 1, len(anchors))
    table = np.array(anchors, dtype=np.float64)
    return np.stack([np.interp(numbers, at, table[:, c]) for c in range(3)], axis=-1).astype(np.float32)
