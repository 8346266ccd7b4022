"""The chunks of a PNG file: those that Pillow will not read, taken out."""

import struct

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TEXTS = (b"iCCP", b"iTXt", b"tEXt", b"zTXt")


def without_texts(data: bytes) -> bytes:
    """A PNG file without its colour profile and its texts, XMP among them; the rest as it stands, damage included."""
    kept = [SIGNATURE]
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if kind not in _TEXTS:
            kept.append(data[at:end])
        at = end
    return b"".join(kept)
