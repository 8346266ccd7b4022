"""Bytes to sections, of a whole file and of a damaged one, and the header."""

from collections.abc import Iterable

from sections import golden, mutate

from cnnzip.codec.header import Header
from cnnzip.container import pack, salvage, section_table, unpack
from cnnzip.errors import CnzError

__all__ = ["mutate"]

EXPECTED = (CnzError,)
SECONDS = 1.0
MEGABYTES = 128.0
MAX_BYTES = 4096


def seeds() -> Iterable[bytes]:
    """The smaller golden files."""
    return [data for data in golden().values() if len(data) <= MAX_BYTES]


def one(data: bytes) -> None:
    """What is accepted is the one form of its content, and a whole file is salvaged whole."""
    left = salvage(data)
    sections = unpack(data)
    assert tuple(left) == sections
    if pack(sections) != data:
        assert any(entry.name.startswith("0x") for entry in section_table(data))
    header = Header.unpack(sections[0].payload)
    assert header.pack() == sections[0].payload
