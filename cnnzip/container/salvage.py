"""What is left of a damaged file: its sections in order, with a gap for each that is damaged."""

from zlib import crc32

from cnnzip.container.format import (
    CRC_BYTES,
    KNOWN_TYPES,
    MAX_SECTIONS,
    Section,
    check_signature,
    crc_field,
    read_entry,
)
from cnnzip.errors import CnzError


def salvage(data: bytes) -> list[Section | None]:
    """The known sections of a file up to the last whole one, None for each damaged one.

    A damaged section is passed over by the length that it claims. That the claim was right is known by a whole section
    behind it, whose checksum could not match by chance; what follows the last whole one is left out, as nobody can tell
    what it was. The end is no such section: its checksum is that of the whole file.

    Raises:
        NotCnzError, UnsupportedVersionError: this is no `.cnz` file, or one of another version.
        TruncatedError: not even the signature is whole.
    """
    pos = check_signature(data)
    view = memoryview(data)
    found: list[Section | None] = []
    whole = 0
    for _ in range(MAX_SECTIONS):
        try:
            entry = read_entry(data, pos)
        except CnzError:
            break
        pos += entry.size
        body = view[entry.offset : entry.stop]
        sound = data[entry.stop : entry.stop + CRC_BYTES] == crc_field(crc32(body))
        if sound and entry.type not in KNOWN_TYPES:
            continue
        found.append(Section(entry.type, data[entry.start : entry.stop]) if sound else None)
        whole = len(found) if sound else whole
    return found[:whole]
