"""`Image.open` and `image.save` for `.cnz`: lazily, with metadata, and with Pillow's own ways to fail."""

import importlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

import cnnzip
import cnnzip.pillow_plugin
from cnnzip.codec.inspect import describe

pytestmark = pytest.mark.usefixtures("installed_tiny")


@pytest.fixture
def image(photo_file: Path) -> Image.Image:
    with Image.open(photo_file) as opened:
        opened.load()
    return opened


def saved(image: Image.Image, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, "CNZ", **{"model": "tiny", **options})
    return out.getvalue()


@pytest.fixture
def file(image: Image.Image, tmp_path: Path) -> Path:
    image.save(tmp_path / "photo.cnz", model="tiny")
    return tmp_path / "photo.cnz"


@pytest.fixture
def no_model(installed_tiny: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CNNZIP_MODELS", str(tmp_path))


def test_the_format_is_registered() -> None:
    assert Image.registered_extensions()[".cnz"] == "CNZ"
    assert Image.MIME["CNZ"] == "image/x-cnnzip"


def test_open_from_a_path_and_from_memory(file: Path) -> None:
    expected = np.asarray(cnnzip.decode(file.read_bytes()))
    for source in (file, str(file), io.BytesIO(file.read_bytes())):
        with Image.open(source) as image:
            assert (image.format, image.mode, image.size) == ("CNZ", "RGB", (96, 64))
            assert image.get_format_mimetype() == "image/x-cnnzip"
            np.testing.assert_array_equal(np.asarray(image), expected)


@pytest.mark.usefixtures("no_model")
def test_opening_needs_no_model_but_loading_does(photo_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    golden = Path(__file__).parent / "golden" / "good"
    with Image.open(golden / "metadata.cnz") as image:
        assert (image.mode, image.size) == ("RGB", (96, 64))
        assert image.info["icc_profile"] == b"not a profile, but kept"
        assert image.getexif()[0x0112] == 6
        for _ in range(2):
            with pytest.raises(OSError, match=r"^the file needs model 'tiny' \([0-9a-f]{16}\), which is not installed"):
                image.load()
        # Nothing is lost by the failure.
        monkeypatch.setenv("CNNZIP_MODELS", str(golden.parent / "models"))
        image.load()
        assert image.getpixel((0, 0)) is not None


def test_options(image: Image.Image) -> None:
    header = describe(saved(image, quality=12.5, coder="rans")).header
    assert (header.quality, header.coder, header.model_name) == (12.5, "rans", "tiny")
    assert saved(image) == cnnzip.encode(image, model="tiny")


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "I;16"])
def test_modes(mode: str, image: Image.Image) -> None:
    given = image.convert("L").convert("I").point(lambda v: v * 257).convert("I;16") if mode == "I;16" else None
    given = given or image.convert(mode)
    with Image.open(io.BytesIO(saved(given))) as back:
        assert back.mode == mode
        back.load()
        assert (back.mode, back.size) == (mode, (96, 64))
        scale = 257 if mode == "I;16" else 1
        assert np.abs(np.asarray(back).astype(int) - np.asarray(given)).mean() < 20 * scale
        assert np.asarray(back).std() > 10 * scale


@pytest.mark.parametrize(("mode", "kept"), [("P", "RGB"), ("1", "L"), ("CMYK", "RGB"), ("YCbCr", "RGB")])
def test_modes_that_are_converted(mode: str, kept: str, image: Image.Image) -> None:
    with Image.open(io.BytesIO(saved(image.convert(mode)))) as back:
        back.load()
        assert back.mode == kept


def test_alpha_is_lossless(image: Image.Image) -> None:
    image.putalpha(image.getchannel("G"))
    with Image.open(io.BytesIO(saved(image))) as back:
        np.testing.assert_array_equal(np.asarray(back)[..., 3], np.asarray(image)[..., 3])


def test_16_bit_with_alpha_opens_as_it_loads() -> None:
    from cnnzip.codec.encode import encode_picture
    from cnnzip.codec.models import find_model
    from cnnzip.image import Picture

    model = find_model("tiny")
    for channels, mode in ((1, "LA"), (3, "RGBA")):
        picture = Picture(np.full((8, 8, channels), 40_000, np.uint16), np.full((8, 8), 65535, np.uint16))
        with Image.open(io.BytesIO(encode_picture(picture, model, model.runtime(threads=1)))) as image:
            assert image.mode == mode
            image.load()
            assert image.mode == image.im.mode == mode


def test_metadata_round_trip(image: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    image.info |= {"icc_profile": b"icc", "exif": exif.tobytes(), "xmp": b"<xmp/>"}
    with Image.open(io.BytesIO(saved(image))) as back:
        opened = dict(back.info)
        assert opened == {"icc_profile": b"icc", "exif": exif.tobytes(), "xmp": b"<xmp/>"}
        back.load()
        assert back.info == opened
        again = saved(back)
    with Image.open(io.BytesIO(again)) as back:
        assert back.info == opened


def test_metadata_as_options(image: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    image.info |= {"icc_profile": b"own", "xmp": b"own"}
    before = dict(image.info)
    with Image.open(io.BytesIO(saved(image, icc_profile=b"given", exif=exif, xmp=None))) as back:
        assert back.info == {"icc_profile": b"given", "exif": exif.tobytes()}
    assert image.info == before


def test_usual_methods(file: Path) -> None:
    whole = cnnzip.open(file)
    with Image.open(file) as image:
        copy = image.copy()
        np.testing.assert_array_equal(np.asarray(copy), np.asarray(whole))
    with Image.open(file) as image:
        image.thumbnail((48, 48))
        assert image.size == (48, 32)
        assert image.load() is not None
    with Image.open(file) as image:
        image.verify()
    with Image.open(file) as image:
        assert image.crop((0, 0, 8, 8)).size == (8, 8)
        assert image.convert("L").mode == "L"
        assert getattr(image, "n_frames", 1) == 1


def test_a_file_is_closed_after_loading(file: Path) -> None:
    image = Image.open(file)
    stream = image.fp
    image.load()
    assert stream.closed
    assert image.getpixel((0, 0)) == image.copy().getpixel((0, 0))


def test_a_stream_stays_open(file: Path) -> None:
    stream = io.BytesIO(file.read_bytes())
    Image.open(stream).load()
    assert not stream.closed


def test_damaged_files_are_not_identified(file: Path) -> None:
    data = file.read_bytes()
    for size in range(0, len(data), 11):
        with pytest.raises(UnidentifiedImageError):
            Image.open(io.BytesIO(data[:size]))
    for pos in range(0, len(data), 11):
        with pytest.raises(UnidentifiedImageError):
            Image.open(io.BytesIO(data[:pos] + bytes([data[pos] ^ 1]) + data[pos + 1 :]))


def test_a_payload_that_is_none_fails_on_load() -> None:
    bad = Path(__file__).parent / "golden" / "bad" / "PayloadError-latent-cut-off.cnz"
    with Image.open(bad) as image, pytest.raises(OSError, match=r"^the coded data ends too early$"):
        image.load()


def test_saving_what_cannot_be_coded_leaves_no_file(image: Image.Image, tmp_path: Path) -> None:
    target = tmp_path / "x.cnz"
    with pytest.raises(OSError, match=r"^pictures of floating-point samples cannot be coded$"):
        Image.new("F", (8, 8)).save(target, model="tiny")
    with pytest.raises(OSError, match=r"^no model is called 'none' "):
        image.save(target, model="none")
    with pytest.raises(ValueError, match=r"^quality must lie in 0 … 100, not 101$"):
        image.save(target, model="tiny", quality=101)
    assert not target.exists()


def test_registering_twice_is_harmless(file: Path) -> None:
    importlib.reload(cnnzip.pillow_plugin)
    assert Image.ID.count("CNZ") == 1
    with Image.open(file) as image:
        image.load()
        assert image.format == "CNZ"


def test_a_draft_is_decoded_small(file: Path) -> None:
    whole = np.asarray(cnnzip.decode(file.read_bytes())).astype(float)
    with Image.open(file) as image:
        assert image.draft(None, (20, 20)) == ("RGB", (0, 0, 48, 32))
        assert image.draft(None, (5, 5)) is None  # once, as with JPEG
        assert image.size == (48, 32)
        image.load()
        assert np.asarray(image).shape == (32, 48, 3)
        assert np.abs(np.asarray(image) - whole.reshape(32, 2, 48, 2, 3).mean(axis=(1, 3))).mean() < 1
    with Image.open(file) as image:
        assert image.draft(None, (50, 10)) is None
        assert image.draft("L", None) is None
        image.load()
        assert image.draft(None, (5, 5)) is None  # the pixels are there
        assert image.size == (96, 64)


@pytest.mark.parametrize("size", [(10, 10), (40, 40), (200, 200)])
def test_thumbnails(file: Path, size: tuple[int, int]) -> None:
    expected = cnnzip.decode(file.read_bytes())
    expected.thumbnail(size)
    with Image.open(file) as image:
        image.thumbnail(size)
        assert image.size == expected.size
        assert np.abs(np.asarray(image).astype(int) - np.asarray(expected)).mean() < 3
