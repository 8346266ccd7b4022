"""Files that were damaged in every way: a picture or a PictureError comes out, and nothing else."""

import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from cnnzip.errors import PictureError
from cnnzip.image import Picture, read, strip, write

# A broken TIFF directory makes Pillow warn before it fails.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

CROP = Path(__file__).parents[1] / "data" / "parrots-96x64.png"


def seed(name: str, **arguments: object) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    if "compression" not in arguments:  # Pillow cannot write this directory through libtiff
        exif[0x8769] = {0x9003: "2024:01:02 03:04:05"}
    out = io.BytesIO()
    with Image.open(CROP) as image:
        small = image.resize((24, 16))
    small.save(out, name, exif=exif.tobytes(), icc_profile=b"profile" * 5, **arguments)
    return out.getvalue()


SEEDS = {name: seed(name) for name in ("PNG", "JPEG", "WEBP", "AVIF", "TIFF", "GIF", "BMP", "JPEG2000", "TGA", "ICO")}
SEEDS["progressive JPEG"] = seed("JPEG", progressive=True)
SEEDS["deflated TIFF"] = seed("TIFF", compression="tiff_adobe_deflate")


def damaged(data: bytes, draw: st.DataObject) -> bytes:
    changed = bytearray(data)
    # Headers are where damage does most: half of the changes go there.
    places = st.integers(0, min(200, len(data) - 1)) | st.integers(0, len(data) - 1)
    for at, value in draw.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=8)):
        changed[at] = value
    start = draw.draw(st.just(0) | st.integers(0, len(data)))
    stop = draw.draw(st.just(len(data)) | st.integers(0, len(data)))
    cut = draw.draw(st.booleans())
    return bytes(changed[:stop]) if cut else bytes(changed[:start] + changed[stop:])


@pytest.mark.parametrize("name", SEEDS)
@given(draw=st.data())
@settings(deadline=5000, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_damaged_files_give_a_picture_or_one_error(name, draw):
    try:
        picture = read(damaged(SEEDS[name], draw), limit_pixels=1_000_000)
    except PictureError as error:
        assert "\n" not in str(error)
        assert str(error)
    else:
        assert picture.height * picture.width <= 1_000_000
        assert picture.alpha is None or picture.alpha.shape == picture.color.shape[:2]
        strip(picture)


@given(st.binary(max_size=300))
@settings(deadline=5000, max_examples=100)
def test_noise_gives_a_picture_or_one_error(data):
    try:
        read(data, limit_pixels=1_000_000)
    except PictureError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF", "BMP"])
@given(exif=st.binary(max_size=80), xmp=st.binary(max_size=20), icc=st.binary(max_size=20))
@settings(deadline=5000, max_examples=30)
def test_any_metadata_can_be_written(name, exif, xmp, icc):
    picture = read(SEEDS["BMP"])
    kept = type(picture.metadata)(icc or None, b"MM\0*\0\0\0\x08" + exif, xmp or None)
    data, _ = write(Picture(picture.color, metadata=kept), name)
    assert read(data).width * read(data).height == 24 * 16
