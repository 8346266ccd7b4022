"""Every way in which a file can be bad, and the one error that each must give."""

from zlib import crc32

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cnnzip.container import MAGIC, MAX_SECTIONS, Section, SectionType, pack, section_table, unpack
from cnnzip.errors import (
    ChecksumError,
    CnzError,
    LimitError,
    NotCnzError,
    SectionError,
    TrailingDataError,
    TruncatedError,
    UnknownSectionError,
    UnsupportedVersionError,
)

SIGNATURE = MAGIC + b"\x01"
VALID = pack(
    [
        Section(SectionType.HEADER, b"header"),
        Section(SectionType.LATENT, b"tile one"),
        Section(SectionType.LATENT, b"tile two"),
        Section(SectionType.EXIF, bytes(200)),
    ]
)


def build(*sections: tuple[int, bytes], signature: bytes = SIGNATURE, end: bytes = b"\x7f\x00") -> bytes:
    """A file whose checksums are all right, whatever else is wrong; `end` is END without its checksum."""
    covered = data = signature
    for type_, payload in sections:
        assert len(payload) < 128
        body = bytes([type_, len(payload)]) + payload
        covered += body
        data += body + crc32(body).to_bytes(4, "little")
    return data + end + crc32(covered + end).to_bytes(4, "little")


def test_build_agrees_with_pack() -> None:
    assert build((1, b"h"), (3, b"l")) == pack([Section(1, b"h"), Section(3, b"l")])


@pytest.mark.parametrize("size", range(len(VALID)))
def test_every_prefix_is_truncated(size: int) -> None:
    with pytest.raises(TruncatedError, match="ends"):
        unpack(VALID[:size])


@pytest.mark.parametrize("bit", range(8))
def test_every_flipped_bit_is_found(bit: int) -> None:
    for pos in range(len(VALID)):
        data = bytearray(VALID)
        data[pos] ^= 1 << bit
        # Inside a length, a flip may also make the section run past the end.
        kind = NotCnzError if pos < 8 else UnsupportedVersionError if pos == 8 else CnzError
        with pytest.raises(kind):
            unpack(bytes(data))


def test_flipped_payload_bit() -> None:
    data = VALID.replace(b"tile two", b"tile tvo")
    with pytest.raises(ChecksumError, match=r"^the checksum of the latent section at byte 35 does not match"):
        unpack(data)


def test_flipped_type_bit_is_damage_and_not_an_unknown_section() -> None:
    data = VALID.replace(b"\x03\x08tile one", b"\x43\x08tile one")
    with pytest.raises(ChecksumError, match="0x43 section at byte 21"):
        unpack(data)


def test_exchanged_sections_of_equal_length() -> None:
    one, two = VALID[21:35], VALID[35:49]
    assert b"tile one" in one
    assert b"tile two" in two
    with pytest.raises(ChecksumError, match=r"^the checksum of the file does not match"):
        unpack(VALID[:21] + two + one + VALID[49:])


def test_lost_section() -> None:
    with pytest.raises(ChecksumError, match=r"^the checksum of the file does not match"):
        unpack(VALID[:35] + VALID[49:])


def test_section_of_another_file() -> None:
    foreign = build((3, b"tile 2.0"))[len(SIGNATURE) : -6]
    with pytest.raises(ChecksumError, match=r"^the checksum of the file does not match"):
        unpack(VALID[:35] + foreign + VALID[49:])


@pytest.mark.parametrize("data", [b"x", b"\x89PNG\r\n\x1a\n" + bytes(50), b"PK\x03\x04", MAGIC[1:] + VALID])
def test_not_cnz(data: bytes) -> None:
    with pytest.raises(NotCnzError, match=r"^not a \.cnz file$"):
        unpack(data)


@pytest.mark.parametrize(("old", "new"), [(b"\r\n", b"\n"), (b"\n", b"\r\n"), (b"\r", b"\n")])
def test_transfer_in_text_mode(old: bytes, new: bytes) -> None:
    with pytest.raises(NotCnzError, match="text mode"):
        unpack(VALID.replace(old, new))


@pytest.mark.parametrize("version", [0, 2, 255])
def test_unsupported_version(version: int) -> None:
    with pytest.raises(UnsupportedVersionError, match=f"version {version}, this program reads version 1"):
        unpack(build((1, b""), signature=MAGIC + bytes([version])))


def test_trailing_data() -> None:
    with pytest.raises(TrailingDataError, match=r"^1 bytes follow"):
        unpack(VALID + b"\x00")
    with pytest.raises(TrailingDataError, match=rf"^{len(VALID)} bytes follow"):
        unpack(VALID + VALID)


@pytest.mark.parametrize("type_", [0x00, 0x05, 0x7E])
def test_unknown_required_section(type_: int) -> None:
    with pytest.raises(UnknownSectionError, match=f"needs the 0x{type_:02x} section"):
        unpack(build((1, b""), (type_, b"?")))


def test_unknown_optional_sections_are_skipped() -> None:
    data = build((1, b"h"), (0x80, b"new"), (0x81, b"icc"), (0xFF, b""), (0xFF, b"again"))
    assert unpack(data) == (Section(SectionType.HEADER, b"h"), Section(SectionType.ICC, b"icc"))
    names = [entry.name for entry in section_table(data)]
    assert names == ["header", "0x80", "icc", "0xff", "0xff", "end"]


def test_unknown_optional_sections_are_checked() -> None:
    data = build((1, b"h"), (0x90, b"new"))
    with pytest.raises(ChecksumError, match="0x90 section"):
        unpack(data.replace(b"new", b"now"))


@pytest.mark.parametrize(
    ("types", "message"),
    [
        ([], "the first section is not the header"),
        ([3], "the first section is not the header"),
        ([0x80, 1], "the first section is not the header"),
        ([1, 1], "there is more than one header section"),
        ([1, 2, 2], "there is more than one hyper-latent section"),
        ([1, 4, 4], "there is more than one alpha section"),
        ([1, 0x81, 0x81], "there is more than one icc section"),
        ([1, 3, 1], "the header section stands after the latent section"),
        ([1, 3, 4, 3], "the latent section stands after the alpha section"),
        ([1, 0x90, 0x81], "the icc section stands after the 0x90 section"),
    ],
)
def test_missing_doubled_and_misplaced_sections(types: list[int], message: str) -> None:
    with pytest.raises(SectionError, match=f"^{message}$"):
        unpack(build(*((type_, b"") for type_ in types)))


def test_end_with_a_payload() -> None:
    with pytest.raises(SectionError, match="the end section has a payload"):
        unpack(build((1, b""), end=b"\x7f\x01!"))


def test_length_not_in_shortest_form() -> None:
    with pytest.raises(SectionError, match="not in its shortest form"):
        unpack(SIGNATURE + b"\x01\x81\x00h" + crc32(b"\x01\x81\x00h").to_bytes(4, "little"))


def test_length_of_six_bytes() -> None:
    with pytest.raises(SectionError, match="longer than 5 bytes"):
        unpack(SIGNATURE + b"\x01\x80\x80\x80\x80\x80\x01" + bytes(50))


def test_length_beyond_the_data() -> None:
    with pytest.raises(TruncatedError, match="34359738321 bytes short inside the latent section at byte 15"):
        unpack(build((1, b""))[:15] + b"\x03\xff\xff\xff\xff\x7f" + bytes(50))


def test_too_many_sections() -> None:
    header, latent = build((1, b""))[9:15], build((3, b""))[9:15]
    with pytest.raises(LimitError, match="more than 131072 sections"):
        unpack(SIGNATURE + header + latent * (MAX_SECTIONS - 1))


@given(st.binary(max_size=200), st.sampled_from([b"", MAGIC, SIGNATURE, build((1, b"h"))[:-6]]))
def test_random_bytes(data: bytes, start: bytes) -> None:
    with pytest.raises(CnzError):
        unpack(start + data)


@given(st.data())
def test_mutated_files(data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(VALID)))
    resume = data.draw(st.integers(0, len(VALID)))
    mutated = VALID[:cut] + data.draw(st.binary(max_size=8)) + VALID[resume:]
    assume(mutated != VALID)
    with pytest.raises(CnzError):
        unpack(mutated)


@given(st.lists(st.tuples(st.sampled_from([0, 1, 2, 3, 4, 5, 0x7F, *range(0x80, 0x86)]), st.binary(max_size=3))))
def test_right_checksums_over_anything(raw: list[tuple[int, bytes]]) -> None:
    """Even then a file is refused, or it is the one form of its content."""
    data = build((1, b"h"), *raw)
    try:
        sections = unpack(data)
    except CnzError:
        return
    known = [(type_, payload) for type_, payload in raw if type_ in set(SectionType)]
    assert [(section.type, section.payload) for section in sections] == [(1, b"h"), *known]
    assert pack(sections) == build((1, b"h"), *known)
