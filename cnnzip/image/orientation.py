"""The EXIF orientation: found in the metadata, applied to pixels.

Pillow could find it too, but parses the whole block for it, and warns on stderr of whatever is broken there.
"""

import re
import struct
from dataclasses import replace

import numpy as np

from cnnzip.image.picture import Metadata, Picture, Samples

_TAG = 0x0112
_SHORT = 3
_XMP_ORIENTATION = re.compile(rb'(tiff:Orientation(?:="|>))([0-9])')


def orientation(metadata: Metadata) -> int:
    """The orientation 1..8 that the metadata ask for; 1 where there is none or it is broken.

    As in Pillow, the XMP packet is asked where EXIF does not say.
    """
    value = _from_exif(metadata.exif) if metadata.exif else None
    if value is None and metadata.xmp and (match := _XMP_ORIENTATION.search(metadata.xmp)):
        value = int(match[2])
    return value if value is not None and 1 <= value <= 8 else 1


def _from_exif(exif: bytes) -> int | None:
    """The value of the orientation tag in the first directory of a TIFF structure."""
    endian = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if endian is None:
        return None
    try:
        (directory,) = struct.unpack_from(endian + "I", exif, 4)
        (entries,) = struct.unpack_from(endian + "H", exif, directory)
        for index in range(entries):
            tag, kind, count, value = struct.unpack_from(endian + "HHIH", exif, directory + 2 + 12 * index)
            if tag == _TAG:
                return int(value) if kind == _SHORT and count == 1 else None
    except struct.error:
        return None
    return None


def upright_xmp(xmp: bytes) -> bytes:
    """The XMP packet with its orientation, if it has one, set to 1: for pixels that were turned already."""
    return _XMP_ORIENTATION.sub(rb"\g<1>1", xmp)


def turned(picture: Picture) -> Picture:
    """The picture with its orientation applied to colour and alpha. The metadata still hold the old one."""
    way = orientation(picture.metadata)
    if way == 1:
        return picture
    alpha = None if picture.alpha is None else turn(picture.alpha, way)
    return replace(picture, color=turn(picture.color, way), alpha=alpha)


def strip(picture: Picture) -> Picture:
    """The picture without EXIF and XMP, its orientation applied to the pixels first.

    The ICC profile stays: without it the colours would change.
    """
    return replace(turned(picture), metadata=Metadata(icc=picture.metadata.icc))


def turn(samples: Samples, way: int) -> Samples:
    """(H, W, ...) samples turned by an orientation 1..8: 5 to 8 swap the axes, then both kinds flip."""
    view = samples.swapaxes(0, 1) if way >= 5 else samples
    if way in (3, 4, 7, 8):
        view = view[::-1]
    if way in (2, 3, 6, 7):
        view = view[:, ::-1]
    return np.ascontiguousarray(view)
