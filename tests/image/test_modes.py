import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from cnnzip.errors import PictureError
from cnnzip.image import from_pil, read


def test_bilevel_becomes_gray(parrots):
    bilevel = parrots.convert("1")
    picture = from_pil(bilevel)
    assert picture.mode == "gray"
    assert np.array_equal(picture.color[..., 0], np.asarray(bilevel) * np.uint8(255))


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_is_kept(parrots, mode):
    image = parrots.convert(mode)
    mask = Image.linear_gradient("L").resize(image.size)
    image.putalpha(mask)
    picture = from_pil(image)
    assert np.array_equal(picture.alpha, np.asarray(mask))
    assert np.array_equal(picture.color.squeeze(), np.asarray(parrots.convert(mode[:-1])))
    assert picture.alpha.flags.c_contiguous
    assert picture.color.flags.c_contiguous
    assert picture.notes == ()


def test_opaque_alpha_is_alpha(parrots):
    assert (from_pil(parrots.convert("RGBA")).alpha == 255).all()
    assert from_pil(parrots.convert("RGBX")).alpha is None


@pytest.mark.parametrize("mode", ["La", "RGBa"])
def test_premultiplied_alpha_is_divided_out(mode):
    plain = Image.new("LA" if mode == "La" else "RGBA", (2, 2), (200, 100) if mode == "La" else (200, 90, 0, 100))
    picture = from_pil(plain.convert(mode))
    assert (picture.alpha == 100).all()
    assert abs(int(picture.color[0, 0, 0]) - 200) <= 2
    assert picture.notes == ("premultiplied alpha was converted to straight alpha, which rounds",)


def test_palettes_become_colours(parrots, file_of):
    indexed = parrots.quantize(16)
    for data in (file_of(indexed, "PNG"), file_of(indexed, "GIF"), file_of(indexed, "BMP")):
        picture = read(data)
        assert picture.mode == "RGB"
        assert np.array_equal(picture.color, np.asarray(indexed.convert("RGB")))


@pytest.mark.parametrize("key", [3, bytes(range(0, 160, 10))])
def test_transparent_palettes_get_alpha(parrots, file_of, key):
    indexed = parrots.quantize(16)
    picture = read(file_of(indexed, "PNG", transparency=key))
    table = np.full(256, 255, np.uint8)
    if isinstance(key, int):
        table[key] = 0
    else:
        table[: len(key)] = list(key)
    assert picture.mode == "RGB+alpha"
    assert np.array_equal(picture.alpha, table[np.asarray(indexed)])


def test_palette_with_alpha_band(parrots):
    indexed = parrots.quantize(16).convert("PA")
    indexed.putalpha(77)
    assert (from_pil(indexed).alpha == 77).all()


def test_colour_keys_become_alpha(parrots, file_of):
    key = parrots.getpixel((10, 10))
    picture = read(file_of(parrots, "PNG", transparency=key))
    assert np.array_equal(picture.alpha == 0, (np.asarray(parrots) == key).all(axis=2))
    assert set(np.unique(picture.alpha)) == {0, 255}
    gray = parrots.convert("L")
    picture = read(file_of(gray, "PNG", transparency=gray.getpixel((10, 10))))
    assert np.array_equal(picture.alpha == 0, np.asarray(gray) == gray.getpixel((10, 10)))
    assert np.array_equal(picture.color[..., 0], np.asarray(gray))


@pytest.mark.parametrize(("bits", "top"), [(1, 1), (2, 3), (4, 15)])
def test_colour_keys_of_shallow_gray_are_in_units_of_the_file(png_of, bits, top):
    samples = b"\0" + bytes([top << (8 - bits)])  # a white sample, then a black one
    picture = read(png_of(2, 1, bits, 0, samples, (b"tRNS", struct.pack(">H", top))))
    assert picture.color.ravel().tolist() == [255, 0]
    assert picture.alpha.tolist() == [[0, 255]]


def test_colour_key_of_16_bit_rgb(png_of):
    rows = b"\0" + struct.pack(">6H", 256, 512, 768, 256, 512, 1024)
    picture = read(png_of(2, 1, 16, 2, rows, (b"tRNS", struct.pack(">3H", 256, 512, 768))))
    assert picture.alpha.tolist() == [[0, 255]]


def test_colour_key_of_16_bit_gray(file_of):
    values = np.array([[5, 256, 65535]], np.uint16)
    picture = read(file_of(Image.fromarray(values), "PNG", transparency=256))
    assert picture.alpha.tolist() == [[65535, 0, 65535]]
    assert picture.alpha.dtype == np.uint16


def test_integers_within_16_bits_are_kept():
    picture = from_pil(Image.fromarray(np.array([[0, 65535]], np.int32)))
    assert picture.color.dtype == np.uint16
    assert picture.color.ravel().tolist() == [0, 65535]


@pytest.mark.parametrize("value", [-1, 65536])
def test_integers_beyond_16_bits_are_refused(value):
    with pytest.raises(PictureError, match="32-bit samples"):
        from_pil(Image.fromarray(np.array([[0, value]], np.int32)))


def test_floats_are_refused(file_of):
    image = Image.new("F", (3, 3), 0.5)
    with pytest.raises(PictureError, match="floating-point"):
        from_pil(image)
    with pytest.raises(PictureError, match="floating-point"):
        read(file_of(image, "TIFF"))


@pytest.mark.parametrize("mode", ["YCbCr", "LAB", "HSV"])
def test_other_colour_spaces_are_converted_aloud(parrots, mode):
    other = ImageCms.profileToProfile(
        parrots, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    ) if mode == "LAB" else parrots.convert(mode)  # fmt: skip
    other.info["icc_profile"] = b"profile"
    picture = from_pil(other)
    assert np.abs(picture.color.astype(int) - np.asarray(parrots)).mean() < 3
    assert picture.notes == (f"{mode} was converted to RGB, which rounds",)
    assert picture.metadata.icc == (None if mode == "LAB" else b"profile")


def gray_cmyk_profile() -> bytes:
    """An ICC profile under which every mixture of inks is a neutral gray, the darker the more ink."""
    lut = b"mft1" + bytes(4) + bytes([4, 3, 2, 0])
    lut += b"".join(struct.pack(">i", round(v * 65536)) for v in (1, 0, 0, 0, 1, 0, 0, 0, 1))
    lut += bytes(range(256)) * 4
    for corner in range(16):
        lut += bytes([255 - 60 * corner.bit_count(), 128, 128])
    lut += bytes(range(256)) * 3
    tags = struct.pack(">I4sII", 1, b"A2B0", 128 + 16, len(lut))
    head = struct.pack(">I4xI4s4s4s12x4s", 144 + len(lut), 0x02400000, b"prtr", b"CMYK", b"Lab ", b"acsp")
    head = head.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + tags + lut


def test_cmyk_goes_through_its_profile(parrots, file_of):
    cmyk = parrots.convert("CMYK")
    for name in ("JPEG", "TIFF"):
        picture = read(file_of(cmyk, name, icc_profile=gray_cmyk_profile()))
        assert picture.mode == "RGB"
        assert picture.notes == ("CMYK was converted to sRGB by its colour profile",)
        assert picture.metadata.icc is None
        spread = picture.color.max(axis=2).astype(int) - picture.color.min(axis=2)
        assert spread.max() <= 2
        assert np.ptp(picture.color) > 50


def test_cmyk_without_a_good_profile_is_converted_plainly(parrots, file_of):
    cmyk = parrots.convert("CMYK")
    picture = read(file_of(cmyk, "TIFF"))
    assert np.array_equal(picture.color, np.asarray(cmyk.convert("RGB")))
    assert picture.notes == ("CMYK without a colour profile was converted to RGB by the plain formula",)
    wrong = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (b"broken" * 30, wrong, gray_cmyk_profile()[:150]):
        picture = read(file_of(cmyk, "TIFF", icc_profile=profile))
        assert np.array_equal(picture.color, np.asarray(cmyk.convert("RGB")))
        assert picture.notes == ("CMYK with a broken colour profile was converted to RGB by the plain formula",)
        assert picture.metadata.icc is None


def test_lazily_opened_images_are_judged_like_files(parrots, file_of):
    data = file_of(parrots, "PNG")
    with pytest.raises(PictureError, match="damaged"):
        from_pil(Image.open(io.BytesIO(data[: len(data) // 2])))
    assert np.array_equal(from_pil(Image.open(io.BytesIO(data))).color, read(data).color)
