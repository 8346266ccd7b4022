"""The picture in memory: pixels as stored, alpha, metadata, and what was lost on the way in."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.uint8 | np.uint16]


@dataclass(frozen=True)
class Metadata:
    r"""The blocks that travel beside the pixels, as bytes; None where there is none.

    `exif` is the TIFF-structured block without the `Exif\0\0` prefix; `xmp` is the packet.
    """

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture: `color` (H, W, C) with C = 1 (gray) or 3 (RGB), `alpha` (H, W) or None, both of one dtype.

    An alpha that is opaque everywhere is kept: that the picture has one is part of what it is.
    The EXIF orientation is metadata, the pixels are as stored. `notes` says every loss and conversion.
    """

    color: Samples
    alpha: Samples | None = None
    metadata: Metadata = field(default_factory=Metadata)
    notes: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.color.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.color.shape[1])

    @property
    def channels(self) -> int:
        """1 (gray) or 3 (RGB); alpha does not count."""
        return int(self.color.shape[2])

    @property
    def depth(self) -> int:
        """Bits a sample: 8 or 16."""
        return self.color.dtype.itemsize * 8

    @property
    def mode(self) -> str:
        """The kind of picture in words, such as `RGB` or `gray+alpha`."""
        kind = "gray" if self.channels == 1 else "RGB"
        return kind if self.alpha is None else f"{kind}+alpha"


def to_8_bit(samples: Samples) -> NDArray[np.uint8]:
    """Samples of any depth as 8 bits, rounded to the nearest."""
    if samples.dtype == np.uint8:
        return samples.astype(np.uint8, copy=False)
    return ((samples.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
