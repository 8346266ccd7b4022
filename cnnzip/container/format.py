"""The `.cnz` container: a signature, then sections, each under its own CRC-32, then an end.

All integers are little-endian. A file is

    magic      8 bytes   C3 43 4E 5A 0D 0A 1A 0A
    version    1 byte    01
    sections   HEADER first, END last

and a section is

    type       1 byte    bit 7 clear: required, a reader that does not know it must refuse the file
                         bit 7 set:   optional, a reader that does not know it skips it
    length     1–5 bytes varint (varint.py), number of bytes of payload
    payload    `length` bytes
    crc        4 bytes   CRC-32 (zlib, PNG) of type, length and payload

    01 HEADER    02 HYPER_LATENT    03 LATENT    04 ALPHA    7F END    81 ICC    82 EXIF    83 XMP

The magic is PNG's idea: the first byte ('C' with its high bit set) makes the file no valid ASCII or UTF-8
text; CR LF and LF are altered by transfers in text mode; 1A ends a listing on old systems.

Order: the types of the sections before END never descend, and of the known types only LATENT may repeat (one
a tile, in the order of the tiles). So the same sections are always the same file, byte for byte, and a lost
header, a doubled or a misplaced section are all found by comparing a type with the one before it.

END has no payload. Its crc covers every byte of the file before it *except the crc fields*, so a lost,
exchanged or foreign section is found though its own crc is right. The crc fields must stay out: running a
CRC-32 over bytes and then over their own CRC-32 always leaves the same remainder, so with them in, END's crc
would depend on the lengths of the sections alone and would miss two exchanged tiles of equal length. After
END nothing may follow.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple
from zlib import crc32

from cnnzip.container.varint import read_varint, write_varint
from cnnzip.errors import (
    ChecksumError,
    LimitError,
    NotCnzError,
    SectionError,
    TrailingDataError,
    TruncatedError,
    UnknownSectionError,
    UnsupportedVersionError,
)

MAGIC = b"\xc3CNZ\r\n\x1a\n"
VERSION = 1

MAX_SECTIONS = 1 << 17
"""END included. The largest picture (65,535²) in tiles of 256² is 65,536 sections; without a limit, a file of
empty sections would take up some 30 times its size in memory."""

CRC_BYTES = 4
OPTIONAL = 0x80


class SectionType(IntEnum):
    """The sections that this version knows; bit 7 marks those that a reader may skip."""

    HEADER = 0x01
    HYPER_LATENT = 0x02
    LATENT = 0x03
    ALPHA = 0x04
    END = 0x7F
    ICC = 0x81
    EXIF = 0x82
    XMP = 0x83


KNOWN_TYPES = frozenset(SectionType)
END = int(SectionType.END)


@dataclass(frozen=True, slots=True)
class Section:
    """One section: its type and its payload."""

    type: int
    payload: bytes


class SectionEntry(NamedTuple):  # in half the time of a dataclass: a file may have MAX_SECTIONS of them
    """Where a section lies in the file.

    Attributes:
        type: the type byte; perhaps one that this version does not know.
        offset: position of the type byte.
        start: position of the payload.
        length: bytes of payload.
    """

    type: int
    offset: int
    start: int
    length: int

    @property
    def name(self) -> str:
        """`"hyper-latent"`; for an unknown type its number, as in `"0x90"`."""
        return _name(self.type)

    @property
    def stop(self) -> int:
        """Position behind the payload."""
        return self.start + self.length

    @property
    def size(self) -> int:
        """Bytes of the whole section: type, length, payload and crc."""
        return self.stop + CRC_BYTES - self.offset


def is_cnz(prefix: bytes) -> bool:
    """Whether data that begins so is a `.cnz` file, of whatever version; 8 bytes are enough."""
    return prefix[: len(MAGIC)] == MAGIC


def pack(sections: Iterable[Section]) -> bytes:
    """The file that holds `sections`, which stand in the format's order; END is added here.

    Raises:
        ValueError: a type is unknown or END, a section is out of order, doubled or too long, the header is
            missing, or there are too many sections.
    """
    signature = MAGIC + bytes([VERSION])
    parts = [signature]
    file_crc = crc32(signature)
    previous = 0
    for count, section in enumerate(sections, start=1):
        if section.type not in KNOWN_TYPES or section.type == SectionType.END:
            raise ValueError(f"a section of type {_name(section.type)} cannot be packed")
        if fault := _order_fault(previous, section.type):
            raise ValueError(fault)
        if count == MAX_SECTIONS:
            raise ValueError(f"more than {MAX_SECTIONS} sections")
        head = bytes([section.type]) + write_varint(len(section.payload))
        parts += [head, section.payload, crc_field(crc32(section.payload, crc32(head)))]
        file_crc = crc32(section.payload, crc32(head, file_crc))
        previous = section.type
    if fault := _order_fault(previous, SectionType.END):
        raise ValueError(fault)
    end = bytes([SectionType.END]) + write_varint(0)
    parts += [end, crc_field(crc32(end, file_crc))]
    return b"".join(parts)


def unpack(data: bytes) -> tuple[Section, ...]:
    """The known sections of a file in its order, without END; raises what `section_table` raises."""
    return sections_at(data, section_table(data))


def sections_at(data: bytes, table: Iterable[SectionEntry]) -> tuple[Section, ...]:
    """The known sections of a file whose `section_table` is at hand, in its order, without END."""
    return tuple(
        Section(SectionType(entry.type), data[entry.start : entry.stop])
        for entry in table
        if entry.type in KNOWN_TYPES and entry.type != SectionType.END
    )


def section_table(data: bytes) -> tuple[SectionEntry, ...]:
    """Where every section of a file lies, END and unknown optional ones included, all of it verified.

    Raises:
        NotCnzError: the data does not begin with the magic.
        UnsupportedVersionError: the version is not 1.
        TruncatedError: the data ends before END does; it may be empty.
        ChecksumError: a section's checksum, or END's over the whole file, does not match.
        UnknownSectionError: a required section is of an unknown type.
        SectionError: a length is not in its shortest form, or a section is missing, doubled or out of order.
        LimitError: there are more than MAX_SECTIONS sections.
        TrailingDataError: bytes follow END.
    """
    pos = check_signature(data)
    view = memoryview(data)
    file_crc = crc32(view[:pos])
    entries: list[SectionEntry] = []
    previous = 0
    while previous != END:
        if len(entries) == MAX_SECTIONS:
            raise LimitError(f"the file has more than {MAX_SECTIONS} sections")
        entry = read_entry(data, pos)
        stop = entry.stop
        body = view[pos:stop]
        file_crc = crc32(body, file_crc)
        crc = file_crc if entry.type == END else crc32(body)
        if data[stop : stop + CRC_BYTES] != crc_field(crc):
            covered = "file" if entry.type == END else f"{entry.name} section at byte {pos}"
            raise ChecksumError(f"the checksum of the {covered} does not match: the file was damaged")
        # Only now, so that a damaged type byte counts as damage and not as an unknown section.
        _check_meaning(entry, previous)
        entries.append(entry)
        previous = entry.type
        pos = stop + CRC_BYTES
    if pos != len(data):
        raise TrailingDataError(f"{len(data) - pos} bytes follow the end of the file")
    return tuple(entries)


def check_signature(data: bytes) -> int:
    """Check magic and version, and raise what `section_table` does; returns the position behind them."""
    if MAGIC.startswith(data):  # also when all of the magic is there, but no version
        raise TruncatedError(f"the data ends after {len(data)} bytes, before the first section")
    if data[:4] == MAGIC[:4] and not is_cnz(data):
        raise NotCnzError("the magic is damaged, as by a transfer in text mode that alters line endings")
    if not is_cnz(data):
        raise NotCnzError("not a .cnz file")
    version = data[len(MAGIC)]
    if version != VERSION:
        raise UnsupportedVersionError(
            f"the file has format version {version}, this program reads version {VERSION}: update cnnzip"
        )
    return len(MAGIC) + 1


def read_entry(data: bytes, pos: int) -> SectionEntry:
    """The section at `pos`, which lies within the data whole; its bytes are not checked."""
    if pos == len(data):
        raise TruncatedError(f"the data ends after {pos} bytes, before the end section")
    length, start = read_varint(data, pos + 1)
    entry = SectionEntry(data[pos], pos, start, length)
    missing = pos + entry.size - len(data)
    if missing > 0:
        raise TruncatedError(f"the data ends {missing} bytes short inside the {entry.name} section at byte {pos}")
    return entry


def _check_meaning(entry: SectionEntry, previous: int) -> None:
    """Check that the section is one that may stand here, after a section of type `previous`."""
    if entry.type not in KNOWN_TYPES and not entry.type & OPTIONAL:
        raise UnknownSectionError(
            f"decoding needs the {entry.name} section, which this program does not know: update cnnzip"
        )
    if fault := _order_fault(previous, entry.type):
        raise SectionError(fault)
    if entry.type == SectionType.END and entry.length:
        raise SectionError("the end section has a payload")


def _order_fault(previous: int, current: int) -> str | None:
    """What is wrong with a section of type `current` after one of `previous`, which is 0 at the start."""
    if not previous and current != SectionType.HEADER:
        return "the first section is not the header"
    if current == SectionType.END:
        return None
    if current < previous:
        return f"the {_name(current)} section stands after the {_name(previous)} section"
    # Whether a type that is not known here may repeat is for a later version to say.
    if current == previous and current != SectionType.LATENT and current in KNOWN_TYPES:
        return f"there is more than one {_name(current)} section"
    return None


def _name(type_: int) -> str:
    if type_ in KNOWN_TYPES:
        return SectionType(type_).name.lower().replace("_", "-")
    return f"0x{type_:02x}"


def crc_field(crc: int) -> bytes:
    """A checksum as it stands in a file."""
    return crc.to_bytes(CRC_BYTES, "little")
