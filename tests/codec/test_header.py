import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnzip import limits
from cnnzip.codec.header import MODEL_NAME, Header
from cnnzip.entropy import CODERS
from cnnzip.errors import HeaderError, LimitError

ID = bytes(range(8))
HEADER = Header(
    width=768,
    height=512,
    channels=3,
    depth=8,
    alpha=False,
    model_name="tiny",
    model_id=ID,
    quality_units=7500,
    coder="huffman",
)
BYTES = b"\x01\x00\x00" + ID + b"\x04tiny" + b"\xcc\x3a" + b"\x80\x06" + b"\x80\x04"


def test_exact_bytes() -> None:
    assert HEADER.pack() == BYTES
    assert Header.unpack(BYTES) == HEADER
    assert (HEADER.quality, HEADER.pixels) == (75.0, 768 * 512)


sides = st.integers(1, limits.MAX_SIDE)


@given(
    st.builds(
        Header,
        width=sides,
        height=sides,
        channels=st.sampled_from([1, 3]),
        depth=st.sampled_from([8, 16]),
        alpha=st.booleans(),
        model_name=st.from_regex(MODEL_NAME, fullmatch=True),
        model_id=st.binary(min_size=8, max_size=8),
        quality_units=st.integers(0, 10_000),
        coder=st.sampled_from(CODERS),
    )
)
def test_round_trip(header: Header) -> None:
    assert Header.unpack(header.pack(), limit_pixels=limits.MAX_SIDE**2) == header


@given(st.binary(max_size=40))
def test_any_other_bytes_give_a_header_that_packs_to_them_or_a_typed_error(payload: bytes) -> None:
    try:
        header = Header.unpack(payload)
    except (HeaderError, LimitError):
        return
    assert header.pack() == payload


@pytest.mark.parametrize("size", range(len(BYTES)))
def test_cut_off(size: int) -> None:
    with pytest.raises(HeaderError, match=r"^the header is (cut off|damaged: the data ends inside the number at byte)"):
        Header.unpack(BYTES[:size])


FIELDS = BYTES[:16]  # all before the quality


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (BYTES + b"\0", "1 bytes follow the header's last field"),
        (b"\x09" + BYTES[1:], "the header asks for what version 1 does not have (09 00 00)"),
        (b"\x81" + BYTES[1:], "the header asks for what version 1 does not have (81 00 00)"),
        (BYTES[:2] + b"\x01" + BYTES[3:], "the header asks for what version 1 does not have (01 00 01)"),
        (BYTES[:1] + b"\x02" + BYTES[2:], "the file names the unknown coder 2"),
        (BYTES[:11] + b"\x00" + BYTES[16:], "the header names no possible model: ''"),
        (BYTES[:12] + b"../x" + BYTES[16:], "the header names no possible model: '../x'"),
        (BYTES[:12] + b"Tiny" + BYTES[16:], "the header names no possible model: 'Tiny'"),
        (BYTES[:12] + b"ti\nn" + BYTES[16:], "the header names no possible model: 'ti\\nn'"),
        (BYTES[:12] + b"tin\xff" + BYTES[16:], "the header names no possible model: 'tin\ufffd'"),
        (BYTES[:11] + b"\x21" + b"a" * 33 + BYTES[16:], f"the header names no possible model: '{'a' * 33}'"),
        (FIELDS + b"\x91\x4e\x01\x01", "the header claims 1×1 at quality 100.01"),
        (FIELDS + b"\x00\x00\x01", "the header claims 0×1 at quality 0"),
        (FIELDS + b"\x00\x01\x00", "the header claims 1×0 at quality 0"),
        (FIELDS + b"\x80\x00\x01\x01", "the header is damaged: the number at byte 16 is not in its shortest form"),
        (FIELDS + b"\xff" * 6, "the header is damaged: the number at byte 16 is longer than 5 bytes"),
    ],
)
def test_header_errors(payload: bytes, message: str) -> None:
    with pytest.raises(HeaderError, match=f"^{re.escape(message)}$"):
        Header.unpack(payload)


def test_limits() -> None:
    with pytest.raises(LimitError, match=r"^65536×1: a side is longer than 65535 pixels$"):
        Header.unpack(FIELDS + b"\x00\x80\x80\x04\x01")
    with pytest.raises(LimitError, match=r"^1×65536: a side is longer than 65535 pixels$"):
        Header.unpack(FIELDS + b"\x00\x01\x80\x80\x04")
    with pytest.raises(LimitError, match=r"^65535×65535 is more than 178956970 pixels; raise the limit with --limit"):
        Header.unpack(FIELDS + b"\x00" + b"\xff\xff\x03" * 2)
    assert Header.unpack(FIELDS + b"\x00" + b"\xff\xff\x03" * 2, limit_pixels=65535**2).pixels == 65535**2
    assert Header.unpack(BYTES, limit_pixels=768 * 512) == HEADER
    with pytest.raises(LimitError, match=r"^768×512 is more than 393215 pixels"):
        Header.unpack(BYTES, limit_pixels=768 * 512 - 1)
