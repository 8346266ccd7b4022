"""An image file, or a Pillow image, → a picture. What the file claims is checked before it is decoded."""

import importlib
import io
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from cnnzip import limits
from cnnzip.errors import CnnzipError, PictureError, PictureTooLargeError
from cnnzip.image import depth, metadata, png_chunks
from cnnzip.image.claims import claimed_sizes
from cnnzip.image.picture import Picture
from cnnzip.image.pixels import pixels_in_file, to_pixels
from cnnzip.image.warned import libtiff_words, pillow_warnings

if TYPE_CHECKING:
    from PIL import Image

# Format and the module of PIL that holds its plugin, the likely ones first: each is imported only when it
# comes to its turn. Left out are formats that run other programs (EPS), that are mere stubs (WMF, HDF5,
# GRIB, BUFR), and those of science and of games. TGA is last: it has no magic and is tried on anything.
_PLUGINS = {
    "PNG": "PngImagePlugin",
    "JPEG": "JpegImagePlugin",
    "WEBP": "WebPImagePlugin",
    "AVIF": "AvifImagePlugin",
    "TIFF": "TiffImagePlugin",
    "GIF": "GifImagePlugin",
    "BMP": "BmpImagePlugin",
    "PPM": "PpmImagePlugin",
    "JPEG2000": "Jpeg2KImagePlugin",
    "QOI": "QoiImagePlugin",
    "PSD": "PsdImagePlugin",
    "ICO": "IcoImagePlugin",
    "DDS": "DdsImagePlugin",
    "PCX": "PcxImagePlugin",
    "SGI": "SgiImagePlugin",
    "SUN": "SunImagePlugin",
    "TGA": "TgaImagePlugin",
}


class _LongTextError(PictureError):
    """A PNG's profile or texts are longer than Pillow reads: without them, it does."""


HEAD_BYTES = 16
"""So many of the first bytes tell the format."""

MAX_TIFF_FRAMES = 1000
"""More are not counted: Pillow takes a time that grows with the square of their number."""

_PILLOW_LIMIT_LOCK = threading.Lock()


def read(data: bytes, *, limit_pixels: int = limits.MAX_PIXELS) -> Picture:
    """The picture that an image file holds, whatever its name: the content tells the format.

    Raises:
        PictureTooLargeError: it has more than `limit_pixels` pixels, or a side beyond `limits.MAX_SIDE`.
        PictureError: it is damaged, of no known format, or of a kind that cannot be coded.
    """
    if not data:
        raise PictureError("the picture is empty: 0 bytes")
    for width, height in claimed_sizes(data):
        check_size(max(width, 1), max(height, 1), limit_pixels)
    try:
        return _read(data, limit_pixels)
    except _LongTextError as error:
        picture = _read(png_chunks.without_texts(data), limit_pixels)
        return replace(picture, notes=(*picture.notes, f"its colour profile and texts were dropped: {error}"))


def _read(data: bytes, limit_pixels: int) -> Picture:
    with pillow_warnings() as warned, _pillow_errors(warned), _open(data) as image:
        picture = _picture(image, data, limit_pixels, warned)
    return _with_warnings(picture, warned)


def recognises(head: bytes, name: str) -> bool:
    """Whether a file that begins with these bytes (`HEAD_BYTES` of them) looks like a picture that `read` can read.

    TGA has no magic: there the suffix of the name decides.
    """
    from PIL import Image

    for format_name, module in _PLUGINS.items():
        importlib.import_module(f"PIL.{module}")
        accept = Image.OPEN[format_name][1]
        if accept(head) if accept else name.lower().endswith(".tga"):
            return bool(head)
    return False


def from_pil(image: "Image.Image", *, limit_pixels: int = limits.MAX_PIXELS) -> Picture:
    """The picture that a Pillow image holds, by the same rules as `read`; of frames, the current one.

    Raises:
        PictureTooLargeError: as `read` does.
        PictureError: as `read` does.
    """
    with pillow_warnings() as warned, _pillow_errors(warned):
        picture = _picture(image, b"", limit_pixels, warned)
    return _with_warnings(picture, warned)


def _open(data: bytes) -> "Image.Image":
    """The image, opened but not decoded.

    This is `Image.open` without its limit on pixels, which warns on stderr and can only be set for the
    whole process.
    """
    from PIL import Image

    reason = None
    for name, module in _PLUGINS.items():
        importlib.import_module(f"PIL.{module}")
        factory, accept = Image.OPEN[name]
        verdict = accept(data[:HEAD_BYTES]) if accept else True
        if isinstance(verdict, str):  # its own, but this build of Pillow lacks the library
            reason = verdict
            continue
        if not verdict:
            continue
        try:
            return factory(io.BytesIO(data), "")
        except (SyntaxError, IndexError, TypeError, struct.error) as error:  # Pillow's ways to say "not mine"
            if accept:
                reason = f"the {name} picture is damaged or of an unsupported kind ({_one_line(error)})"
    raise PictureError(reason or "this is no picture of a known format")


def _picture(image: "Image.Image", data: bytes, limit_pixels: int, warned: list[str]) -> Picture:
    check_size(image.width, image.height, limit_pixels)
    bits = depth.stored_bits(image, data)
    raw_mode = depth.raw_mode(image)
    notes = _frame_notes(image)
    pixels = pixels_in_file(image, data)
    if pixels is None:
        by_libtiff = any(tile[0] == "libtiff" for tile in getattr(image, "tile", ()))
        with libtiff_words(warned) if by_libtiff else nullcontext():
            _load(image)
        # Plugins may learn the true size only now.
        check_size(image.width, image.height, limit_pixels)
        pixels = to_pixels(image, raw_mode)
    if bits > 8:
        notes.append(f"{bits}-bit samples were read as 8-bit: Pillow reads no more of this kind of picture")
    blocks, metadata_notes = metadata.collect(image)
    if pixels.srgb:
        blocks = replace(blocks, icc=None)
    return Picture(pixels.color, pixels.alpha, blocks, (*notes, *pixels.notes, *metadata_notes))


def _with_warnings(picture: Picture, warned: list[str]) -> Picture:
    """The picture with a note on what Pillow warned of, as a rule metadata that are damaged."""
    if not warned:
        return picture
    first, *others = dict.fromkeys(warned)
    more = f", and {len(others)} more" if others else ""
    return replace(picture, notes=(*picture.notes, f"Pillow warned of the file: {first[:200].rstrip('.')}{more}"))


def check_size(width: int, height: int, limit_pixels: int) -> None:
    """PictureError where there are no pixels, PictureTooLargeError where there are too many."""
    if width < 1 or height < 1:
        raise PictureError(f"the picture has no pixels: it is {width}×{height}")
    if max(width, height) > limits.MAX_SIDE:
        raise PictureTooLargeError(f"the picture is {width}×{height}; a side may have {limits.MAX_SIDE:,} pixels")
    if width * height > limit_pixels:
        raise PictureTooLargeError(
            f"the picture is {width}×{height}: {width * height:,} pixels, "
            f"and the limit is {limit_pixels:,} (--limit-pixels)"
        )


def _frame_notes(image: "Image.Image") -> list[str]:
    if image.format == "PSD":
        return ["only the merged picture is kept, not its layers"]
    frame = image.tell()
    try:
        frames = f"more than {MAX_TIFF_FRAMES:,}" if _is_long_tiff(image) else getattr(image, "n_frames", 1)
    except Exception:  # the frames behind this one are damaged; this one may be sound
        image.seek(frame)
        return ["only one frame is kept; others are damaged"]
    if frames == 1:
        return []
    return [f"only {'the first' if frame == 0 else f'number {frame + 1}'} of {frames} frames is kept"]


def _is_long_tiff(image: "Image.Image") -> bool:
    """Whether it is a TIFF with too many frames to count them."""
    if image.format != "TIFF":
        return False
    frame, info = image.tell(), dict(image.info)
    try:
        # One by one: the last frame has, for Pillow, the number that was asked for.
        for number in range(frame + 1, MAX_TIFF_FRAMES + 1):
            image.seek(number)
    except EOFError:
        return False
    finally:
        image.seek(frame)
        image.info = info  # Pillow leaves the profiles of other frames there
    return True


def _load(image: "Image.Image") -> None:
    """Decodes the pixels, of a size that was checked already."""
    from PIL import Image

    if Image.MAX_IMAGE_PIXELS is None or image.width * image.height <= Image.MAX_IMAGE_PIXELS:
        image.load()
        return
    # Some plugins check Pillow's own limit again. It is global: lift it only here, one thread at a time.
    with _PILLOW_LIMIT_LOCK:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            image.load()
        finally:
            Image.MAX_IMAGE_PIXELS = limit


@contextmanager
def _pillow_errors(warned: list[str]) -> Iterator[None]:
    """Turns whatever Pillow raises, and that can be anything, into one PictureError; libtiff's words are better."""
    from PIL import Image

    try:
        yield
    except CnnzipError:
        raise
    except Image.DecompressionBombError as error:
        raise PictureTooLargeError(f"the picture is too large for Pillow ({_one_line(error)})") from error
    except MemoryError as error:
        raise PictureError("there is not enough memory to read the picture") from error
    except Exception as error:
        if isinstance(error, ValueError) and "MAX_TEXT_" in str(error):
            raise _LongTextError(
                "a PNG's colour profile or text is longer than Pillow reads, 1 MiB each and 64 MiB together"
            ) from error
        known = str(error).startswith("decoder error") and warned
        raise PictureError(f"the picture is damaged ({warned[0][:200] if known else _one_line(error)})") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
