import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from cnnzip.errors import OutputFormatError
from cnnzip.image import Metadata, Picture, format_of, from_pil, read, strip, to_pil, write

LOSSLESS = ["PNG", "WEBP", "TIFF", "BMP", "PPM", "TGA", "JPEG2000"]
CARRIERS = ["PNG", "JPEG", "WEBP", "AVIF", "TIFF"]
BARE = ["BMP", "PPM", "TGA", "GIF", "JPEG2000"]
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>\xc3\xa9</x:xmpmeta>"


def exif_of(orientation: int | None = None) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "A maker"
    if orientation is not None:
        exif[0x0112] = orientation
    exif[0x8769] = {0x829A: 0.5, 0x9003: "2024:01:02 03:04:05"}
    return exif.tobytes().removeprefix(b"Exif\0\0")


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("name", LOSSLESS)
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "LA"])
def test_lossless_formats_keep_every_sample(parrots, name, mode):
    image = parrots.convert(mode)
    if mode.endswith("A"):
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    picture = from_pil(image)
    if mode.endswith("A") and name in ("BMP", "PPM"):
        with pytest.raises(OutputFormatError, match=f"{name} cannot hold the picture's alpha; these can: PNG"):
            write(picture, name)
        return
    data, notes = write(picture, name)
    back = read(data)
    gray_lost = name == "WEBP" and picture.channels == 1
    assert notes == (("WEBP has no gray: it was written as RGB",) if gray_lost else ())
    assert np.array_equal(back.color, np.broadcast_to(picture.color, back.color.shape))
    assert back.channels == (3 if gray_lost else picture.channels)
    assert (back.alpha is None) == (picture.alpha is None)
    assert picture.alpha is None or np.array_equal(back.alpha, picture.alpha)


@pytest.mark.parametrize(("name", "worst"), [("JPEG", 8), ("AVIF", 14)])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_lossy_formats_lose_little(parrots, name, worst, mode):
    picture = from_pil(parrots.convert(mode))
    data, notes = write(picture, name)
    back = read(data)
    assert notes == ()
    assert back.mode == picture.mode
    assert np.abs(back.color.astype(int) - picture.color).mean() < 2
    assert np.abs(back.color.astype(int) - picture.color).max() <= 3 * worst


def test_jpeg_keeps_full_resolution_colour(parrots):
    data, _ = write(from_pil(parrots), "JPEG")
    assert [part[1:3] for part in opened(data).layer] == [(1, 1)] * 3


def test_avif_keeps_alpha_exactly(parrots):
    image = parrots.convert("RGBA")
    image.putalpha(parrots.convert("L").point(lambda value: 255 if value > 100 else 0))
    assert read(write(from_pil(image), "AVIF")[0]).mode == "RGB+alpha"


def test_gif_says_that_it_has_few_colours(parrots):
    data, notes = write(from_pil(parrots), "GIF")
    assert notes == ("GIF holds 256 colours: the others were replaced by near ones",)
    assert opened(data).size == (96, 64)
    assert write(from_pil(parrots.convert("L")), "GIF")[1] == ()


@pytest.mark.parametrize("name", ["PNG", "TIFF", "PPM", "JPEG2000"])
def test_16_bit_gray_is_kept(name):
    picture = Picture(np.arange(0, 65536, 32, dtype=np.uint16).reshape(32, 64, 1))
    data, notes = write(picture, name)
    assert notes == ()
    assert np.array_equal(read(data).color, picture.color)


def test_16_bits_are_rounded_aloud_where_they_do_not_fit():
    values = np.array([0, 128, 129, 257 * 200, 65535, 65406], np.uint16)
    gray = Picture(values.reshape(2, 3, 1))
    data, notes = write(gray, "BMP")
    assert notes == ("16-bit gray was rounded to 8 bits for BMP",)
    assert read(data).color.ravel().tolist() == [0, 0, 1, 200, 255, 254]
    color = Picture(values.reshape(1, 2, 3), alpha=np.array([[65535, 0]], np.uint16))
    data, notes = write(color, "PNG")
    assert notes == ("16-bit RGB+alpha was rounded to 8 bits for PNG",)
    assert read(data).alpha.tolist() == [[255, 0]]


def test_opaque_alpha_is_left_out_where_it_must(parrots):
    picture = from_pil(parrots.convert("RGBA"))
    data, notes = write(picture, "JPEG")
    assert notes == ("JPEG holds no alpha; it was opaque everywhere",)
    assert read(data).mode == "RGB"


@pytest.mark.parametrize("name", CARRIERS)
def test_metadata_are_carried(parrots, name):
    metadata = Metadata(icc=b"a profile" * 9000, exif=exif_of(), xmp=XMP)
    data, notes = write(Picture(np.asarray(parrots), metadata=metadata), name)
    assert notes == ()
    back = read(data)
    assert back.notes == ()
    assert back.metadata.icc == metadata.icc
    assert back.metadata.xmp == metadata.xmp
    if name != "TIFF":
        assert back.metadata.exif == metadata.exif
    exif = Image.Exif()
    exif.load(b"Exif\0\0" + back.metadata.exif)
    assert exif[0x010F] == "A maker"
    assert exif.get_ifd(0x8769) == {0x829A: 0.5, 0x9003: "2024:01:02 03:04:05"}


@pytest.mark.parametrize("name", BARE)
def test_metadata_that_cannot_be_carried_are_announced(parrots, name):
    metadata = Metadata(icc=b"profile", exif=exif_of(), xmp=XMP)
    _, notes = write(Picture(np.asarray(parrots.convert("L"))[..., None], metadata=metadata), name)
    assert notes == (
        f"{name} holds no ICC profile: colours may look different",
        f"{name} holds no EXIF",
        f"{name} holds no XMP",
    )


@pytest.mark.parametrize("name", [*CARRIERS, *BARE])
@pytest.mark.parametrize("way", range(1, 9))
def test_orientation_is_applied_once(parrots, name, way):
    picture = Picture(np.asarray(parrots), metadata=Metadata(exif=exif_of(way)))
    upright = np.asarray(ImageOps.exif_transpose(to_pil(picture))).astype(int)
    data, notes = write(picture, name)
    carried = name in CARRIERS
    assert ("the orientation was applied to the pixels" in notes) == (not carried and way != 1)
    if carried and name != "TIFF":  # Pillow turns TIFF itself
        assert opened(data).size == parrots.size
        assert opened(data).getexif().get(0x0112, 1) == way
    shown = np.asarray(ImageOps.exif_transpose(opened(data)).convert("RGB"))
    assert shown.shape == upright.shape
    assert np.abs(shown - upright).mean() < (0.01 if name in LOSSLESS else 6 if name == "GIF" else 2)
    again = np.asarray(ImageOps.exif_transpose(opened(write(read(data), "BMP")[0])))
    assert np.array_equal(again, shown)


@pytest.mark.parametrize("way", range(1, 9))
def test_strip_turns_and_drops_all_but_colour(parrots, way):
    image = parrots.convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    image.info |= {"exif": b"Exif\0\0" + exif_of(way), "icc_profile": b"profile", "xmp": XMP}
    bare = strip(from_pil(image))
    upright = np.asarray(ImageOps.exif_transpose(image))
    assert np.array_equal(np.dstack([bare.color, bare.alpha]), upright)
    assert bare.color.flags.c_contiguous
    assert bare.metadata == Metadata(icc=b"profile")


def test_orientation_in_xmp_counts_where_exif_is_silent(parrots):
    xmp = b'<rdf:Description tiff:Orientation="6"/>'
    picture = Picture(np.asarray(parrots), metadata=Metadata(xmp=xmp))
    upright = np.asarray(ImageOps.exif_transpose(to_pil(picture)))
    assert upright.shape == (96, 64, 3)
    assert np.array_equal(read(write(picture, "BMP")[0]).color, upright)
    assert np.array_equal(read(write(picture, "PNG")[0]).color, picture.color)
    with_exif = Picture(picture.color, metadata=Metadata(exif=exif_of(1), xmp=xmp))
    assert np.array_equal(strip(with_exif).color, picture.color)


@pytest.mark.parametrize(
    "exif",
    [
        b"x",
        b"II*\0",
        b"II*\0\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\xff\xff",
        exif_of(9),
        exif_of(6).replace(b"\x01\x12\0\x03", b"\x01\x12\0\x02"),
        exif_of(0),
    ],
)
@pytest.mark.parametrize("name", [*CARRIERS, "BMP"])
@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_broken_orientation_is_none(parrots, name, exif):
    picture = Picture(np.asarray(parrots), metadata=Metadata(exif=exif))
    data, _ = write(picture, name)
    assert opened(data).size == parrots.size
    assert np.abs(read(data).color.astype(int) - picture.color).mean() < 2
    assert np.array_equal(strip(picture).color, picture.color)


def test_metadata_too_long_for_jpeg_are_dropped_and_the_orientation_saved(parrots):
    xmp = b'<rdf:Description tiff:Orientation="3"/>'
    exif = exif_of(6) + bytes(65536)
    picture = Picture(np.asarray(parrots), metadata=Metadata(exif=exif, xmp=xmp))
    data, notes = write(picture, "JPEG")
    assert notes == (
        f"EXIF of {len(exif):,} bytes is too long for JPEG and was dropped",
        "the orientation was applied to the pixels",
    )
    back = read(data)
    assert back.metadata.exif is None
    assert back.metadata.xmp == xmp.replace(b"3", b"1")
    assert back.color.shape == (96, 64, 3)
    data, notes = write(Picture(picture.color, metadata=Metadata(xmp=b"x" * 65505)), "JPEG")
    assert notes == ("XMP of 65,505 bytes is too long for JPEG and was dropped",)
    fits = Metadata(exif=exif_of() + bytes(65527 - len(exif_of())), xmp=b"x" * 65504)
    data, notes = write(Picture(picture.color, metadata=fits), "JPEG")
    assert notes == ()
    assert read(data).metadata == fits


def test_a_profile_that_no_png_reader_of_pillow_takes_is_dropped(parrots):
    fits = Picture(np.asarray(parrots), metadata=Metadata(icc=bytes(1024 * 1024)))
    data, notes = write(fits, "PNG")
    assert notes == ()
    assert read(data).metadata == fits.metadata
    data, notes = write(Picture(fits.color, metadata=Metadata(icc=bytes(1024 * 1024 + 1))), "PNG")
    assert notes == ("ICC profile of 1,048,577 bytes is too long for PNG: colours may look different",)
    assert read(data).metadata.icc is None


def test_tiff_gives_its_descriptive_tags_as_exif(parrots, file_of):
    tags = Image.Exif()
    tags.load(b"Exif\0\0" + exif_of())
    tags[0x8825] = {1: "N", 2: (1.0, 2.0, 3.0)}
    tags[0x013B] = "An artist"
    picture = read(file_of(parrots, "TIFF", exif=tags.tobytes()))
    exif = Image.Exif()
    exif.load(b"Exif\0\0" + picture.metadata.exif)
    assert set(exif) == {0x010F, 0x013B, 0x8769, 0x8825}
    assert exif[0x013B] == "An artist"
    assert exif.get_ifd(0x8825) == {1: "N", 2: (1.0, 2.0, 3.0)}
    assert exif.get_ifd(0x8769)[0x829A] == 0.5
    assert read(file_of(parrots, "TIFF")).metadata.exif is None


def test_exif_in_a_text_chunk_is_found(parrots, file_of):
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("Raw profile type exif", f"\nexif\n{len(exif_of()):8}\n{exif_of().hex()}\n")
    assert read(file_of(parrots, "PNG", pnginfo=text)).metadata.exif == exif_of()
    text.add_text("Raw profile type exif", "\nexif\n 8\nnot hexadecimal\n")
    picture = read(file_of(parrots, "PNG", pnginfo=text))
    assert picture.metadata.exif is None
    assert picture.notes == ("the broken EXIF was dropped",)


def test_colour_information_that_is_lost_is_announced(parrots, file_of, png_of):
    gain = b'<rdf:Description hdrgm:Version="1.0"/>'
    assert read(file_of(parrots, "JPEG", xmp=gain)).notes == ("the HDR gain map is not kept",)
    linear = png_of(1, 1, 8, 0, b"\0\0", (b"gAMA", (100_000).to_bytes(4, "big")))
    assert read(linear).notes == ("the gamma of 1.000 is not kept: colours may look different",)
    usual = png_of(1, 1, 8, 0, b"\0\0", (b"gAMA", (45_455).to_bytes(4, "big")))
    assert read(usual).notes == ()


def test_xmp_that_png_cannot_hold_is_announced(parrots):
    picture = Picture(np.asarray(parrots), metadata=Metadata(xmp=b"\xff\xfe<\0"))
    data, notes = write(picture, "PNG")
    assert notes == ("XMP that is not UTF-8 cannot be written to PNG and was dropped",)
    assert read(data).metadata.xmp is None


def test_to_pil_and_back_is_the_same(parrots):
    metadata = Metadata(icc=b"profile", exif=exif_of(6), xmp=XMP)
    for mode in ("RGB", "RGBA", "L", "LA"):
        picture = Picture(**vars(from_pil(parrots.convert(mode))) | {"metadata": metadata})
        image = to_pil(picture)
        assert image.mode == mode
        assert image.info == {"icc_profile": b"profile", "exif": b"Exif\0\0" + exif_of(6), "xmp": XMP}
        assert image.getexif()[0x0112] == 6
        back = from_pil(image)
        assert np.array_equal(back.color, picture.color)
        assert back.metadata == metadata
    deep = Picture(np.array([[[0], [65535]]], np.uint16))
    assert to_pil(deep).mode == "I;16"
    assert np.array_equal(from_pil(to_pil(deep)).color, deep.color)


@pytest.mark.parametrize("name", [*CARRIERS, *BARE])
def test_the_same_picture_gives_the_same_bytes(lighthouse, name):
    picture = from_pil(lighthouse)
    assert write(picture, name) == write(picture, name)


def test_what_cannot_be_written_is_refused(parrots):
    with pytest.raises(OutputFormatError, match="'XYZ' is no output format; the known ones are PNG JPEG WEBP AVIF"):
        write(from_pil(parrots), "XYZ")
    with pytest.raises(OutputFormatError, match="WEBP cannot hold this picture of 16384×1"):
        write(Picture(np.zeros((1, 16384, 3), np.uint8)), "WEBP")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.png", "PNG"),
        ("A.B.JPEG", "JPEG"),
        ("x/y.jpg", "JPEG"),
        ("a.webp", "WEBP"),
        ("a.avif", "AVIF"),
        ("a.tif", "TIFF"),
        ("a.pgm", "PPM"),
        ("a.jp2", "JPEG2000"),
    ],
)
def test_suffixes_name_formats(name, expected):
    assert format_of(name) == expected


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.xyz", "no format is known for the suffix '.xyz'; the known ones are .avif .bmp"),
        ("a.eps", "no format is known for the suffix '.eps'"),
        ("png", "the output name has no suffix; the known ones are .avif .bmp"),
    ],
)
def test_unknown_suffixes_are_refused(name, message):
    with pytest.raises(OutputFormatError, match=message):
        format_of(name)
