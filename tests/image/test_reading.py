import io
import struct
import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from cnnzip import limits
from cnnzip.errors import PictureError, PictureTooLargeError
from cnnzip.image import HEAD_BYTES, from_pil, read, recognises
from cnnzip.image.depth import stored_bits


def test_the_package_imports_without_pillow():
    code = "import sys, cnnzip.image; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "name",
    ["PNG", "JPEG", "WEBP", "AVIF", "TIFF", "GIF", "BMP", "PPM", "JPEG2000", "ICO", "PCX", "SGI", "TGA"],
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_files_give_the_pixels_that_pillow_sees(parrots, file_of, name, mode):
    data = file_of(parrots.convert(mode), name)
    with Image.open(io.BytesIO(data)) as judge:
        as_gray = judge.mode == "L"
        expected = np.asarray(judge.convert("L" if as_gray else "RGB"))
    picture = read(data)
    assert np.array_equal(picture.color, expected[..., None] if as_gray else expected)
    assert picture.depth == 8
    assert picture.mode == ("gray" if as_gray else "RGB")
    assert picture.notes == ()


def test_size_and_words(lighthouse):
    picture = from_pil(lighthouse.convert("LA"))
    assert (picture.height, picture.width, picture.channels, picture.depth) == (96, 64, 1, 8)
    assert picture.mode == "gray+alpha"


def test_from_pil_leaves_the_image_alone(parrots):
    image = parrots.convert("P")
    image.info["transparency"] = 3
    before = image.tobytes(), dict(image.info), image.mode
    from_pil(image)
    assert (image.tobytes(), dict(image.info), image.mode) == before


def test_frames_beyond_the_first_are_announced(parrots, lighthouse, file_of):
    rest = [parrots.rotate(180), parrots.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    for name in ("GIF", "WEBP", "PNG", "AVIF", "TIFF", "MPO"):
        data = file_of(parrots, name, save_all=True, append_images=rest)
        picture = read(data)
        with Image.open(io.BytesIO(data)) as judge:
            assert np.array_equal(picture.color, np.asarray(judge.convert("RGB")))
        assert picture.notes == ("only the first of 3 frames is kept",)


def test_from_pil_keeps_the_current_frame(parrots, file_of):
    turned = parrots.rotate(180)
    with Image.open(io.BytesIO(file_of(parrots, "TIFF", save_all=True, append_images=[turned]))) as image:
        image.seek(1)
        picture = from_pil(image)
    assert np.array_equal(picture.color, np.asarray(turned))
    assert picture.notes == ("only number 2 of 2 frames is kept",)


def test_16_bit_gray_is_kept(file_of):
    values = np.arange(0, 65536, 32, dtype=np.uint16).reshape(32, 64)
    for name in ("PNG", "TIFF", "PPM", "JPEG2000"):
        picture = read(file_of(Image.fromarray(values), name))
        assert picture.color.dtype == np.uint16
        assert np.array_equal(picture.color[..., 0], values)
        assert picture.notes == ()


def test_big_endian_16_bit_gray_is_kept():
    values = (np.arange(6).reshape(2, 3) * 1000).astype(">u2")
    picture = from_pil(Image.frombytes("I;16B", (3, 2), values.tobytes()))
    assert picture.color.dtype == np.uint16
    assert picture.color[..., 0].tolist() == [[0, 1000, 2000], [3000, 4000, 5000]]


EIGHT_OF_16 = ("16-bit samples were read as 8-bit: Pillow reads no more of this kind of picture",)


def test_16_bit_color_is_announced(png_of):
    samples = (np.arange(24).reshape(2, 12) * 2500).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in samples)
    rgb = read(png_of(4, 2, 16, 2, rows))
    assert rgb.notes == EIGHT_OF_16
    assert np.array_equal(rgb.color, (samples >> 8).reshape(2, 4, 3))
    rgba = read(png_of(3, 2, 16, 6, rows))
    assert rgba.notes == EIGHT_OF_16
    assert np.array_equal(rgba.alpha, (samples >> 8).reshape(2, 3, 4)[..., 3])
    gray = read(png_of(6, 2, 16, 4, rows))
    assert gray.notes == EIGHT_OF_16
    assert gray.mode == "gray+alpha"
    assert np.array_equal(gray.color[..., 0], (samples >> 8)[:, ::2])
    ppm = read(b"P6 4 2 65535\n" + samples.tobytes())
    assert ppm.notes == EIGHT_OF_16
    ten = read(b"P6 1 1 1023\n" + bytes(6))
    assert ten.notes[0].startswith("10-bit samples were read as 8-bit")


def test_16_bit_color_in_tiff_is_announced():
    entries = [
        (256, 3, 1, 2), (257, 3, 1, 1), (258, 3, 3, 8), (259, 3, 1, 1), (262, 3, 1, 2),
        (273, 4, 1, 200), (277, 3, 1, 3), (278, 3, 1, 1), (279, 4, 1, 12),
    ]  # fmt: skip
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    data = b"II*\0" + struct.pack("<I", 14) + struct.pack("<3H", 16, 16, 16) + directory + bytes(4)
    picture = read(data.ljust(200, b"\0") + struct.pack("<6H", 0, 256, 512, 65535, 1, 257))
    assert picture.color.tolist() == [[[0, 1, 2], [255, 0, 1]]]
    assert picture.notes == EIGHT_OF_16


def test_deep_jpeg2000_and_avif_are_announced(parrots, file_of):
    class Deep:
        """A Pillow image of which only the file is asked."""

        mode, tile = "RGB", ()

    for name, marker, offset, value, bits in [
        ("AVIF", b"av1C", 6, 0x40, 10),
        ("AVIF", b"av1C", 6, 0x60, 12),
        ("JPEG2000", b"\xff\x4f\xff\x51", 42, 11, 12),
    ]:
        data = bytearray(file_of(parrots, name))
        image = Deep()
        image.format = name
        assert stored_bits(image, bytes(data)) == 8
        data[data.index(marker) + offset] = value
        assert stored_bits(image, bytes(data)) == bits


def test_12_bit_gray_fills_16_bits():
    entries = [
        (256, 3, 1, 2), (257, 3, 1, 1), (258, 3, 1, 12), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, 1, 200), (277, 3, 1, 1), (278, 3, 1, 1), (279, 4, 1, 3),
    ]  # fmt: skip
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    data = b"II*\0" + struct.pack("<I", 8) + directory + bytes(4)
    picture = read(data.ljust(200, b"\0") + b"\xff\xf8\x01")
    assert picture.color.tolist() == [[[0xFFFF], [0x8018]]]
    assert picture.notes == ("12-bit gray was spread to 16 bits",)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"\0" * 1000, "no picture of a known format"),
        (b"hello, world\n", "no picture of a known format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "no picture of a known format"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "no picture of a known format"),
        (b"GRIB" + bytes(100), "no picture of a known format"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (b"GIF89a\0\0\0\0\0\0\0", "damaged|no pixels"),
        (b"BM" + bytes(60), "damaged"),
        (b"P6\n-3 4\n255\n", "damaged|no pixels"),
        (b"II*\0\xff\xff\xff\xff", "damaged"),
    ],
)
@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_what_is_no_picture_is_refused(data, message):
    with pytest.raises(PictureError, match=message) as caught:
        read(data)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF", "BMP", "PPM", "JPEG2000", "TGA"])
def test_truncated_files_are_refused(parrots, file_of, name):
    data = file_of(parrots, name)
    with pytest.raises(PictureError):
        read(data[: len(data) * 2 // 3])


def test_sizes_are_checked_before_decoding(parrots, file_of, png_of):
    jpeg = bytearray(file_of(parrots, "JPEG"))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", 65500, 65500)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(PictureTooLargeError, match=r"65500×65500: 4,290,250,000 pixels.* 178,956,970"):
            read(bytes(jpeg))
        with pytest.raises(PictureTooLargeError, match="limit is 6,143"):
            read(file_of(parrots, "PNG"), limit_pixels=96 * 64 - 1)
        with pytest.raises(PictureTooLargeError, match="100000×1; a side may have 65,535"):
            read(png_of(100_000, 1, 8, 0, b""))
    assert read(file_of(parrots, "PNG"), limit_pixels=96 * 64).width == 96


def test_an_image_without_pixels_is_refused():
    with pytest.raises(PictureError, match="no pixels: it is 0×5"):
        from_pil(Image.new("RGB", (0, 5)))


def test_pillows_own_limit_neither_stops_nor_stays_changed(parrots, file_of, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    tiff = file_of(parrots, "TIFF")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(read(tiff).color, np.asarray(parrots))
        with pytest.raises(PictureError):
            read(tiff[:-1000])
    assert Image.MAX_IMAGE_PIXELS == 1000


def test_metadata_limits_hold(parrots, file_of, monkeypatch):
    monkeypatch.setattr(limits, "MAX_METADATA_BYTES", 5000)
    picture = read(file_of(parrots, "WEBP", icc_profile=bytes(5001), exif=b"II*\0" + bytes(4996), xmp=b"x" * 6000))
    assert picture.metadata.icc is None
    assert picture.metadata.exif == b"II*\0" + bytes(4996)
    assert picture.metadata.xmp is None
    assert picture.notes == (
        "ICC profile of 5,001 bytes was dropped: more than 5,000",
        "XMP of 6,000 bytes was dropped: more than 5,000",
    )


@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF", "GIF", "BMP", "PPM", "QOI", "JPEG2000"])
def test_pictures_are_recognised_by_content(parrots, name):
    out = io.BytesIO()
    parrots.save(out, name)
    assert recognises(out.getvalue()[:HEAD_BYTES], "name.txt")


def test_what_is_no_picture_is_not_recognised():
    for head in (b"", b"text that is long enough", b"\xc3CNZ\r\n\x1a\n\x01", bytes(HEAD_BYTES)):
        assert not recognises(head, "name.png")
    # It has no magic.
    assert recognises(bytes(2) + b"\x02" + bytes(13), "name.TGA")


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_plain_samples_in_a_file_are_not_copied(parrots, file_of, mode):
    data = file_of(parrots.convert(mode), "PPM")
    found = read(data)
    assert np.shares_memory(found.color, np.frombuffer(data, np.uint8))
    assert np.array_equal(found.color.squeeze(), np.asarray(parrots.convert(mode)))
    assert np.array_equal(read(data + b"behind").color, found.color)
    assert np.array_equal(read(data.replace(b"\n", b"\n# why not\n", 1)).color, found.color)
    with pytest.raises(PictureError, match="truncated"):
        read(data[:-1])


def test_other_samples_in_a_file_are_converted(parrots, file_of):
    data = file_of(parrots, "PPM").replace(b"255", b"127", 1)
    with Image.open(io.BytesIO(data)) as judge:
        assert np.array_equal(read(data).color, np.asarray(judge))
