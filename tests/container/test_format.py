from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnzip.container import (
    MAGIC,
    MAX_SECTIONS,
    VERSION,
    Section,
    SectionType,
    is_cnz,
    pack,
    section_table,
    unpack,
)

HEADER = Section(SectionType.HEADER, b"head")
TINY = [HEADER, Section(SectionType.LATENT, b"pixels"), Section(SectionType.ICC, b"")]

# The annotated dump of docs/format.md.
TINY_HEX = """
    c3 43 4e 5a 0d 0a 1a 0a  01
    01 04  68 65 61 64        46 fd a9 09
    03 06  70 69 78 65 6c 73  d8 70 ae f7
    81 00                     f5 bb 41 63
    7f 00                     97 c6 9c 70
"""

SINGLE = [t for t in SectionType if t not in (SectionType.HEADER, SectionType.LATENT, SectionType.END)]


@st.composite
def section_lists(draw: st.DrawFn) -> list[Section]:
    """Any sections that may be packed."""
    types = [SectionType.HEADER, *draw(st.sets(st.sampled_from(SINGLE)))]
    types += [SectionType.LATENT] * draw(st.integers(0, 4))
    return [Section(type_, draw(st.binary(max_size=300))) for type_ in sorted(types)]


@pytest.fixture(scope="session")
def tiny() -> bytes:
    return pack(TINY)


def test_exact_bytes(tiny: bytes) -> None:
    assert tiny == bytes.fromhex(TINY_HEX)
    assert unpack(tiny) == tuple(TINY)


def test_checksums_are_those_of_the_specification(tiny: bytes) -> None:
    bodies = [b"\x01\x04head", b"\x03\x06pixels", b"\x81\x00"]
    crcs = [crc32(body) for body in bodies]
    crcs.append(crc32(MAGIC + b"\x01" + b"".join(bodies) + b"\x7f\x00"))
    expected = MAGIC + b"\x01"
    for body, crc in zip([*bodies, b"\x7f\x00"], crcs, strict=True):
        expected += body + crc.to_bytes(4, "little")
    assert tiny == expected


@given(section_lists())
def test_round_trip(sections: list[Section]) -> None:
    data = pack(sections)
    assert unpack(data) == tuple(sections)
    assert all(isinstance(section.type, SectionType) for section in unpack(data))


def test_large_payload() -> None:
    section = Section(SectionType.LATENT, bytes(range(256)) * 40_000)
    assert unpack(pack([HEADER, section]))[1] == section


def test_overhead_of_a_plain_photo_with_a_header_of_27_bytes() -> None:
    payload = 60_000
    sections = [
        Section(SectionType.HEADER, bytes(27)),
        Section(SectionType.HYPER_LATENT, bytes(5_000)),
        Section(SectionType.LATENT, bytes(payload)),
    ]
    assert len(pack(sections)) - 5_000 - payload == 63


def test_overhead_without_hyper_latent_and_a_header_of_30_bytes() -> None:
    sections = [Section(SectionType.HEADER, bytes(30)), Section(SectionType.LATENT, bytes(60_000))]
    assert len(pack(sections)) - 60_000 == 59


def test_section_table(tiny: bytes) -> None:
    rows = [(entry.name, entry.offset, entry.length, entry.size) for entry in section_table(tiny)]
    assert rows == [("header", 9, 4, 10), ("latent", 19, 6, 12), ("icc", 31, 0, 6), ("end", 37, 0, 6)]
    assert [tiny[entry.start : entry.stop] for entry in section_table(tiny)] == [b"head", b"pixels", b"", b""]


@given(section_lists())
def test_section_table_accounts_for_every_byte(sections: list[Section]) -> None:
    data = pack(sections)
    pos = len(MAGIC) + 1
    for entry in section_table(data):
        assert entry.offset == pos
        pos += entry.size
    assert pos == len(data)


def test_names() -> None:
    sections = [HEADER, Section(SectionType.HYPER_LATENT, b"")]
    assert [entry.name for entry in section_table(pack(sections))] == ["header", "hyper-latent", "end"]


def test_is_cnz(tiny: bytes) -> None:
    assert is_cnz(tiny)
    assert is_cnz(tiny[:8])
    assert not is_cnz(tiny[:7])
    assert not is_cnz(b"\x89PNG\r\n\x1a\n")
    assert is_cnz(MAGIC + bytes([VERSION + 1]))


@pytest.mark.parametrize(
    ("types", "message"),
    [
        ([], "the first section is not the header"),
        ([3], "the first section is not the header"),
        ([1, 1], "there is more than one header section"),
        ([1, 0x82, 0x82], "there is more than one exif section"),
        ([1, 3, 2], "the hyper-latent section stands after the latent section"),
        ([1, 0x7F], "a section of type end cannot be packed"),
        ([1, 5], "a section of type 0x05 cannot be packed"),
        ([1, 0x90], "a section of type 0x90 cannot be packed"),
    ],
)
def test_pack_refuses(types: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        pack(Section(type_, b"") for type_ in types)


def test_as_many_sections_as_allowed() -> None:
    sections = [HEADER] + [Section(SectionType.LATENT, b"")] * (MAX_SECTIONS - 2)
    assert len(unpack(pack(sections))) == MAX_SECTIONS - 1
    with pytest.raises(ValueError, match="more than 131072 sections"):
        pack([*sections, sections[-1]])
