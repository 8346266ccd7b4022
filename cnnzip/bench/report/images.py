"""The pictures of the viewer: made again, and packed into as few bytes as show them exactly."""

import hashlib
import io
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnzip.errors import CnnzipError

Pixels = NDArray[np.uint8]
T = TypeVar("T")

BUDGET_BYTES = 42 << 20
"""For all pictures together before base64, which makes 56 MiB of it: browsers open that without a pause."""
LARGEST_PIXELS = 1024 * 768
"""More is shown as a crop: screens do not show more of it side by side."""
LEAST_PIXELS = 320 * 320
"""Where the budget would ask for smaller crops, fewer pictures are shown instead."""
BYTES_A_PIXEL = 0.8
"""Of a decoded photograph as lossless WebP, roughly."""
WEBP_METHOD = 4  # 6 takes 30 times as long for 2 % (0.2 s and 7 s for a Kodak picture)
WEBP = "image/webp"
THUMBNAIL = (288, 96)
"""Pixels at most: the strip is 64 px high, and screens have up to two pixels a px."""


@dataclass(frozen=True)
class Crop:
    """The part of a picture that is shown."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def middle(cls, width: int, height: int, pixels: float) -> "Crop":
        """The middle of a picture, of the same shape and at most `pixels` large."""
        scale = min(1.0, math.sqrt(pixels / (width * height)))
        w, h = max(1, round(scale * width)), max(1, round(scale * height))
        return cls((width - w) // 2, (height - h) // 2, w, h)

    def of(self, picture: Pixels) -> Pixels:
        """This part of an (H, W, 3) picture."""
        return picture[self.y : self.y + self.height, self.x : self.x + self.width]


@dataclass(frozen=True)
class Version:
    """What a codec, or whatever the report compares, makes of a picture."""

    codec: str
    make: Callable[[], tuple[bytes, Pixels]]
    """The coded file, empty where there is none, and RGB of the picture's shape. May raise anything."""
    metrics: dict[str, float]
    details: str
    """For people."""
    note: str
    """How it differs from what it is compared with, short."""


@dataclass(frozen=True)
class Exhibit:
    """A picture with its versions."""

    name: str
    original: Callable[[], Pixels]
    """RGB of 8 bits (H, W, 3); raises CnnzipError where it is gone."""
    versions: tuple[Version, ...]


@dataclass
class Gallery:
    """What the viewer gets: its pictures as JSON, the data by identity, and what could not be shown."""

    pictures: list[dict[str, Any]] = field(default_factory=list)
    thumbnails: list[bytes] = field(default_factory=list)
    """WebP, one a picture."""
    blobs: dict[str, bytes] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    omitted: int = 0
    """Pictures that the budget leaves out."""

    def keep(self, data: bytes) -> str:
        """The identity of `data`; equal data is kept once."""
        identity = hashlib.sha256(data).hexdigest()[:16]
        self.blobs[identity] = data
        return identity


def gallery(exhibits: list[Exhibit], budget: int = BUDGET_BYTES) -> Gallery:
    """Make all versions; a version or a picture that fails is named in `problems` and left out."""
    result = Gallery()
    chosen = _affordable(exhibits, budget)
    result.omitted = len(exhibits) - len(chosen)
    for i, exhibit in enumerate(chosen):
        left = budget - sum(len(data) for data in result.blobs.values())
        try:
            _add(result, exhibit, left / (len(chosen) - i))
        except CnnzipError as error:
            result.problems.append(f"{exhibit.name}: {error}")
    return result


def _affordable(exhibits: list[Exhibit], budget: int) -> list[Exhibit]:
    """As many as have room with crops of the least size, evenly from all of them."""
    if not exhibits:
        return []
    versions = max(len(exhibit.versions) for exhibit in exhibits) + 1
    room = int(budget / (LEAST_PIXELS * BYTES_A_PIXEL * versions))
    return evenly(exhibits, max(room, 1))


def evenly(things: list[T], most: int) -> list[T]:
    """At most so many, from all over the list."""
    count = min(len(things), most)
    return [things[i * len(things) // count] for i in range(count)]


def _add(result: Gallery, exhibit: Exhibit, share: float) -> None:
    """Make one picture in all its versions and put it into the gallery, in about `share` bytes."""
    original = exhibit.original()
    height, width = original.shape[:2]
    made: list[tuple[Version, bytes, Pixels]] = []
    for version in exhibit.versions:
        try:
            coded, decoded = version.make()
        except Exception as error:  # a codec may raise anything; the others are still shown
            reason = " ".join(str(error).split()) or type(error).__name__
            result.problems.append(f"{version.codec} of {exhibit.name}: {reason}")
            continue
        if decoded.shape != original.shape:
            result.problems.append(f"{version.codec} of {exhibit.name}: decoded to another size")
            continue
        made.append((version, coded, decoded))

    crop = Crop.middle(width, height, LARGEST_PIXELS)
    packed = _pack(crop, original, made)
    size = sum(len(data) for data, _, _ in packed)
    if size > share:
        crop = Crop.middle(width, height, max(LEAST_PIXELS, crop.width * crop.height * share / size))
        packed = _pack(crop, original, made)

    images = [{"blob": result.keep(data), "type": kind, "whole": whole} for data, kind, whole in packed]
    details = [
        {"codec": one.codec, "metrics": finite(one.metrics), "details": one.details, "note": one.note}
        for one, _, _ in made
    ]
    cropped = (crop.width, crop.height) != (width, height)
    result.pictures.append(
        {
            "name": exhibit.name,
            "width": width,
            "height": height,
            "crop": {"x": crop.x, "y": crop.y, "width": crop.width, "height": crop.height},
            "note": f"its middle {crop.width} × {crop.height} is shown, all figures are of the whole" * cropped,
            "original": images[0],
            "versions": [image | detail for image, detail in zip(images[1:], details, strict=True)],
        }
    )
    result.thumbnails.append(_thumbnail(original))


def _pack(crop: Crop, original: Pixels, made: list[tuple[Version, bytes, Pixels]]) -> list[tuple[bytes, str, bool]]:
    """(data, MIME type, whether it is whole) of the original and each version."""
    packed = [(_lossless(crop.of(original)), WEBP, False)]
    for _, coded, decoded in made:
        kind = native_type(coded)
        shown = None
        # Of a large picture, even the codec's own file is larger than the part that is shown.
        if kind is None or crop.of(original).shape != original.shape:
            shown = _lossless(crop.of(decoded))
        if kind and (shown is None or len(coded) <= len(shown)):
            packed.append((coded, kind, True))
        elif shown is not None:
            packed.append((shown, WEBP, False))
    return packed


def native_type(data: bytes) -> str | None:
    """The MIME type of a file that browsers decode by themselves."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return WEBP
    if data[4:12] == b"ftypavif":
        return "image/avif"
    return None


def finite(metrics: dict[str, float]) -> dict[str, float | None]:
    """Metrics for JSON, which has no infinity: None stands for it."""
    return {name: value if math.isfinite(value) else None for name, value in metrics.items()}


def _lossless(pixels: Pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "WEBP", lossless=True, method=WEBP_METHOD)
    return file.getvalue()


def _thumbnail(pixels: Pixels) -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(pixels)
    image.thumbnail(THUMBNAIL)
    image.save(file, "WEBP", quality=70)
    return file.getvalue()
