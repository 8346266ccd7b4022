"""A plane of samples ↔ a lossless PNG: how alpha travels in a file. The data may come from a stranger."""

import io
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

from cnnzip.errors import PayloadError
from cnnzip.image.picture import Samples

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def encode_plane(plane: Samples) -> bytes:
    """A plane (H, W) of 8 or 16 bits as a gray PNG of that depth."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(plane).save(out, "PNG", optimize=True)
    return out.getvalue()


def decode_plane(data: bytes, height: int, width: int, depth: int) -> Samples:
    """The plane (height, width) of 8 or 16 bits that `encode_plane` made.

    Takes only what that function writes: the chunks IHDR, IDAT and IEND, gray, of this size and depth.
    Nothing is allocated before the claims match, and never more than a few times the plane.

    Raises:
        PayloadError: the data are anything else.
    """
    chunks = list(_chunks(data))
    kinds = [kind for kind, _ in chunks]
    if len(kinds) < 3 or kinds != [b"IHDR", *[b"IDAT"] * (len(kinds) - 2), b"IEND"]:
        raise PayloadError("the alpha plane is not a plain PNG")
    gray, deflate, filters, plain = 0, 0, 0, 0
    if chunks[0][1] != struct.pack(">IIBBBBB", width, height, depth, gray, deflate, filters, plain):
        raise PayloadError(f"the alpha plane is not {width}×{height} samples of {depth} bits")
    _check_stream(b"".join(body for _, body in chunks[1:-1]), height * (1 + width * depth // 8))
    return _decode(data)


def _chunks(data: bytes) -> "Iterator[tuple[bytes, bytes]]":
    """The (kind, body) of every chunk, checksums verified."""
    if not data.startswith(_SIGNATURE):
        raise PayloadError("the alpha plane is not a PNG")
    at = len(_SIGNATURE)
    while at < len(data):
        if len(data) - at < 12:
            raise PayloadError("the alpha plane ends within a chunk")
        length, kind = struct.unpack_from(">I4s", data, at)
        if length > len(data) - at - 12:
            raise PayloadError("the alpha plane ends within a chunk")
        body = data[at + 8 : at + 8 + length]
        if zlib.crc32(kind + body) != struct.unpack_from(">I", data, at + 8 + length)[0]:
            raise PayloadError("a checksum of the alpha plane does not match")
        yield kind, body
        at += 12 + length


def _check_stream(stream: bytes, size: int) -> None:
    """Raises PayloadError unless the zlib stream inflates to exactly `size` bytes: Pillow is more lenient."""
    inflater = zlib.decompressobj()
    left = size
    try:
        while not inflater.eof:
            piece = inflater.decompress(stream, min(left, 1 << 20) + 1)
            stream = inflater.unconsumed_tail
            left -= len(piece)
            if left < 0 or not (piece or inflater.eof):
                break
    except zlib.error as error:
        raise PayloadError("the alpha plane does not inflate") from error
    if left or not inflater.eof or inflater.unused_data:
        raise PayloadError("the alpha plane has too few or too many samples")


def _decode(data: bytes) -> Samples:
    from PIL.PngImagePlugin import PngImageFile

    try:
        with PngImageFile(io.BytesIO(data)) as image:
            return np.array(image)
    except Exception as error:  # whatever Pillow raises on what is left to be wrong, such as a filter type
        raise PayloadError("the alpha plane cannot be decoded") from error
