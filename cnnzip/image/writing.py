"""A picture → an image file, or a Pillow image."""

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnzip.errors import OutputFormatError
from cnnzip.image.formats import FORMATS, Format, lookup
from cnnzip.image.metadata import EXIF_PREFIX, parsed
from cnnzip.image.orientation import orientation, turned, upright_xmp
from cnnzip.image.picture import Metadata, Picture, to_8_bit

if TYPE_CHECKING:
    from PIL import Image

_JPEG_SEGMENT = 65533
_PNG_ICC = 1024 * 1024
"""Beyond this Pillow refuses to open the whole PNG, however it was made."""
_XMP_TAG = 700


def to_pil(picture: Picture) -> "Image.Image":
    """The picture as a Pillow image: L, LA, RGB, RGBA or I;16, metadata in `info` as Pillow's openers set it.

    Pillow has no 16-bit modes but gray without alpha: all else is rounded to 8 bits.
    """
    image = _bare(picture)
    metadata = picture.metadata
    if metadata.icc:
        image.info["icc_profile"] = metadata.icc
    if metadata.exif:
        image.info["exif"] = EXIF_PREFIX + metadata.exif
    if metadata.xmp:
        image.info["xmp"] = metadata.xmp
    return image


def write(picture: Picture, format: str) -> tuple[bytes, tuple[str, ...]]:  # noqa: A002
    """The picture as a file of a format (a name that `format_of` gives), and notes on what that cannot hold.

    A format that carries EXIF gets the pixels as they are; any other gets them turned upright.

    Raises:
        OutputFormatError: the format is unknown, or cannot hold the picture's alpha or size.
    """
    form = lookup(format)
    notes: list[str] = []
    picture = _fitted(picture, format, form, notes)
    kept = _kept_metadata(picture.metadata, format, form, notes)
    # Readers look for the orientation in EXIF, and in XMP only where there is no EXIF.
    carried = kept.exif or (kept.xmp and not picture.metadata.exif)
    if not carried and orientation(picture.metadata) != 1:
        notes.append("the orientation was applied to the pixels")
        picture = turned(picture)
        kept = replace(kept, xmp=upright_xmp(kept.xmp) if kept.xmp else None)
    options = form.options | (form.color_options if picture.channels == 3 else {})
    out = io.BytesIO()
    try:
        _bare(picture).save(out, format, **options, **_arguments(kept, format))
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise OutputFormatError(
            f"{format} cannot hold this picture of {picture.width}×{picture.height} ({reason})"
        ) from error
    return out.getvalue(), tuple(notes)


def _bare(picture: Picture) -> "Image.Image":
    """The pixels alone as a Pillow image."""
    from PIL import Image

    color, alpha = picture.color, picture.alpha
    if alpha is not None:
        return Image.fromarray(np.dstack([to_8_bit(color), to_8_bit(alpha)]))
    if picture.channels == 1:
        return Image.fromarray(np.ascontiguousarray(color[..., 0]))
    return Image.fromarray(np.ascontiguousarray(to_8_bit(color)))


def _fitted(picture: Picture, name: str, form: Format, notes: list[str]) -> Picture:
    """The picture without what the format's pixels cannot say; OutputFormatError where that is too much."""
    if picture.alpha is not None and not form.alpha:
        if picture.alpha.min() < np.iinfo(picture.alpha.dtype).max:
            holders = " ".join(holder for holder, other in FORMATS.items() if other.alpha)
            raise OutputFormatError(f"{name} cannot hold the picture's alpha; these can: {holders}")
        notes.append(f"{name} holds no alpha; it was opaque everywhere")
        picture = replace(picture, alpha=None)
    if picture.depth == 16 and not (form.gray16 and picture.channels == 1 and picture.alpha is None):
        notes.append(f"16-bit {picture.mode} was rounded to 8 bits for {name}")
        alpha = None if picture.alpha is None else to_8_bit(picture.alpha)
        picture = replace(picture, color=to_8_bit(picture.color), alpha=alpha)
    if picture.channels == 1 and not form.gray:
        notes.append(f"{name} has no gray: it was written as RGB")
    if picture.channels == 3 and name == "GIF":
        notes.append("GIF holds 256 colours: the others were replaced by near ones")
    return picture


def _kept_metadata(metadata: Metadata, name: str, form: Format, notes: list[str]) -> Metadata:
    """What of the metadata the format can hold."""
    icc, exif, xmp = metadata.icc, metadata.exif, metadata.xmp
    jpeg = name == "JPEG"
    if icc and not form.icc:
        notes.append(f"{name} holds no ICC profile: colours may look different")
        icc = None
    elif icc and name == "PNG" and len(icc) > _PNG_ICC:
        notes.append(f"ICC profile of {len(icc):,} bytes is too long for PNG: colours may look different")
        icc = None
    if exif and not form.exif:
        notes.append(f"{name} holds no EXIF")
        exif = None
    elif exif and jpeg and len(EXIF_PREFIX + exif) > _JPEG_SEGMENT:
        notes.append(f"EXIF of {len(exif):,} bytes is too long for JPEG and was dropped")
        exif = None
    elif exif and name in ("TIFF", "AVIF") and parsed(exif, descriptive_only=name == "TIFF") is None:
        notes.append(f"the broken EXIF cannot be written to {name} and was dropped")
        exif = None
    if xmp and not form.xmp:
        notes.append(f"{name} holds no XMP")
        xmp = None
    elif xmp and jpeg and len(xmp) > _JPEG_SEGMENT - 29:
        notes.append(f"XMP of {len(xmp):,} bytes is too long for JPEG and was dropped")
        xmp = None
    elif xmp and name == "PNG" and not _is_utf8(xmp):
        notes.append("XMP that is not UTF-8 cannot be written to PNG and was dropped")
        xmp = None
    return Metadata(icc, exif, xmp)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _arguments(metadata: Metadata, name: str) -> dict[str, Any]:
    """The metadata as the arguments that Pillow's writer of the format takes."""
    icc, exif, xmp = metadata.icc, metadata.exif, metadata.xmp
    arguments: dict[str, Any] = {}
    if icc:
        arguments["icc_profile"] = icc
    if name == "TIFF":
        from PIL import Image

        tags = (parsed(exif, descriptive_only=True) if exif else None) or Image.Exif()
        if xmp:
            tags[_XMP_TAG] = xmp
        return {**arguments, "tiffinfo": tags}
    if exif:
        arguments["exif"] = parsed(exif, descriptive_only=False) if name == "AVIF" else EXIF_PREFIX + exif
    if xmp and name == "PNG":
        from PIL.PngImagePlugin import PngInfo

        arguments["pnginfo"] = PngInfo()
        arguments["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode())
    elif xmp:
        arguments["xmp"] = xmp
    return arguments
