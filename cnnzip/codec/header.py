"""The header section: what the picture is, which model coded it, and how.

flags      1 byte    bit 0: colour (RGB), clear: gray; bit 1: 16 bits a sample; bit 2: alpha; others zero
coder      1 byte    0 Huffman, 1 rANS
tiling     1 byte    0: the latent is one piece; t in 4 … 12: it is in tiles of about 2^t positions a side
model id   8 bytes   see docs/format.md, "Models"
name       1 byte    length of the model's name, then the name, ASCII
quality    varint    hundredths, 0 … 10,000
width      varint    pixels
height     varint    pixels
"""

import re
from dataclasses import dataclass

from cnnzip import limits
from cnnzip.codec.tiling import TILINGS, WHOLE
from cnnzip.container import read_varint, write_varint
from cnnzip.entropy import CODERS, coder_name
from cnnzip.errors import CnzError, HeaderError, LimitError
from cnnzip.prior.quality import MAX_QUALITY, QUALITY_UNITS

ID_BYTES = 8
MODEL_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
"""What a model may be called: it stands in every file, so it is short, and it names a folder."""

_COLOR, _DEEP, _ALPHA = 1, 2, 4
_ALL_FLAGS = _COLOR | _DEEP | _ALPHA
_FIXED = 3 + ID_BYTES + 1


@dataclass(frozen=True)
class Header:
    """What a file says of itself; every field is within what the format allows."""

    width: int
    height: int
    channels: int
    """1 (gray) or 3 (RGB); alpha is apart."""
    depth: int
    """Bits a sample, 8 or 16."""
    alpha: bool
    model_name: str
    model_id: bytes
    quality_units: int
    """Hundredths of the quality."""
    coder: str
    tiling: int = WHOLE
    """See `tiling.grid`."""

    @property
    def quality(self) -> float:
        """Quality 0 … 100."""
        return self.quality_units / QUALITY_UNITS

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height

    def pack(self) -> bytes:
        """The payload of the header section."""
        flags = _COLOR * (self.channels == 3) | _DEEP * (self.depth == 16) | _ALPHA * self.alpha
        name = self.model_name.encode("ascii")
        fixed = bytes([flags, CODERS.index(self.coder), self.tiling]) + self.model_id + bytes([len(name)])
        return fixed + name + b"".join(map(write_varint, (self.quality_units, self.width, self.height)))

    @classmethod
    def unpack(cls, payload: bytes, limit_pixels: int = limits.MAX_PIXELS) -> "Header":
        """The header that `pack` wrote.

        Raises:
            HeaderError: a field is cut off or outside what the format allows.
            LimitError: the picture is larger than `limit_pixels` or a side longer than `limits.MAX_SIDE`.
        """
        if len(payload) < _FIXED or len(payload) < _FIXED + payload[_FIXED - 1]:
            raise HeaderError("the header is cut off")
        flags, coder, tiling = payload[:3]
        if flags & ~_ALL_FLAGS or (tiling != WHOLE and tiling not in TILINGS):
            raise HeaderError(f"the header asks for what version 1 does not have ({payload[:3].hex(' ')})")
        model_id = payload[3 : 3 + ID_BYTES]
        end = _FIXED + payload[_FIXED - 1]
        name = payload[_FIXED:end].decode("ascii", errors="replace")
        if not MODEL_NAME.fullmatch(name):
            raise HeaderError(f"the header names no possible model: {name!r}")
        try:
            units, end = read_varint(payload, end)
            width, end = read_varint(payload, end)
            height, end = read_varint(payload, end)
        except CnzError as error:
            raise HeaderError(f"the header is damaged: {error}") from error
        if end != len(payload):
            raise HeaderError(f"{len(payload) - end} bytes follow the header's last field")
        if units > MAX_QUALITY or width == 0 or height == 0:
            raise HeaderError(f"the header claims {width}×{height} at quality {units / QUALITY_UNITS:g}")
        if max(width, height) > limits.MAX_SIDE:
            raise LimitError(f"{width}×{height}: a side is longer than {limits.MAX_SIDE} pixels")
        if width * height > limit_pixels:
            raise LimitError(
                f"{width}×{height} is more than {limit_pixels} pixels; raise the limit with --limit-pixels"
            )
        return cls(
            width=width,
            height=height,
            channels=3 if flags & _COLOR else 1,
            depth=16 if flags & _DEEP else 8,
            alpha=bool(flags & _ALPHA),
            model_name=name,
            model_id=model_id,
            quality_units=units,
            coder=coder_name(coder),
            tiling=tiling,
        )
