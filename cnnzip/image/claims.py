"""The sizes that ICO and WebP files claim: Pillow decodes the one, and allocates for the other, when it opens them."""

import struct
from collections.abc import Iterator

from cnnzip.image import png_chunks

_ICO = b"\0\0\1\0"


def claimed_sizes(data: bytes) -> Iterator[tuple[int, int]]:
    """(width, height) of every picture in an icon, or of a WebP; of other formats nothing. A damaged one may be 0×0."""
    if data.startswith(_ICO):
        yield from _icon(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        yield from _webp(data[:30].ljust(30, b"\0"))


def _icon(data: bytes) -> Iterator[tuple[int, int]]:
    count = int.from_bytes(data[4:6], "little")
    for entry in range(6, min(6 + 16 * count, len(data) - 15), 16):
        (at,) = struct.unpack_from("<I", data, entry + 12)
        if at + 24 > len(data):
            continue
        if data.startswith(png_chunks.SIGNATURE, at):
            yield struct.unpack_from(">II", data, at + 16)
        else:
            # The header of a bitmap, in its old or new form; it counts the rows of the mask, too.
            old = data[at] == 12
            width, height = struct.unpack_from("<HH" if old else "<ii", data, at + 4)
            yield abs(width), abs(height) // 2


def _webp(head: bytes) -> Iterator[tuple[int, int]]:
    kind = head[12:16]
    if kind == b"VP8X":
        yield int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    elif kind == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        yield (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    elif kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", head, 26)
        yield width & 0x3FFF, height & 0x3FFF
