import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cnnzip.errors import PayloadError
from cnnzip.image import decode_plane, encode_plane

SHAPES = st.tuples(st.integers(1, 20), st.integers(1, 20))
RAMP = np.arange(6 * 7, dtype=np.uint8).reshape(6, 7)


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, body in chunks:
        parts += [struct.pack(">I", len(body)), kind, body, struct.pack(">I", zlib.crc32(kind + body))]
    return b"".join(parts)


def header(width: int = 7, height: int = 6, depth: int = 8, kind: int = 0, interlace: int = 0) -> bytes:
    return struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlace)


ROWS = b"".join(b"\0" + bytes(row) for row in RAMP)


@given(hnp.arrays(np.uint8, SHAPES) | hnp.arrays(np.uint16, SHAPES))
@settings(deadline=None)
def test_planes_survive(plane):
    back = decode_plane(encode_plane(plane), *plane.shape, plane.itemsize * 8)
    assert back.dtype == plane.dtype
    assert np.array_equal(back, plane)


def test_an_opaque_plane_is_small():
    assert len(encode_plane(np.full((512, 768), 255, np.uint8))) < 1100


def test_a_plane_made_by_hand_is_decoded():
    data = png((b"IHDR", header()), (b"IDAT", zlib.compress(ROWS)), (b"IEND", b""))
    assert np.array_equal(decode_plane(data, 6, 7, 8), RAMP)


@pytest.mark.parametrize(
    ("chunks", "message"),
    [
        ([], "plain PNG"),
        ([(b"IHDR", header()), (b"IEND", b"")], "plain PNG"),
        ([(b"IHDR", header()), (b"IDAT", zlib.compress(ROWS))], "plain PNG"),
        ([(b"IHDR", header()), (b"zTXt", b"k\0\0"), (b"IDAT", zlib.compress(ROWS)), (b"IEND", b"")], "plain"),
        (
            [(b"IHDR", header(60000, 60000)), (b"IDAT", zlib.compress(ROWS)), (b"IEND", b"")],
            "not 7×6 samples of 8",
        ),
        ([(b"IHDR", header(6, 7)), (b"IDAT", zlib.compress(ROWS)), (b"IEND", b"")], "not 7×6 samples of 8"),
        (
            [(b"IHDR", header(depth=16)), (b"IDAT", zlib.compress(ROWS)), (b"IEND", b"")],
            "not 7×6 samples of 8",
        ),
        ([(b"IHDR", header(kind=3)), (b"IDAT", zlib.compress(ROWS)), (b"IEND", b"")], "not 7×6 samples of 8"),
        ([(b"IHDR", header(interlace=1)), (b"IDAT", zlib.compress(ROWS)), (b"IEND", b"")], "not 7×6 samples"),
        ([(b"IHDR", header()), (b"IDAT", zlib.compress(ROWS[:-1])), (b"IEND", b"")], "too few or too many"),
        (
            [(b"IHDR", header()), (b"IDAT", zlib.compress(ROWS + b"\0")), (b"IEND", b"")],
            "too few or too many",
        ),
        (
            [(b"IHDR", header()), (b"IDAT", zlib.compress(bytes(10**7))), (b"IEND", b"")],
            "too few or too many",
        ),
        ([(b"IHDR", header()), (b"IDAT", zlib.compress(ROWS)[:-5]), (b"IEND", b"")], "too few or too many"),
        ([(b"IHDR", header()), (b"IDAT", zlib.compress(ROWS) + b"x"), (b"IEND", b"")], "too few or too many"),
        ([(b"IHDR", header()), (b"IDAT", b"nonsense"), (b"IEND", b"")], "does not inflate"),
        ([(b"IHDR", header()), (b"IDAT", zlib.compress(b"\x09" + ROWS[1:])), (b"IEND", b"")], "be decoded"),
    ],
)
def test_whatever_else_a_png_may_be_is_refused(chunks, message):
    with pytest.raises(PayloadError, match=message):
        decode_plane(png(*chunks), 6, 7, 8)


def test_damage_is_seen():
    data = encode_plane(RAMP)
    with pytest.raises(PayloadError, match="not a PNG"):
        decode_plane(b"", 6, 7, 8)
    with pytest.raises(PayloadError, match="ends within a chunk"):
        decode_plane(data[:-1], 6, 7, 8)
    with pytest.raises(PayloadError, match="ends within a chunk"):
        decode_plane(data + b"x", 6, 7, 8)
    with pytest.raises(PayloadError, match="checksum"):
        decode_plane(data[:-1] + b"x", 6, 7, 8)


@given(st.data())
@settings(deadline=None)
def test_any_changed_byte_is_an_error(data):
    plane = encode_plane(RAMP)
    at = data.draw(st.integers(0, len(plane) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda byte: byte != plane[at]))
    with pytest.raises(PayloadError):
        decode_plane(plane[:at] + bytes([value]) + plane[at + 1 :], 6, 7, 8)


@given(st.binary(max_size=60), st.sampled_from([8, 16]))
@settings(deadline=None)
def test_hostile_samples_decode_or_are_refused(rows, depth):
    data = png((b"IHDR", header(2, 3, depth)), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    try:
        plane = decode_plane(data, 3, 2, depth)
    except PayloadError:
        return
    assert len(rows) == 3 * (1 + 2 * depth // 8)
    assert plane.shape == (3, 2)
