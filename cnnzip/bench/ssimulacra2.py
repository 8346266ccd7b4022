"""SSIMULACRA2 as libjxl's tool `ssimulacra2` (version 2.1) computes it.

Weights, colour space and error maps are those of the package `ssimulacra2`. Its own entry point is not used, because
version 0.3 departs from libjxl: it mirrors the picture at two borders where libjxl has zeros, and leaves out the
last scale of small pictures. That moves the score by up to 5 points on photographs and by more on small pictures.
tests/bench/test_metrics.py holds scores of libjxl's tool.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d
from ssimulacra2 import ssimulacra2 as package

SCALES = 6
MIN_SIDE = 8

_HALF = 5


def _kernel(sigma: float = 1.5) -> NDArray[np.float64]:
    """The impulse response of libjxl's recursive blur.

    Three cosines, cut off where all are zero, whose sum is nearest to a Gaussian: Charalampidis, "Recursive
    Implementation of the Gaussian Filter Using Truncated Cosine Functions", 2016, equations 37 to 57.
    """
    omega = np.array([1, 3, 5]) * np.pi / (2 * _HALF)
    sign = np.array([1, -1, 1])
    p = sign / np.tan(omega / 2)
    r = sign * p**2 / np.sin(omega)
    rho = np.exp(-(sigma**2) * omega**2 / 2) / _HALF
    zeta = np.cross(p, r) / (p[0] * r[1] - r[0] * p[1])
    beta = np.linalg.solve([p, r, zeta], [1, _HALF**2 - sigma**2, zeta @ rho])
    taps = np.arange(1 - _HALF, _HALF)
    return np.asarray(beta @ np.cos(np.outer(omega, taps)))


_KERNEL = _kernel()


@dataclass(frozen=True)
class _Scale:
    """A picture at one scale: XYB (H, W, 3), its local mean, and the local mean of its square."""

    xyb: NDArray[np.float64]
    mean: NDArray[np.float64]
    square: NDArray[np.float64]


@dataclass(frozen=True)
class Reference:
    """What the original contributes to every comparison with it."""

    scales: tuple[_Scale, ...]

    @classmethod
    def of(cls, picture: NDArray[np.uint8]) -> "Reference":
        """The reference for `picture`, (H, W, 3) sRGB, at least 8 pixels a side."""
        return cls(_scales(picture))

    def score(self, decoded: NDArray[np.uint8]) -> float:
        """SSIMULACRA2 of `decoded`, of the same shape: 100 is the original; very bad pictures are below 0."""
        scores = package.Msssim()
        for ours, theirs in zip(self.scales, _scales(decoded), strict=True):
            errors = package.MsssimScale()
            product = _blur(ours.xyb * theirs.xyb)
            errors.avg_ssim = package.ssim_map(ours.mean, theirs.mean, ours.square, theirs.square, product)
            errors.avg_edgediff = package.edge_diff_map(ours.xyb, ours.mean, theirs.xyb, theirs.mean)
            scores.scales.append(errors)
        return float(scores.score())


def _scales(picture: NDArray[np.uint8]) -> tuple[_Scale, ...]:
    linear: Any = package.srgb_to_linear(picture)
    scales: list[_Scale] = []
    # As in libjxl, whether there is a next scale is asked of the scale before it.
    while not scales or (len(scales) < SCALES and min(scales[-1].xyb.shape[:2]) >= MIN_SIDE):
        if scales:
            linear = package.downsample(linear, 2, 2)
        xyb = package.make_positive_xyb(package.linear_rgb_to_xyb(linear))
        scales.append(_Scale(xyb, _blur(xyb), _blur(xyb * xyb)))
    return tuple(scales)


def _blur(image: NDArray[np.float64]) -> NDArray[np.float64]:
    rows = correlate1d(image, _KERNEL, axis=0, mode="constant")
    return np.asarray(correlate1d(rows, _KERNEL, axis=1, mode="constant"))
