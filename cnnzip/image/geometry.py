"""Cropping, resizing and turning gray on the way in: a picture → a picture.

All of it works on the picture as viewers show it: the EXIF orientation is applied first, and the metadata say so.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cnnzip import limits
from cnnzip.errors import PictureError
from cnnzip.image.metadata import EXIF_PREFIX, parsed
from cnnzip.image.orientation import orientation, turned, upright_xmp
from cnnzip.image.picture import Metadata, Picture, Samples
from cnnzip.image.reading import check_size

CROP = re.compile(r"(\d{1,9})x(\d{1,9})\+(\d{1,9})\+(\d{1,9})", re.ASCII)
PERCENT = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)%", re.ASCII)
SIDES = re.compile(r"(\d{1,9})?x(\d{1,9})?([>!])?", re.ASCII)

_ORIENTATION, _EXIF_IFD = 0x0112, 0x8769
_EXIF_SIZE = {0xA002: "width", 0xA003: "height"}

LUMA = (19595, 38470, 7471)
"""Rec. 601 luma in parts of 65,536, as Pillow and ImageMagick turn RGB gray."""


@dataclass(frozen=True)
class Crop:
    """A rectangle in pixels: its size, and how far its corner is from the left and from the top."""

    width: int
    height: int
    left: int
    top: int

    @classmethod
    def parse(cls, text: str) -> "Crop":
        """`WxH+X+Y`; ValueError where it is not."""
        match = CROP.fullmatch(text)
        if not match or 0 in (int(match[1]), int(match[2])):
            raise ValueError(f"takes WxH+X+Y in pixels, such as 640x480+10+20, not '{text}'")
        return cls(*map(int, match.groups()))

    def __str__(self) -> str:
        return f"{self.width}x{self.height}+{self.left}+{self.top}"


@dataclass(frozen=True)
class Resize:
    """A new size: a `factor`, or a box to fit into, whose sides may be open."""

    factor: float | None = None
    width: int | None = None
    height: int | None = None
    only_shrink: bool = False
    exact: bool = False
    """Both sides as given, whatever becomes of the proportions."""

    @classmethod
    def parse(cls, text: str) -> "Resize":
        """`50%`, `1024x`, `x768` or `1024x768`, the last three also with `>`, the last with `!`; else ValueError."""
        if (match := PERCENT.fullmatch(text)) and float(match[1]) > 0:
            return cls(factor=float(match[1]) / 100)
        if match := SIDES.fullmatch(text):
            width, height = (int(side) if side else None for side in match.group(1, 2))
            given = [side for side in (width, height) if side is not None]
            if given and all(given) and (match[3] != "!" or len(given) == 2):
                return cls(None, width, height, only_shrink=match[3] == ">", exact=match[3] == "!")
        raise ValueError(f"takes 50%, 1024x, x768, 1024x768, '1024x768>' or '1024x768!', not '{text}'")

    def of(self, width: int, height: int) -> tuple[int, int]:
        """The new size of a picture of `width` × `height` pixels; at least 1×1."""
        if self.exact and self.width and self.height:
            return self.width, self.height
        sides = ((self.width, width), (self.height, height))
        factor = self.factor or min(new / old for new, old in sides if new)
        if self.only_shrink and factor > 1:
            return width, height
        return max(1, int(width * factor + 0.5)), max(1, int(height * factor + 0.5))


def prepare(
    picture: Picture,
    *,
    crop: Crop | None = None,
    resize: Resize | None = None,
    grayscale: bool = False,
    limit_pixels: int = limits.MAX_PIXELS,
) -> Picture:
    """The picture turned upright, then cropped, then resized, then turned gray; its notes say what that changed.

    Raises:
        PictureError: the crop is not within the picture.
        PictureTooLargeError: it would have more than `limit_pixels` pixels, or a side beyond `limits.MAX_SIDE`.
    """
    notes = list(picture.notes)
    if orientation(picture.metadata) != 1:
        notes.append("the orientation was applied to the pixels")
    picture = turned(picture)
    if crop:
        picture = _cropped(picture, crop)
    if resize:
        size = resize.of(picture.width, picture.height)
        check_size(*size, limit_pixels)
        if size[0] > picture.width or size[1] > picture.height:
            old = f"{picture.width}×{picture.height}"
            notes.append(f"the picture was enlarged from {old} to {size[0]}×{size[1]}, which adds no detail")
        picture = _resized(picture, *size)
    metadata = _renewed(picture, notes)
    if grayscale and picture.channels == 3:
        picture = replace(picture, color=luma(picture.color))
        if metadata.icc and metadata.icc[16:20] == b"RGB ":
            notes.append("the colour profile is one of RGB: it went with the colours")
            metadata = replace(metadata, icc=None)
    return replace(picture, metadata=metadata, notes=tuple(notes))


def stored(crop: Crop, width: int, height: int, metadata: Metadata) -> tuple[slice, slice]:
    """Rows and columns, as they are stored, of a rectangle of the picture as viewers show it.

    Args:
        crop: the rectangle.
        width: of the stored picture.
        height: of the stored picture.
        metadata: which tell the orientation.

    Raises:
        PictureError: the crop is not within the picture.
    """
    way = orientation(metadata)
    shown = (height, width) if way >= 5 else (width, height)
    right, bottom = crop.left + crop.width, crop.top + crop.height
    if right > shown[0] or bottom > shown[1]:
        raise PictureError(f"the crop {crop} is not within the picture of {shown[0]}×{shown[1]}")
    rows, columns = slice(crop.top, bottom), slice(crop.left, right)
    # `orientation.turn` backwards: first what it did last.
    if way in (2, 3, 6, 7):
        columns = slice(shown[0] - columns.stop, shown[0] - columns.start)
    if way in (3, 4, 7, 8):
        rows = slice(shown[1] - rows.stop, shown[1] - rows.start)
    return (columns, rows) if way >= 5 else (rows, columns)


def reduced(plane: Samples, factor: int) -> Samples:
    """A plane (H, W) as the means of `factor` × `factor` samples, (⌈H / factor⌉, ⌈W / factor⌉), rounded."""
    height, width = plane.shape
    padded = np.pad(plane, ((0, -height % factor), (0, -width % factor)), mode="edge")
    cells = padded.reshape(padded.shape[0] // factor, factor, padded.shape[1] // factor, factor)
    return _samples(cells.mean(axis=(1, 3), dtype=np.float32), plane.dtype)


def luma(color: Samples) -> Samples:
    """RGB (H, W, 3) as gray (H, W, 1) of the same depth; gray as it is."""
    if color.shape[2] == 1:
        return color
    # The sum of 16-bit samples just stays below 2^32.
    total = sum((color[..., c].astype(np.uint32) * np.uint32(LUMA[c]) for c in range(3)), np.uint32(1 << 15))
    gray: Samples = (np.asarray(total) >> np.uint32(16)).astype(color.dtype)[..., None]
    return gray


def _cropped(picture: Picture, crop: Crop) -> Picture:
    right, bottom = crop.left + crop.width, crop.top + crop.height
    if right > picture.width or bottom > picture.height:
        raise PictureError(f"the crop {crop} is not within the picture of {picture.width}×{picture.height}")
    return _mapped(picture, lambda samples: samples[crop.top : bottom, crop.left : right].copy())


def _mapped(picture: Picture, change: Callable[[Samples], Samples]) -> Picture:
    alpha = None if picture.alpha is None else change(picture.alpha)
    return replace(picture, color=change(picture.color), alpha=alpha)


def _resized(picture: Picture, width: int, height: int) -> Picture:
    """By Lanczos at the full depth; colours weigh as much as they are opaque, so that hidden ones do not bleed."""
    if (width, height) == (picture.width, picture.height):
        return picture
    top = 2**picture.depth - 1
    dtype = picture.color.dtype
    planes = [picture.color[..., c] for c in range(picture.channels)]
    if picture.alpha is None or picture.alpha.min() == top:
        resized = [_lanczos(plane.astype(np.float32), width, height) for plane in planes]
        alpha = None if picture.alpha is None else np.full((height, width), top, dtype)
    else:
        opacity = picture.alpha.astype(np.float32) / np.float32(top)
        new_opacity = _lanczos(opacity, width, height)
        # Below half a step of alpha nothing is seen, and the quotient would be noise.
        seen = new_opacity * top >= 0.5
        resized = [
            np.where(
                seen,
                _lanczos(plane * opacity, width, height) / np.maximum(new_opacity, 0.5 / top),
                _lanczos(plane.astype(np.float32), width, height),
            )
            for plane in planes
        ]
        alpha = _samples(new_opacity * top, dtype)
    return replace(picture, color=np.stack([_samples(plane, dtype) for plane in resized], axis=2), alpha=alpha)


def _lanczos(plane: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    from PIL import Image

    return np.asarray(Image.fromarray(plane).resize((width, height), Image.Resampling.LANCZOS))


def _samples(plane: NDArray[np.float32], dtype: "np.dtype[np.uint8 | np.uint16]") -> Samples:
    return np.clip(np.rint(plane), 0, np.iinfo(dtype).max).astype(dtype)


def _renewed(picture: Picture, notes: list[str]) -> Metadata:
    """The metadata for new pixels, which are upright: no thumbnail of the old ones, no old size."""
    metadata = picture.metadata
    exif = metadata.exif
    if exif:
        tags = parsed(exif, descriptive_only=False)
        if tags is None:
            notes.append("the broken EXIF was dropped: it could not be changed with the pixels")
            exif = None
        else:
            if _ORIENTATION in tags:
                tags[_ORIENTATION] = 1
            details = tags.get_ifd(_EXIF_IFD)
            details.update({tag: getattr(picture, side) for tag, side in _EXIF_SIZE.items() if tag in details})
            exif = tags.tobytes().removeprefix(EXIF_PREFIX)
    return replace(metadata, exif=exif, xmp=upright_xmp(metadata.xmp) if metadata.xmp else None)
