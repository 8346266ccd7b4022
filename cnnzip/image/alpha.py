"""A plane of samples ↔ a lossless PNG: how alpha travels in a file. The data may come from a stranger."""

import io
import struct
import zlib
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from cnnzip.errors import PayloadError
from cnnzip.image.picture import Samples

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_CHUNKS = 1 << 16
"""So many chunks of 8 kB hold the largest plane; without a limit, empty ones would take time for nothing."""

_STEP = 1 << 18
"""Bytes that are inflated, or made by it, at a time."""

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
    chunks = list(islice(_chunks(data), MAX_CHUNKS + 1))
    if len(chunks) > MAX_CHUNKS:
        raise PayloadError(f"the alpha plane has more than {MAX_CHUNKS} chunks")
    kinds = [kind for kind, _ in chunks]
    if len(kinds) < 3 or kinds != [b"IHDR", *[b"IDAT"] * (len(kinds) - 2), b"IEND"]:
        raise PayloadError("the alpha plane is not a plain PNG")
    gray, deflate, filters, plain = 0, 0, 0, 0
    if chunks[0][1] != struct.pack(">IIBBBBB", width, height, depth, gray, deflate, filters, plain):
        raise PayloadError(f"the alpha plane is not {width}×{height} samples of {depth} bits")
    _check_stream([body for _, body in chunks[1:-1]], height * (1 + width * depth // 8))
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


def _check_stream(bodies: list[bytes], size: int) -> None:
    """Raises PayloadError unless the zlib stream inflates to exactly `size` bytes: Pillow is more lenient."""
    inflater = zlib.decompressobj()
    left = size
    try:
        for piece in _pieces(bodies):
            if inflater.eof or left < 0:
                left = -1
                break
            rest, full = piece, True
            while left >= 0 and (rest or full):
                most = min(left, _STEP) + 1
                made = len(inflater.decompress(rest, most))
                left -= made
                rest, full = inflater.unconsumed_tail, made == most
    except zlib.error as error:
        raise PayloadError("the alpha plane does not inflate") from error
    if left or not inflater.eof or inflater.unused_data:
        raise PayloadError("the alpha plane has too few or too many samples")


def _pieces(bodies: list[bytes]) -> "Iterator[bytes]":
    """The bytes of all bodies some at a time: zlib copies what an output limit leaves of its input."""
    for body in bodies:
        for start in range(0, len(body), _STEP):
            yield body[start : start + _STEP]


def _decode(data: bytes) -> Samples:
    from PIL.PngImagePlugin import PngImageFile

    try:
        with PngImageFile(io.BytesIO(data)) as image:
            return np.array(image)
    except Exception as error:  # whatever Pillow raises on what is left to be wrong, such as a filter type
        raise PayloadError("the alpha plane cannot be decoded") from error
