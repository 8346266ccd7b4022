"""Picture ↔ the float planes that the networks see."""

import numpy as np
from numpy.typing import NDArray

from cnnzip.image.picture import Picture, Samples


def to_planes(picture: Picture) -> NDArray[np.float32]:
    """The colour of a picture as planes (1, C, H, W) in 0..1, C-contiguous."""
    planes = np.ascontiguousarray(picture.color.transpose(2, 0, 1)[None], dtype=np.float32)
    planes /= np.float32(2**picture.depth - 1)
    return planes


def from_planes(planes: NDArray[np.floating], depth: int) -> Samples:
    """Planes (1, C, H, W) as samples (H, W, C) of 8 or 16 bits: clipped, rounded half up, NaN as 0."""
    top = 2**depth - 1
    dtype = {8: np.uint8, 16: np.uint16}[depth]
    samples = planes[0] * np.float32(top)
    samples += np.float32(0.5)
    # fmax, unlike maximum and clip, prefers the number to the NaN; the cast then drops the fraction.
    np.fmax(samples, 0, out=samples)
    np.fmin(samples, top, out=samples)
    return np.ascontiguousarray(samples.astype(dtype).transpose(1, 2, 0))
