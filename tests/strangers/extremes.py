"""Extreme pictures, made here: what each must give, and words that its error or its notes must hold."""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

EXTREMES: "list[Extreme]" = []


@dataclass(frozen=True)
class Extreme:
    """A file that is made when it is needed; `outcome` is "coded" or the type of the error."""

    name: str
    outcome: str
    words: str
    make: Callable[[], bytes]


def add(name: str, outcome: str, words: str, make: Callable[[], bytes]) -> None:
    """One more."""
    EXTREMES.append(Extreme(name, outcome, words, make))


def make_extremes(folder: Path) -> dict[Path, Extreme]:
    """Write them all into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {folder / extreme.name: extreme for extreme in EXTREMES}
    for path, extreme in files.items():
        path.write_bytes(extreme.make())
    return files


def noise(height: int, width: int, channels: int = 3) -> Image.Image:
    """What no model knows."""
    samples = np.random.default_rng(0).integers(0, 256, (height, width, channels), np.uint8)
    return Image.fromarray(samples.squeeze(2) if channels == 1 else samples)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """Pillow's file of an image."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png(
    width: int,
    height: int,
    rows: bytes,
    *chunks: tuple[bytes, bytes],
    depth: int = 8,
    kind: int = 0,
    passes: int = 0,
    idat: bytes = b"",
) -> bytes:
    """A PNG by hand, of filtered rows or of what they are deflated to, with further chunks before them."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, passes)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", idat or zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def tiff(*tags: tuple[int, int, int, int], data: bytes = b"") -> bytes:
    """A little-endian TIFF of one directory by hand; `data` lies at 1000."""
    entries = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4)
    return head.ljust(1000, b"\0") + data


def gray_tiff(width: int = 4, height: int = 4, *tags: tuple[int, int, int, int], data: bytes = bytes(16)) -> bytes:
    """8-bit gray in one strip, with further tags or others instead."""
    plain = {256: (256, 4, 1, width), 257: (257, 4, 1, height), 258: (258, 3, 1, 8), 259: (259, 3, 1, 1)}
    plain |= {262: (262, 3, 1, 1), 273: (273, 4, 1, 1000), 277: (277, 3, 1, 1), 278: (278, 4, 1, height)}
    plain |= {279: (279, 4, 1, len(data))} | {tag[0]: tag for tag in tags}
    return tiff(*plain.values(), data=data)


@cache
def bomb() -> bytes:
    """64 MiB, deflated."""
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(1 << 6)) + packer.flush()


def with_exif(block: bytes, kind: str = "JPEG") -> bytes:
    """A small picture with that EXIF."""
    return saved(noise(16, 24), kind, exif=b"Exif\0\0" + block)


def exif(*tags: tuple[int, int, int, int]) -> bytes:
    """An EXIF block of these tags."""
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + b"".join(struct.pack("<HHII", *t) for t in tags) + bytes(4)


def animated(kind: str) -> bytes:
    """Three frames."""
    return saved(noise(16, 24), kind, save_all=True, append_images=[noise(16, 24).rotate(180), noise(16, 24, 3)])


def many_frames() -> bytes:
    """A TIFF of 20,000 frames."""
    one = gray_tiff()
    directory = one[8 : 10 + 9 * 12]
    size, base = len(directory) + 4, len(one)
    head = bytearray(one)
    head[10 + 9 * 12 : 14 + 9 * 12] = struct.pack("<I", base)
    links = [*(base + size * (number + 1) for number in range(19_998)), 0]
    return bytes(head) + b"".join(directory + struct.pack("<I", link) for link in links)


def jpeg_of(width: int, height: int) -> bytes:
    """A small JPEG that claims to be of another size."""
    data = bytearray(saved(noise(16, 24), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def icon_of(data: bytes) -> bytes:
    """An icon that says 16×16, and holds this PNG."""
    return struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(data), 22) + data


# fmt: off
# Sizes and samples.
add("one-pixel.png", "coded", "", lambda: saved(noise(1, 1), "PNG"))
add("longest-row.png", "coded", "", lambda: saved(noise(1, 65535, 1), "PNG"))
add("longest-column.png", "coded", "", lambda: saved(noise(65535, 1, 1), "PNG"))
add("too-long.png", "PictureTooLargeError", "65,535", lambda: saved(Image.new("1", (65536, 1)), "PNG"))
add("black.png", "coded", "", lambda: saved(Image.new("RGB", (512, 512)), "PNG"))
add("noise.png", "coded", "", lambda: saved(noise(64, 64), "PNG"))
add("noise-4.png", "coded", "", lambda: saved(noise(64, 64, 4), "PNG"))
add("bilevel.tif", "coded", "", lambda: saved(noise(31, 33, 1).convert("1"), "TIFF", compression="group4"))
add("plain.pbm", "coded", "", lambda: b"P1 3 2\n1 0 1 0 1 0\n")
add("transparent.gif", "coded", "", lambda: saved(noise(16, 24).quantize(16), "GIF", transparency=3))
add("invisible.png", "coded", "", lambda: saved(Image.new("RGBA", (33, 17)), "PNG"))
add("16-bit.png", "coded", "16-bit", lambda: png(2, 2, (b"\0" + bytes(range(12))) * 2, depth=16, kind=2))
add("16-bit-interlaced.png", "coded", "", lambda: png(1, 1, b"\0\x12\x34", depth=16, passes=1))
add("16-bit.tif", "coded", "", lambda: gray_tiff(4, 2, (258, 3, 1, 16)))
add("32-bit.tif", "PictureError", "32-bit", lambda: gray_tiff(2, 2, (258, 3, 1, 32), data=b"\xff\xff\xff\x7f" * 4))
add("float.tif", "PictureError", "floating-point", lambda: saved(Image.new("F", (4, 4), 0.5), "TIFF"))
add("cmyk.jpg", "coded", "without a colour profile", lambda: saved(noise(16, 24).convert("CMYK"), "JPEG"))
add("cmyk-broken-profile.jpg", "coded", "broken colour profile",
    lambda: saved(noise(16, 24).convert("CMYK"), "JPEG", icc_profile=b"no profile" * 20))
add("lab.tif", "coded", "LAB", lambda: saved(Image.frombytes("LAB", (2, 2), bytes(range(100, 112))), "TIFF"))

# Metadata.
add("orientation-0.jpg", "coded", "", lambda: with_exif(exif((0x0112, 3, 1, 0))))
add("orientation-9.jpg", "coded", "", lambda: with_exif(exif((0x0112, 3, 1, 9))))
add("orientation-9.webp", "coded", "", lambda: with_exif(exif((0x0112, 3, 1, 9)), "WEBP"))
add("orientation-of-letters.jpg", "coded", "", lambda: with_exif(exif((0x0112, 2, 1, 6))))
add("exif-of-noise.jpg", "coded", "", lambda: with_exif(noise(10, 10).tobytes()))
add(
    "exif-beyond-its-end.jpg",
    "coded",
    "Pillow warned of the file: Tag data larger than file",
    lambda: with_exif(exif((0x010F, 2, 0x7FFFFFFF, 0x7FFFFFFF))),
)
add("exif-in-a-circle.jpg", "coded", "", lambda: with_exif(exif((0x8769, 4, 1, 8), (0xA005, 4, 1, 8))))
add("exif-cut-off.webp", "coded", "", lambda: with_exif(exif((0x0112, 3, 1, 6))[:11], "WEBP"))
add("icc-of-20-MB.tif", "coded", "ICC profile of 20,000,000 bytes was dropped",
    lambda: saved(noise(16, 24), "TIFF", icc_profile=bytes(20_000_000)))
add("icc-of-20-MB.webp", "coded", "ICC profile of 20,000,000 bytes was dropped",
    lambda: saved(noise(16, 24), "WEBP", icc_profile=bytes(20_000_000)))
add("icc-of-10-MB.jpg", "coded", "ICC profile of 10,000,000 bytes was dropped",
    lambda: saved(noise(16, 24), "JPEG", icc_profile=bytes(10_000_000)))
add("icc-of-64-MiB.png", "coded", "dropped: a PNG's colour profile or text is longer",
    lambda: png(1, 1, bytes(2), (b"iCCP", b"x\0\0" + bomb())))
add("text-of-64-MiB.png", "coded", "dropped: a PNG's colour profile or text is longer",
    lambda: png(1, 1, bytes(2), (b"zTXt", b"x\0\0" + bomb())))
add("xmp-of-64-MiB.png", "coded", "dropped: a PNG's colour profile or text is longer",
    lambda: png(1, 1, bytes(2), (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb())))
add("texts-of-100-MB.png", "coded", "64 MiB together",
    lambda: png(1, 1, bytes(2), *[(b"zTXt", b"x\0\0" + zlib.compress(bytes(1_000_000)))] * 100))

# Claims.
add("claims-60000.png", "PictureTooLargeError", "60000×60000", lambda: png(60000, 60000, b""))
add("claims-all.png", "PictureTooLargeError", "2147483647", lambda: png(2**31 - 1, 2**31 - 1, b""))
add("claims-60000.jpg", "PictureTooLargeError", "60000×60000", lambda: jpeg_of(60000, 60000))
add("claims-nothing.jpg", "PictureError", "", lambda: jpeg_of(0, 0))
add("claims-60000.gif", "PictureTooLargeError", "60000×60000",
    lambda: saved(noise(16, 24), "GIF").replace(b"\x18\0\x10\0", struct.pack("<HH", 60000, 60000), 1))
add("claims-60000.bmp", "PictureTooLargeError", "60000×60000",
    lambda: b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 60000, 60000, 1, 24, 0, 0, 0, 0, 0, 0))
add("claims-60000.ppm", "PictureTooLargeError", "60000×60000", lambda: b"P6 60000 60000 255\n")
add("claims-60000.ico", "PictureTooLargeError", "60000×60000", lambda: icon_of(png(60000, 60000, b"")))
add("claims-15000.ico", "PictureTooLargeError", "15000×15000", lambda: icon_of(png(15000, 15000, b"", idat=bomb())))
add("claims-16384.webp", "PictureTooLargeError", "16384×16384",
    lambda: b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\x10\0\0\0" + b"\xff\x3f\0" * 2)
add("claims-60000.tif", "PictureTooLargeError", "60000×60000", lambda: gray_tiff(60000, 60000))
add("claims-2000.tif", "PictureError", "", lambda: gray_tiff(2000, 2000))
add("claims-no-rows.tif", "PictureError", "", lambda: gray_tiff(4, 0))
add("strips-at-the-end-of-the-world.tif", "PictureError", "", lambda: gray_tiff(4, 4, (273, 4, 1, 0xFFFFFFFF)))
add("a-billion-strips.tif", "PictureError", "", lambda: gray_tiff(4, 4, (273, 4, 10**9, 8), (279, 4, 10**9, 8)))
add("a-billion-samples.tif", "PictureError", "", lambda: gray_tiff(4, 4, (258, 3, 10**9, 8), (277, 3, 1, 65535)))
add("tiles-of-60000.tif", "PictureError", "",
    lambda: gray_tiff(64, 64, (322, 4, 1, 60000), (323, 4, 1, 60000), (324, 4, 1, 1000), (325, 4, 1, 16)))
add("not-deflated.tif", "PictureError", "ZIPDecode", lambda: gray_tiff(4, 4, (259, 3, 1, 8)))
add("deflated-64-MiB.tif", "coded", "",
    lambda: gray_tiff(4, 4, (259, 3, 1, 8), data=bomb()))
add("rows-of-64-MiB.png", "coded", "", lambda: png(4, 4, b"", idat=bomb()))
add("20000-frames.tif", "coded", "more than 1,000 frames", many_frames)

# Frames.
for kind in ("GIF", "PNG", "WEBP", "AVIF", "TIFF"):
    add(f"animated.{kind.lower()}", "coded", "only the first of 3 frames", lambda kind=kind: animated(kind))

# What is cut off, or is none.
for kind in ("PNG", "JPEG", "WEBP", "AVIF", "TIFF", "BMP", "JPEG2000", "QOI"):
    add(f"half.{kind.lower()}", "PictureError", "",
        lambda kind=kind: (whole := saved(noise(64, 64), kind))[: len(whole) // 2])
add("empty.png", "PictureError", "0 bytes", lambda: b"")
add("text.png", "PictureError", "no picture", lambda: b"hello\n" * 100)
add("drawing.svg", "PictureError", "no picture", lambda: b'<svg xmlns="http://www.w3.org/2000/svg" width="9"/>\n')
add("page.eps", "PictureError", "no picture", lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n")
# fmt: on
