"""The formats that pictures are written in, and what each can hold."""

import os
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from cnnzip.errors import OutputFormatError


@dataclass(frozen=True)
class Format:
    """What a format holds, as far as Pillow writes it, and how it is asked to.

    `gray16` is 16-bit gray without alpha: Pillow writes nothing else deeper than 8 bits. The options are
    arguments of its writer; `color_options` are for RGB alone.
    """

    suffixes: tuple[str, ...]
    gray: bool = True
    alpha: bool = False
    gray16: bool = False
    icc: bool = False
    exif: bool = False
    xmp: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    color_options: dict[str, Any] = field(default_factory=dict)


# Decoding must not lose more than encoding did: lossless where that is the habit, else quality 95, 4:4:4.
FORMATS = {
    "PNG": Format(
        (".png",),
        alpha=True,
        gray16=True,
        icc=True,
        exif=True,
        xmp=True,
        # On photos 0.8 % larger than the default level, and 2.5 times as fast.
        options={"compress_level": 3},
    ),
    "JPEG": Format(
        (".jpg", ".jpeg", ".jpe", ".jfif"),
        icc=True,
        exif=True,
        xmp=True,
        options={"quality": 95},
        color_options={"subsampling": "4:4:4"},
    ),
    "WEBP": Format(
        (".webp",),
        gray=False,
        alpha=True,
        icc=True,
        exif=True,
        xmp=True,
        # "exact" keeps the colours below transparent pixels; the quality of a lossless file is only effort.
        options={"lossless": True, "exact": True, "quality": 50},
    ),
    "AVIF": Format(
        (".avif",),
        alpha=True,
        icc=True,
        exif=True,
        xmp=True,
        # Left to itself, libavif tiles by the number of processors, and the bytes would depend on them.
        options={"quality": 95, "autotiling": False},
        color_options={"subsampling": "4:4:4"},
    ),
    "TIFF": Format((".tif", ".tiff"), alpha=True, gray16=True, icc=True, exif=True, xmp=True),
    "BMP": Format((".bmp", ".dib")),
    "PPM": Format((".ppm", ".pgm", ".pnm"), gray16=True),
    "TGA": Format((".tga",), alpha=True),
    "GIF": Format((".gif",)),
    "JPEG2000": Format((".jp2",), alpha=True, gray16=True),
}

_BY_SUFFIX = {suffix: name for name, form in FORMATS.items() for suffix in form.suffixes}


def format_of(name: "str | os.PathLike[str]") -> str:
    """Pillow's name of the format that a file name's suffix stands for.

    Raises:
        OutputFormatError: the suffix is missing or stands for no format that can be written.
    """
    suffix = PurePath(name).suffix
    try:
        return _BY_SUFFIX[suffix.lower()]
    except KeyError:
        known = " ".join(sorted(_BY_SUFFIX))
        what = f"no format is known for the suffix '{suffix}'" if suffix else "the output name has no suffix"
        raise OutputFormatError(f"{what}; the known ones are {known}") from None


def lookup(name: str) -> Format:
    """The entry of a format by its name; OutputFormatError if there is none."""
    try:
        return FORMATS[name]
    except KeyError:
        raise OutputFormatError(f"'{name}' is no output format; the known ones are {' '.join(FORMATS)}") from None
