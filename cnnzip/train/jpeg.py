"""What JPEG does to pictures, computed by torch for a whole batch on any device (ITU-T T.81, JFIF).

Coding and decoding in one: block transform, rounding to the quantisers of a quality, and back. The bits in between are
lossless and left out.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

# Annex K of T.81, rows of 8; libjpeg scales them by the quality.
LUMA_TABLE = (
    (16, 11, 10, 16, 24, 40, 51, 61), (12, 12, 14, 19, 26, 58, 60, 55), (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62), (18, 22, 37, 56, 68, 109, 103, 77), (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101), (72, 92, 95, 98, 112, 100, 103, 99),
)  # fmt: skip
CHROMA_TABLE = (
    (17, 18, 24, 47, 99, 99, 99, 99), (18, 21, 26, 66, 99, 99, 99, 99), (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99), *((99,) * 8 for _ in range(4)),
)  # fmt: skip

YCBCR = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
"""JFIF: RGB to Y, Cb, Cr, the last two about 0."""


def jpeg(pixels: Tensor, quality: Tensor, subsampled: Tensor) -> Tensor:
    """Pictures after JPEG, rounded to 8 bits.

    Args:
        pixels: (B, C, H, W) in 0…1, C 1 or 3, H and W multiples of 16.
        quality: (B,), 1…100, as libjpeg counts it.
        subsampled: (B,), whether the colour planes have half the resolution (4:2:0).
    """
    samples = 255 * pixels
    if pixels.shape[1] == 1:
        decoded = _quantised(samples - 128, _table(LUMA_TABLE, quality)) + 128
    else:
        to_ycbcr = torch.tensor(YCBCR, device=pixels.device)
        # On both sides the planes have 8 bits.
        planes = torch.einsum("ij,bjhw->bihw", to_ycbcr, samples).round()
        luma = _quantised(planes[:, :1] - 128, _table(LUMA_TABLE, quality)).round() + 128
        table = _table(CHROMA_TABLE, quality)
        full = _quantised(planes[:, 1:], table)
        half = _quantised(F.avg_pool2d(planes[:, 1:], 2).round(), table).round()
        half = F.interpolate(half, scale_factor=2, mode="bilinear")
        chroma = torch.where(subsampled[:, None, None, None], half, full).round()
        decoded = torch.einsum("ij,bjhw->bihw", torch.linalg.inv(to_ycbcr), torch.cat((luma, chroma), dim=1))
    return decoded.round().clamp(0, 255) / 255


def _table(base: tuple[tuple[int, ...], ...], quality: Tensor) -> Tensor:
    """The quantisers of a quality, (B, 1, 8, 8), as libjpeg scales them."""
    scale = torch.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    table = torch.tensor(base, device=quality.device)
    return ((table * scale[:, None, None] + 50) // 100).clamp(1, 255)[:, None]


def _quantised(planes: Tensor, table: Tensor) -> Tensor:
    """Planes (B, C, H, W) with their 8×8 DCT coefficients rounded to multiples of `table` (B, 1, 8, 8)."""
    count, channels, height, width = planes.shape
    step, frequency = torch.arange(8, device=planes.device), torch.arange(8, device=planes.device)[:, None]
    basis = torch.cos(math.pi / 8 * (step + 0.5) * frequency) / 2
    basis[0] /= math.sqrt(2)
    blocks = planes.reshape(count, channels, height // 8, 8, width // 8, 8).transpose(3, 4)
    quantiser = table[:, :, None, None]
    coefficients = (basis @ blocks @ basis.T / quantiser).round() * quantiser
    return (basis.T @ coefficients @ basis).transpose(3, 4).reshape(planes.shape)
