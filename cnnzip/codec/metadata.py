"""ICC, EXIF and XMP as sections: deflated, and inflated only as far as the limits allow."""

import zlib

from cnnzip import limits
from cnnzip.container import Section, SectionType
from cnnzip.errors import LimitError, PayloadError
from cnnzip.image import Metadata

FIELDS = {SectionType.ICC: "icc", SectionType.EXIF: "exif", SectionType.XMP: "xmp"}


def pack_metadata(metadata: Metadata) -> list[Section]:
    """One section for each block that is there."""
    blocks = ((kind, getattr(metadata, name)) for kind, name in FIELDS.items())
    return [Section(kind, zlib.compress(block, 9)) for kind, block in blocks if block is not None]


def unpack_metadata(sections: tuple[Section, ...]) -> Metadata:
    """The metadata in a file's sections.

    Raises:
        PayloadError: a block is no zlib stream, or there is something behind it.
        LimitError: a block inflates to more than `limits.MAX_METADATA_BYTES`.
    """
    return Metadata(**{FIELDS[SectionType(s.type)]: _inflate(s) for s in sections if s.type in FIELDS})


def _inflate(section: Section) -> bytes:
    name = SectionType(section.type).name
    inflater = zlib.decompressobj()
    try:
        block = inflater.decompress(section.payload, limits.MAX_METADATA_BYTES + 1)
    except zlib.error as error:
        raise PayloadError(f"the {name} block is damaged") from error
    if len(block) > limits.MAX_METADATA_BYTES:
        raise LimitError(f"the {name} block is larger than {limits.MAX_METADATA_BYTES} bytes")
    if not inflater.eof or inflater.unused_data:
        raise PayloadError(f"the {name} block is damaged")
    return block
