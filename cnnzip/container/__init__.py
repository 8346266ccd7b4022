"""Named sections of bytes to one `.cnz` file and back; knows nothing of what the bytes mean."""

from cnnzip.container.format import (
    MAGIC,
    MAX_SECTIONS,
    VERSION,
    Section,
    SectionEntry,
    SectionType,
    is_cnz,
    pack,
    section_table,
    sections_at,
    unpack,
)
from cnnzip.container.salvage import salvage
from cnnzip.container.varint import read_varint, write_varint

__all__ = [
    "MAGIC",
    "MAX_SECTIONS",
    "VERSION",
    "Section",
    "SectionEntry",
    "SectionType",
    "is_cnz",
    "pack",
    "read_varint",
    "salvage",
    "section_table",
    "sections_at",
    "unpack",
    "write_varint",
]
