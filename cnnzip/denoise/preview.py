"""What denoising does to a picture, side by side: noisy, denoised, and four times what was taken away."""

from dataclasses import replace

import numpy as np

from cnnzip.image import Crop, Metadata, Picture, prepare
from cnnzip.image.picture import to_8_bit

SIDE = 256
"""Pixels of the crop, each way."""

AMPLIFIED = 4

_GAP = 8


def preview(noisy: Picture, denoised: Picture) -> Picture:
    """The middle of both pictures as viewers show them, and their difference times 4 around gray; 8 bits, no alpha."""
    left, middle = _middle(noisy), _middle(denoised)
    taken = left.color.astype(np.int16) - middle.color.astype(np.int16)
    difference = np.clip(128 + AMPLIFIED * taken, 0, 255).astype(np.uint8)
    gap = np.full((left.height, _GAP, left.channels), 255, dtype=np.uint8)
    return replace(left, color=np.concatenate([left.color, gap, middle.color, gap, difference], axis=1))


def _middle(picture: Picture) -> Picture:
    upright = prepare(picture)
    width, height = min(SIDE, upright.width), min(SIDE, upright.height)
    middle = prepare(upright, crop=Crop(width, height, (upright.width - width) // 2, (upright.height - height) // 2))
    return Picture(to_8_bit(middle.color), metadata=Metadata(icc=picture.metadata.icc))
