import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def parrots() -> Image.Image:
    """A crop of a Kodak picture, RGB, 96×64."""
    with Image.open(DATA / "parrots-96x64.png") as image:
        image.load()
    return image


@pytest.fixture
def lighthouse() -> Image.Image:
    """A crop of a Kodak picture, RGB, 64×96."""
    with Image.open(DATA / "lighthouse-64x96.png") as image:
        image.load()
    return image


@pytest.fixture
def file_of():
    """Pillow's own file of an image."""

    def save(image: Image.Image, name: str, **arguments) -> bytes:
        out = io.BytesIO()
        image.save(out, name, **arguments)
        return out.getvalue()

    return save


@pytest.fixture
def png_of():
    """A PNG by hand: size, bits, colour type, filtered rows, and (kind, body) of further chunks."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    def build(width: int, height: int, depth: int, kind: int, rows: bytes, *extra: tuple[bytes, bytes]) -> bytes:
        chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)), *extra]
        chunks += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
        return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)

    return build
