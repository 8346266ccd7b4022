"""Which pictures were deeper than the 8 bits that Pillow reads them with: it says nothing of it itself."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

_CODESTREAM = b"\xff\x4f\xff\x51"
"""How a JPEG 2000 codestream begins: SOC, SIZ."""


def raw_mode(image: "Image.Image") -> str:
    """Pillow's name of the samples' layout in the file, such as `RGB;16B`; empty once the image is loaded."""
    for tile in getattr(image, "tile", ()):
        args = tile[3]
        if isinstance(args, tuple) and args:
            args = args[0]
        if isinstance(args, str):
            return args
    return ""


def stored_bits(image: "Image.Image", data: bytes = b"") -> int:
    """Bits a sample in the file, where Pillow is about to read 8 of more; else 8.

    Ask before the image is loaded. `data` is the file, if at hand: AVIF and JPEG 2000 say it only there.
    """
    if image.mode.startswith(("I", "F")):
        return 8
    for tile in getattr(image, "tile", ()):
        codec, args = tile[0], tile[3]
        if codec.startswith("ppm") and isinstance(args[1], int) and args[1] > 255:
            return int(args[1]).bit_length()
        if codec == "SGI16":
            return 16
    if raw_mode(image).endswith((";16B", ";16L", ";16N")):
        return 16
    if image.format == "AVIF" and (at := data.find(b"av1C")) >= 0:
        flags = _byte(data, at + 6)
        return 8 if not flags & 0x40 else 12 if flags & 0x20 else 10
    if image.format == "JPEG2000" and (at := data.find(_CODESTREAM)) >= 0:
        return max(8, (_byte(data, at + 42) & 0x7F) + 1)
    return 8


def _byte(data: bytes, at: int) -> int:
    return data[at] if at < len(data) else 0
