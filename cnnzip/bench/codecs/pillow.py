"""The codecs that come with Pillow, and JPEG XL by its plugin."""

import importlib.util
import io
from importlib.metadata import version as package_version
from typing import Any, ClassVar

import numpy as np
from PIL import Image, features

from cnnzip.bench.codecs.codec import Codec, Pixels


class PillowCodec(Codec):
    """A format of Pillow; the subclasses say which and how."""

    format: ClassVar[str]
    feature: ClassVar[str]
    library: ClassVar[str]

    @property
    def version(self) -> str:
        """The library, and the Pillow that carries it."""
        return f"{self.library} {features.version(self.feature)} (Pillow {package_version('pillow')})"

    @property
    def used_threads(self) -> int:
        """One: Pillow gives these libraries no more."""
        return 1

    def available(self) -> str | None:
        """Whether this Pillow was built with the library."""
        return None if features.check(self.feature) else f"this Pillow has no {self.library}"

    def options(self, quality: float) -> dict[str, Any]:
        """Arguments of Pillow's writer."""
        return {"quality": round(quality)}

    def encode(self, picture: Pixels, quality: float) -> bytes:
        """The file of `picture`."""
        file = io.BytesIO()
        Image.fromarray(picture).save(file, self.format, **self.options(quality))
        return file.getvalue()

    def decode(self, data: bytes) -> Pixels:
        """The picture in `data`."""
        with Image.open(io.BytesIO(data), formats=[self.format]) as image:
            return np.asarray(image.convert("RGB"))


class Jpeg(PillowCodec):
    """JPEG of libjpeg-turbo, as it is used most."""

    name, label, settings = "jpeg", "JPEG", "optimised Huffman tables, 4:2:0"
    format, feature, library = "JPEG", "libjpeg_turbo", "libjpeg-turbo"
    qualities: ClassVar[tuple[float, ...]] = (5, 10, 15, 20, 30, 40, 50, 60, 70, 75, 80, 85, 90, 95)
    subsampling = "4:2:0"

    def available(self) -> str | None:
        """JPEG may also be that of another library than libjpeg-turbo."""
        return None if features.check("jpg") else "this Pillow has no JPEG"

    def options(self, quality: float) -> dict[str, Any]:
        """Arguments of Pillow's writer."""
        return {"quality": round(quality), "optimize": True, "subsampling": self.subsampling}


class Jpeg444(Jpeg):
    """JPEG with colour at full resolution."""

    name, label, settings = "jpeg-444", "JPEG 4:4:4", "optimised Huffman tables, 4:4:4"
    qualities: ClassVar[tuple[float, ...]] = (5, 10, 15, 20, 30, 40, 50, 60, 70, 80, 85, 90)
    subsampling = "4:4:4"


class Webp(PillowCodec):
    """Lossy WebP at its slowest and best."""

    name, label, settings = "webp", "WebP", "method 6"
    format, feature, library = "WEBP", "webp", "libwebp"
    qualities: ClassVar[tuple[float, ...]] = (1, 5, 15, 30, 45, 60, 75, 85, 92, 97)

    def options(self, quality: float) -> dict[str, Any]:
        """Arguments of Pillow's writer."""
        return {"quality": round(quality), "method": 6}


class Avif(PillowCodec):
    """AVIF by libaom, as libavif sets it up: from 1.4 on tuned for how pictures look (`tune=iq`), not for PSNR."""

    name, label, settings = "avif", "AVIF", "aom, speed 6, 4:2:0"
    format, feature, library = "AVIF", "avif", "libavif"
    qualities: ClassVar[tuple[float, ...]] = (5, 15, 25, 35, 45, 55, 65, 75, 85, 92)
    subsampling = "4:2:0"

    @property
    def version(self) -> str:
        """libavif, and the libraries below it."""
        from PIL import _avif

        return f"{super().version}, {_avif.codec_versions()}"

    @property
    def used_threads(self) -> int:
        """AVIF is threaded."""
        return self.threads

    def options(self, quality: float) -> dict[str, Any]:
        """Arguments of Pillow's writer."""
        common = {"quality": round(quality), "speed": 6, "codec": "aom"}
        return {**common, "subsampling": self.subsampling, "max_threads": self.threads}

    def decode(self, data: bytes) -> Pixels:
        """The picture in `data`."""
        from PIL import AvifImagePlugin

        # The reader has no argument for it.
        AvifImagePlugin.DEFAULT_MAX_THREADS = self.threads
        return super().decode(data)


class Avif444(Avif):
    """AVIF with colour at full resolution."""

    name, label, settings = "avif-444", "AVIF 4:4:4", "aom, speed 6, 4:4:4"
    subsampling = "4:4:4"


class AvifPsnr(Avif444):
    """AVIF at its best in PSNR."""

    name, label, settings = "avif-psnr", "AVIF tune=psnr", "aom, speed 6, 4:4:4, tune=psnr"

    def options(self, quality: float) -> dict[str, Any]:
        """Arguments of Pillow's writer."""
        return {**super().options(quality), "advanced": {"tune": "psnr"}}


class Jpeg2000(PillowCodec):
    """JPEG 2000 by OpenJPEG. Its quality is the PSNR, in dB, that the encoder aims at, in its own colour space."""

    name, label, settings = "jpeg2000", "JPEG 2000", "irreversible 9/7 wavelet, colour transform, target PSNR"
    format, feature, library = "JPEG2000", "jpg_2000", "OpenJPEG"
    qualities: ClassVar[tuple[float, ...]] = (24, 26, 28, 30, 32, 34, 36, 38, 40, 43)

    def options(self, quality: float) -> dict[str, Any]:
        """Arguments of Pillow's writer."""
        # Without mct Pillow codes R, G and B apart, which no other program does.
        return {"quality_mode": "dB", "quality_layers": [quality], "irreversible": True, "mct": 1}


class Jxl(PillowCodec):
    """JPEG XL by pillow-jxl-plugin."""

    name, label, settings = "jxl", "JPEG XL", "effort 7"
    format, library = "JXL", "pillow-jxl-plugin"
    qualities: ClassVar[tuple[float, ...]] = (5, 20, 35, 50, 65, 75, 85, 90, 95)

    @property
    def version(self) -> str:
        """The plugin; libjxl is part of it."""
        return f"{self.library} {package_version(self.library)}"

    @property
    def used_threads(self) -> int:
        """JPEG XL is threaded."""
        return self.threads

    def available(self) -> str | None:
        """Whether the plugin is there."""
        return None if importlib.util.find_spec("pillow_jxl") else "pip install 'cnnzip[jxl]', or install cjxl and djxl"

    def options(self, quality: float) -> dict[str, Any]:
        """Arguments of the plugin's writer."""
        # To the plugin, no threads are the calling one alone.
        return {"quality": round(quality), "effort": 7, "num_threads": self.threads if self.threads > 1 else 0}

    def encode(self, picture: Pixels, quality: float) -> bytes:
        """The file of `picture`."""
        import pillow_jxl  # noqa: F401 — registers the format

        return super().encode(picture, quality)

    def decode(self, data: bytes) -> Pixels:
        """The picture in `data`."""
        from pillow_jxl import JpegXLImagePlugin

        JpegXLImagePlugin.DECODE_THREADS = self.threads if self.threads > 1 else 0
        return super().decode(data)
