"""Cropping, resizing and turning gray."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageCms

from cnnzip.errors import PictureError, PictureTooLargeError
from cnnzip.image import Crop, Metadata, Picture, Resize, from_pil, prepare, read


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        ("50%", (96, 64), (48, 32)),
        ("12.5%", (96, 64), (12, 8)),
        ("150%", (5, 3), (8, 5)),
        ("0.001%", (96, 64), (1, 1)),
        ("48x", (96, 64), (48, 32)),
        ("1000x", (96, 64), (1000, 667)),
        ("x32", (96, 64), (48, 32)),
        ("x7", (96, 64), (11, 7)),
        ("48x48", (96, 64), (48, 32)),
        ("48x48", (64, 96), (32, 48)),
        ("200x128", (96, 64), (192, 128)),
        ("48x48!", (96, 64), (48, 48)),
        ("200x128>", (96, 64), (96, 64)),
        ("200x>", (96, 64), (96, 64)),
        ("x32>", (96, 64), (48, 32)),
        ("1x", (3, 1000), (1, 333)),
        ("10x10", (5000, 1), (10, 1)),
        ("96x64", (96, 64), (96, 64)),
    ],
)
def test_sizes_keep_the_proportions(text: str, old: tuple[int, int], new: tuple[int, int]) -> None:
    assert Resize.parse(text).of(*old) == new


@pytest.mark.parametrize("side", range(1, 400, 7))
def test_a_given_side_is_exact(side: int) -> None:
    for width, height in ((96, 64), (97, 61), (333, 1000)):
        assert Resize.parse(f"{side}x").of(width, height)[0] == side
        assert Resize.parse(f"x{side}").of(width, height)[1] == side


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "50",
        "0%",
        "-5%",
        "%",
        "0x",
        "x0",
        "0x5",
        "5x0",
        "5x!",
        "x5!",
        "50%>",
        "5x5<",
        "1e3x",
        "5 x5",
        "5X5",
        "٥x",
        "nan%",
    ],
)
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=r"^takes 50%, 1024x, x768, 1024x768, '1024x768>' or '1024x768!', not '"):
        Resize.parse(text)


@pytest.mark.parametrize(
    "text", ["", "5x5", "5x5+1", "0x5+0+0", "5x0+0+0", "5x5-1+0", "5x5+1+2!", "x5+0+0", "5x5+1+2+3"]
)
def test_what_is_no_crop(text: str) -> None:
    with pytest.raises(ValueError, match=r"^takes WxH\+X\+Y in pixels, such as 640x480\+10\+20, not '"):
        Crop.parse(text)


def test_nothing_asked_changes_nothing(parrots: Image.Image) -> None:
    picture = from_pil(parrots)
    same = prepare(picture)
    assert np.array_equal(same.color, picture.color)
    assert (same.notes, same.metadata) == (picture.notes, picture.metadata)


@pytest.mark.parametrize("alpha", [False, True])
def test_crop(alpha: bool) -> None:
    rng = np.random.default_rng(0)
    color = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    picture = Picture(color, rng.integers(0, 256, (20, 30), dtype=np.uint8) if alpha else None)
    cut = prepare(picture, crop=Crop.parse("7x5+3+2"))
    assert np.array_equal(cut.color, color[2:7, 3:10])
    assert (cut.alpha is None) == (not alpha)
    if alpha:
        assert np.array_equal(cut.alpha, picture.alpha[2:7, 3:10])
    whole = prepare(picture, crop=Crop.parse("30x20+0+0"))
    assert np.array_equal(whole.color, color)
    assert prepare(picture, crop=Crop.parse("1x1+29+19")).color.tolist() == color[19:, 29:].tolist()


@pytest.mark.parametrize("text", ["31x20+0+0", "30x21+0+0", "30x20+1+0", "30x20+0+1", "1x1+30+0", "1x1+0+20"])
def test_a_crop_that_is_not_within_the_picture(text: str) -> None:
    with pytest.raises(PictureError) as caught:
        prepare(Picture(np.zeros((20, 30, 3), np.uint8)), crop=Crop.parse(text))
    assert str(caught.value) == f"the crop {text} is not within the picture of 30×20"


def test_resizing_is_pillows_lanczos(parrots: Image.Image) -> None:
    small = prepare(from_pil(parrots), resize=Resize.parse("40x"))
    theirs = np.asarray(parrots.resize((40, 27), Image.Resampling.LANCZOS)).astype(int)
    assert np.abs(small.color.astype(int) - theirs).max() <= 1
    assert small.notes == ()


def test_16_bits_stay_16_bits() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)
    picture = from_pil(Image.fromarray(np.repeat(ramp[None], 16, axis=0)))
    small = prepare(picture, resize=Resize.parse("64x"))
    assert (small.depth, small.channels, small.notes) == (16, 1, ())
    expected = ramp.reshape(64, 4).mean(axis=1)
    # At both ends the kernel is cut off.
    assert np.abs(small.color[1, 4:-4, 0].astype(float) - expected[4:-4]).max() < 2
    assert len(np.unique(small.color.astype(int) % 256)) > 16


def test_both_ends_of_the_range_stay() -> None:
    """Lanczos overshoots at edges: the samples must not wrap around."""
    for dtype in (np.uint8, np.uint16):
        color = np.zeros((32, 32, 3), dtype)
        color[:, 16:] = np.iinfo(dtype).max
        grown = prepare(Picture(color), resize=Resize.parse("300%")).color / np.iinfo(dtype).max
        assert grown[:, :40].max() < 0.1
        assert grown[:, 56:].min() > 0.9


def test_enlarging_is_told() -> None:
    grown = prepare(Picture(np.zeros((2, 3, 3), np.uint8)), resize=Resize.parse("x5"))
    assert grown.notes == ("the picture was enlarged from 3×2 to 8×5, which adds no detail",)


def test_hidden_colours_do_not_bleed() -> None:
    color = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    alpha = np.full((16, 16), 255, np.uint8)
    color[:, 7:] = (0, 255, 0)
    alpha[:, 7:] = 0
    small = prepare(Picture(color, alpha), resize=Resize.parse("4x"))
    seen = small.alpha > 0
    assert 0 < small.alpha[:, 1].min() < 255  # the edge lies within a new pixel
    assert np.abs(small.color[seen].astype(int) - (200, 100, 50)).max() <= 1
    assert small.alpha.shape == (4, 4)


def test_opaque_alpha_stays_opaque() -> None:
    picture = Picture(np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8), np.full((9, 9), 255, np.uint8))
    small = prepare(picture, resize=Resize.parse("5x"))
    assert (small.alpha == 255).all()
    assert np.array_equal(small.color, prepare(replace(picture, alpha=None), resize=Resize.parse("5x")).color)


def test_limits_hold_before_anything_is_allocated() -> None:
    picture = Picture(np.zeros((2, 2, 3), np.uint8))
    for text in ("999999999%", "999999999x", "40000x40000!", "70000x1!"):
        with pytest.raises(PictureTooLargeError):
            prepare(picture, resize=Resize.parse(text))
    with pytest.raises(PictureTooLargeError):
        prepare(picture, resize=Resize.parse("10x"), limit_pixels=99)
    assert prepare(picture, resize=Resize.parse("10x"), limit_pixels=100).width == 10


def test_gray_is_pillows(parrots: Image.Image) -> None:
    gray = prepare(from_pil(parrots), grayscale=True)
    assert (gray.mode, gray.depth) == ("gray", 8)
    assert np.array_equal(gray.color[..., 0], np.asarray(parrots.convert("L")))


def test_gray_of_16_bits_does_not_overflow() -> None:
    color = np.array([[[65535, 65535, 65535], [0, 65535, 0], [65535, 0, 0], [0, 0, 0]]], np.uint16)
    gray = prepare(Picture(color), grayscale=True)
    assert gray.color[0, :, 0].tolist() == [65535, 38469, 19595, 0]


def test_gray_stays_as_it_is_and_alpha_goes_along() -> None:
    alpha = np.arange(6, dtype=np.uint8).reshape(2, 3)
    picture = Picture(np.ones((2, 3, 1), np.uint8), alpha)
    assert np.array_equal(prepare(picture, grayscale=True).color, picture.color)
    assert np.array_equal(prepare(Picture(np.ones((2, 3, 3), np.uint8), alpha), grayscale=True).alpha, alpha)


def test_gray_has_no_profile_of_rgb() -> None:
    rgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = Picture(np.zeros((2, 2, 3), np.uint8), metadata=Metadata(icc=rgb))
    gray = prepare(picture, grayscale=True)
    assert (gray.metadata.icc, gray.notes) == (None, ("the colour profile is one of RGB: it went with the colours",))
    assert prepare(picture, crop=Crop.parse("1x1+0+0")).metadata.icc == rgb


def test_crop_comes_before_resize() -> None:
    color = np.zeros((40, 40, 3), np.uint8)
    color[:, 20:] = (250, 10, 10)
    done = prepare(Picture(color), crop=Crop.parse("20x20+20+0"), resize=Resize.parse("50%"), grayscale=True)
    assert (done.width, done.height, done.channels) == (10, 10, 1)
    assert len(np.unique(done.color)) == 1


@pytest.fixture
def turned_file(parrots: Image.Image) -> bytes:
    """A photo 96×64 that viewers show 64×96, with a thumbnail, its size, and an XMP packet."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Maker"
    exif.get_ifd(0x8769).update({0xA002: 96, 0xA003: 64, 0x829A: 0.01})
    out = io.BytesIO()
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r tiff:Orientation="6"/></x:xmpmeta>'
    parrots.save(out, "PNG", exif=exif, xmp=xmp)
    return out.getvalue()


def test_geometry_is_of_the_picture_as_shown(turned_file: bytes, parrots: Image.Image) -> None:
    picture = read(turned_file)
    assert (picture.width, picture.height) == (96, 64)
    cut = prepare(picture, crop=Crop.parse("60x90+2+3"))
    shown = np.asarray(parrots.transpose(Image.Transpose.ROTATE_270))
    assert np.array_equal(cut.color, shown[3:93, 2:62])
    assert "the orientation was applied to the pixels" in cut.notes


def test_metadata_say_what_the_pixels_are(turned_file: bytes) -> None:
    small = prepare(read(turned_file), resize=Resize.parse("32x"))
    exif = Image.Exif()
    exif.load(b"Exif\0\0" + small.metadata.exif)
    assert (exif[0x0112], exif[0x010F]) == (1, "Maker")
    details = exif.get_ifd(0x8769)
    assert (details[0xA002], details[0xA003], float(details[0x829A])) == (32, 48, 0.01)
    if small.metadata.xmp:
        assert b'tiff:Orientation="1"' in small.metadata.xmp


def test_a_thumbnail_of_what_was_cut_away_is_not_kept(parrots: Image.Image) -> None:
    """Whoever crops a face away does not want it in the EXIF."""
    import struct

    thumbnail = b"\xff\xd8 the whole picture \xff\xd9"
    first = struct.pack("<HHHIHHI", 1, 0x0112, 3, 1, 1, 0, 26)  # the next directory is at 26
    second = struct.pack("<HHHIIHHIII", 2, 0x0201, 4, 1, 56, 0x0202, 4, 1, len(thumbnail), 0)
    exif = b"II*\0" + struct.pack("<I", 8) + first + second + thumbnail
    picture = replace(from_pil(parrots), metadata=Metadata(exif=exif))
    assert b"the whole picture" not in prepare(picture, crop=Crop.parse("5x5+0+0")).metadata.exif


def test_broken_exif_is_dropped_aloud(parrots: Image.Image) -> None:
    picture = replace(from_pil(parrots), metadata=Metadata(exif=b"no TIFF"))
    cut = prepare(picture, crop=Crop.parse("5x5+0+0"))
    assert cut.metadata.exif is None
    assert cut.notes == ("the broken EXIF was dropped: it could not be changed with the pixels",)
