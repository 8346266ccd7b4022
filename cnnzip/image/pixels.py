"""A Pillow image of any mode → arrays of gray or RGB samples, and alpha."""

import io
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnzip.errors import PictureError
from cnnzip.image.picture import Samples

if TYPE_CHECKING:
    from PIL import Image


@dataclass
class Pixels:
    """Samples, and what happened to them; `srgb`: an embedded profile was used up and holds no longer."""

    color: Samples
    alpha: Samples | None = None
    notes: list[str] = field(default_factory=list)
    srgb: bool = False


def pixels_in_file(image: "Image.Image", data: bytes) -> Pixels | None:
    """The samples of an opened image where they lie in its file, without a copy: PGM and PPM of 8 bits a sample.

    The array cannot be written to. None for other files, and where `data` is cut off or not at hand.
    """
    tiles: list[Any] = list(getattr(image, "tile", ()))
    if image.format != "PPM" or len(tiles) != 1 or image.mode not in ("L", "RGB"):
        return None
    codec, _, offset, raw_mode = tiles[0]
    shape = (image.height, image.width, len(image.mode))
    if codec != "raw" or raw_mode != image.mode or len(data) - offset < math.prod(shape):
        return None
    return Pixels(np.frombuffer(data, np.uint8, math.prod(shape), offset).reshape(shape))


def to_pixels(image: "Image.Image", raw_mode: str) -> Pixels:
    """The samples of a loaded image; `raw_mode` is their layout in the file (see `depth.raw_mode`).

    Raises:
        PictureError: the mode has no 8-bit or 16-bit form.
    """
    mode = image.mode
    if mode.startswith("I"):
        return _integers(image, raw_mode)
    if mode == "F":
        raise PictureError("pictures of floating-point samples cannot be coded")
    if mode == "CMYK":
        return _cmyk(image)
    notes, srgb = [], False
    if mode in ("YCbCr", "LAB", "HSV"):
        notes.append(f"{mode} was converted to RGB, which rounds")
        srgb = mode == "LAB"
        image = image.convert("RGB")
    elif mode in ("La", "RGBa"):
        notes.append("premultiplied alpha was converted to straight alpha, which rounds")
        image = image.convert("LA" if mode == "La" else "RGBA")
    elif mode in ("P", "PA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif mode in ("1", "RGBX"):
        # The colour key is for the samples as they were: 0 and 255 mean the same in mode L.
        image = _converted(image, "L" if mode == "1" else "RGB")
    elif raw_mode == "LA;16B":
        # Pillow has no 8-bit reading of 16-bit gray with alpha but RGBA of three equal channels.
        image = image.convert("LA")
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        raise PictureError(f"pictures of mode {mode} cannot be coded")

    samples = np.asarray(image)
    samples = samples.reshape(*samples.shape[:2], -1)
    if image.mode.endswith("A"):
        color, alpha = np.ascontiguousarray(samples[..., :-1]), np.ascontiguousarray(samples[..., -1])
        return Pixels(color, alpha, notes, srgb)
    return Pixels(samples.copy(), _keyed(samples, image.info.get("transparency"), raw_mode), notes, srgb)


def _converted(image: "Image.Image", mode: str) -> "Image.Image":
    """The image in another mode, its colour key untouched: Pillow's `convert` would change it."""
    bare = image.copy()
    key = bare.info.pop("transparency", None)
    bare = bare.convert(mode)
    if key is not None:
        bare.info["transparency"] = key
    return bare


def _keyed(samples: Samples, key: Any, raw_mode: str) -> Samples | None:
    """The alpha of a colour key (PNG's tRNS): transparent where the samples equal it, else opaque.

    Pillow gives the key as it stands in the file, at the file's depth.
    """
    if isinstance(key, int):
        key = (key,)
    if not isinstance(key, tuple) or len(key) != samples.shape[2]:
        return None
    if samples.dtype == np.uint8:
        scale = {"L;2": 85, "L;4": 17}.get(raw_mode, 1)
        shift = 8 if ";16" in raw_mode else 0
        key = tuple((value >> shift) * scale & 0xFF for value in key)
    opaque = np.iinfo(samples.dtype).max
    return np.where((samples == key).all(axis=2), 0, opaque).astype(samples.dtype)


def _integers(image: "Image.Image", raw_mode: str) -> Pixels:
    """16-bit gray, from any of Pillow's modes I and I;16*."""
    samples = np.asarray(image)
    if samples.dtype.itemsize > 2 and (samples.min() < 0 or samples.max() > 65535):
        raise PictureError("pictures of 32-bit samples cannot be coded, other than those within 0..65535")
    color = samples.astype(np.uint16)[..., None]
    if raw_mode == "I;12":
        # Pillow leaves 12 bits at the dark end; repeating the high ones keeps white white, and can be undone.
        return Pixels(color * np.uint16(16) + color // np.uint16(256), notes=["12-bit gray was spread to 16 bits"])
    return Pixels(color, _keyed(color, image.info.get("transparency"), raw_mode))


def _cmyk(image: "Image.Image") -> Pixels:
    """CMYK as sRGB: through the embedded profile, else by Pillow's plain formula."""
    icc = image.info.get("icc_profile")
    note = "CMYK without a colour profile was converted to RGB by the plain formula"
    if icc:
        from PIL import ImageCms

        try:
            managed = ImageCms.profileToProfile(
                image, io.BytesIO(icc), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
            if managed is not None:
                return Pixels(np.array(managed), notes=["CMYK was converted to sRGB by its colour profile"], srgb=True)
        except (ImageCms.PyCMSError, OSError, ValueError):
            note = "CMYK with a broken colour profile was converted to RGB by the plain formula"
    return Pixels(np.array(image.convert("RGB")), notes=[note], srgb=True)
