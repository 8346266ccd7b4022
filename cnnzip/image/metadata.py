"""ICC, EXIF and XMP as Pillow hands them out ↔ plain blocks of bytes."""

from typing import TYPE_CHECKING

from cnnzip import limits
from cnnzip.image.picture import Metadata

if TYPE_CHECKING:
    from PIL import Image

EXIF_PREFIX = b"Exif\0\0"

# What a TIFF directory says about the picture, not about the layout of its file.
_DESCRIPTIVE_TAGS = frozenset(
    {
        0x010E,  # ImageDescription
        0x010F,  # Make
        0x0110,  # Model
        0x0112,  # Orientation
        0x011A,  # XResolution
        0x011B,  # YResolution
        0x0128,  # ResolutionUnit
        0x0131,  # Software
        0x0132,  # DateTime
        0x013B,  # Artist
        0x013C,  # HostComputer
        0x8298,  # Copyright
    }
)
_ORIENTATION = 0x0112
_SUB_DIRECTORIES = (0x8769, 0x8825)  # Exif and GPS


def collect(image: "Image.Image") -> tuple[Metadata, list[str]]:
    """The metadata of a loaded image, and notes on what could not be kept."""
    notes: list[str] = []
    info = image.info
    metadata = Metadata(
        icc=_kept(info.get("icc_profile"), "ICC profile", notes),
        exif=_kept(_exif(image, notes), "EXIF", notes),
        xmp=_kept(info.get("xmp") or info.get("XML:com.adobe.xmp"), "XMP", notes),
    )
    if metadata.xmp and b"hdrgm:Version" in metadata.xmp:
        notes.append("the HDR gain map is not kept")
    if not metadata.icc and "srgb" not in info and abs(info.get("gamma", 1 / 2.2) * 2.2 - 1) > 0.05:
        notes.append(f"the gamma of {info['gamma']:.3f} is not kept: colours may look different")
    return metadata, notes


def _kept(block: object, name: str, notes: list[str]) -> bytes | None:
    """The block as bytes, if there is one and it is not beyond the limit."""
    if isinstance(block, str):
        block = block.encode("utf-8", "surrogateescape")
    if not isinstance(block, bytes) or not block:
        return None
    if len(block) > limits.MAX_METADATA_BYTES:
        notes.append(f"{name} of {len(block):,} bytes was dropped: more than {limits.MAX_METADATA_BYTES:,}")
        return None
    return block


def _exif(image: "Image.Image", notes: list[str]) -> bytes | None:
    """The EXIF block of an image, without prefix."""
    block: object = image.info.get("exif")
    try:
        if block is None and "Raw profile type exif" in image.info:
            # ImageMagick's way of old, a text chunk: name and length on lines of their own, then hex.
            block = bytes.fromhex("".join(image.info["Raw profile type exif"].split("\n")[3:]))
        elif block is None and hasattr(image, "tag_v2"):
            block = descriptive(image.getexif())
    except Exception:  # the parsers of hostile metadata raise whatever they like, and the pixels are sound
        notes.append("the broken EXIF was dropped")
    return block.removeprefix(EXIF_PREFIX) if isinstance(block, bytes) else None


def descriptive(exif: "Image.Exif") -> bytes | None:
    """The tags that describe the picture, with the Exif and GPS directories; None if there are none."""
    from PIL import Image

    kept = Image.Exif()
    for tag in _DESCRIPTIVE_TAGS & set(exif):
        kept[tag] = exif[tag]
    for tag in _SUB_DIRECTORIES:
        if directory := exif.get_ifd(tag):
            kept[tag] = directory
    return kept.tobytes() if kept else None


def parsed(block: bytes, *, descriptive_only: bool) -> "Image.Exif | None":
    """An EXIF block as Pillow's object, for the writers that take it apart; None if it is broken.

    An orientation that is none is removed: those writers would stumble over it.
    """
    from PIL import Image

    exif = Image.Exif()
    try:
        exif.load(EXIF_PREFIX + block)
        # Whatever is wrong further in shows when the whole is put together again.
        again = descriptive(exif) if descriptive_only else exif.tobytes()
        exif.load(again or b"")
    except Exception:  # the parsers of hostile metadata raise whatever they like
        return None
    if exif.get(_ORIENTATION) not in range(1, 9):
        exif.pop(_ORIENTATION, None)
    return exif
