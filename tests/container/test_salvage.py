from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnzip.container import Section, SectionType, pack, salvage, section_table
from cnnzip.errors import NotCnzError, TruncatedError, UnsupportedVersionError

SECTIONS = [
    Section(SectionType.HEADER, b"head"),
    *(Section(SectionType.LATENT, bytes([n]) * (20 + n)) for n in range(4)),
    Section(SectionType.XMP, b"words"),
]
DATA = pack(SECTIONS)
TABLE = section_table(DATA)


def test_a_whole_file_is_all_there():
    assert salvage(DATA) == SECTIONS


@given(st.integers(9, len(DATA) - 1), st.integers(0, 7))
def test_one_flipped_bit_costs_one_section_or_what_follows(position, bit):
    data = bytearray(DATA)
    data[position] ^= 1 << bit
    found = salvage(bytes(data))
    (hit,) = [n for n, entry in enumerate(TABLE) if entry.offset <= position < entry.offset + entry.size]
    assert found[:hit] == SECTIONS[:hit]
    length = TABLE[hit].offset + 1
    if position == length or hit >= len(SECTIONS) - 1:  # nobody knows where the rest begins, or there is none
        rest = iter(SECTIONS[hit:])
        assert all(section in rest for section in found[hit:] if section)  # in order, and each once
    else:
        assert found == [*SECTIONS[:hit], None, *SECTIONS[hit + 1 :]]


@given(st.integers(9, len(DATA) - 1))
def test_what_a_cut_file_still_has(length):
    whole = [entry for entry in TABLE if entry.offset + entry.size <= length]
    assert salvage(DATA[:length]) == SECTIONS[: len(whole)]


def test_what_follows_the_end_does_not_count():
    assert salvage(DATA + b"\0") == SECTIONS


def test_unknown_sections_that_are_whole_are_passed_over():
    unknown = bytes([0x90, 0])
    data = DATA[: TABLE[-1].offset] + unknown + crc32(unknown).to_bytes(4, "little") + DATA[TABLE[-1].offset :]
    assert salvage(data) == SECTIONS


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", TruncatedError),
        (DATA[:8], TruncatedError),
        (b"GIF89a" + DATA, NotCnzError),
        (DATA[:8] + b"\x02" + DATA[9:], UnsupportedVersionError),
    ],
)
def test_what_is_no_cnz_file(data, error):
    with pytest.raises(error):
        salvage(data)
