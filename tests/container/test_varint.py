import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnzip.container import read_varint, write_varint
from cnnzip.errors import SectionError, TruncatedError

EXAMPLES = [
    (0, b"\x00"),
    (1, b"\x01"),
    (127, b"\x7f"),
    (128, b"\x80\x01"),
    (300, b"\xac\x02"),
    (16_383, b"\xff\x7f"),
    (16_384, b"\x80\x80\x01"),
    (2**32, b"\x80\x80\x80\x80\x10"),
    (2**35 - 1, b"\xff\xff\xff\xff\x7f"),
]


@pytest.mark.parametrize(("number", "encoded"), EXAMPLES)
def test_exact_bytes(number: int, encoded: bytes) -> None:
    assert write_varint(number) == encoded
    assert read_varint(encoded, 0) == (number, len(encoded))


@given(st.integers(0, 2**35 - 1), st.binary(max_size=3), st.binary(max_size=3))
def test_round_trip_amid_other_bytes(number: int, before: bytes, after: bytes) -> None:
    encoded = write_varint(number)
    assert read_varint(before + encoded + after, len(before)) == (number, len(before) + len(encoded))


@given(st.binary(max_size=7))
def test_every_accepted_form_is_the_only_one(data: bytes) -> None:
    try:
        number, stop = read_varint(data, 0)
    except (TruncatedError, SectionError):
        return
    assert write_varint(number) == data[:stop]


@pytest.mark.parametrize("number", [-1, 2**35])
def test_numbers_out_of_range(number: int) -> None:
    with pytest.raises(ValueError, match=f"^{number} does not fit"):
        write_varint(number)


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff\xff\xff\xff"])
def test_truncated(data: bytes) -> None:
    with pytest.raises(TruncatedError, match="ends inside the number at byte 0"):
        read_varint(data, 0)


@pytest.mark.parametrize("data", [b"\x80\x00", b"\xff\x80\x00", b"\xff\xff\xff\xff\x00"])
def test_longer_than_needed(data: bytes) -> None:
    with pytest.raises(SectionError, match="not in its shortest form"):
        read_varint(data, 0)


def test_longer_than_five_bytes() -> None:
    with pytest.raises(SectionError, match="longer than 5 bytes"):
        read_varint(b"\x80\x80\x80\x80\x80\x01", 0)
