"""`cnnzip.encode`, `cnnzip.decode`, `cnnzip.open`: the public face."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import cnnzip
from cnnzip.codec.inspect import describe
from cnnzip.errors import FileError, LimitError, ModelNotFoundError, NotCnzError, PictureError, TargetError

pytestmark = pytest.mark.usefixtures("installed_tiny")


@pytest.fixture
def image(photo_file: Path) -> Image.Image:
    with Image.open(photo_file) as opened:
        opened.load()
    return opened


def test_there_and_back(image: Image.Image, tmp_path: Path) -> None:
    data = cnnzip.encode(image, quality=90, model="tiny")
    assert describe(data).header.quality == 90
    back = cnnzip.decode(data)
    assert (back.mode, back.size) == ("RGB", (96, 64))
    assert np.abs(np.asarray(back).astype(int) - np.asarray(image)).mean() < 20
    (tmp_path / "a.cnz").write_bytes(data)
    for path in (tmp_path / "a.cnz", str(tmp_path / "a.cnz")):
        np.testing.assert_array_equal(np.asarray(cnnzip.open(path)), np.asarray(back))


def test_defaults(image: Image.Image) -> None:
    header = describe(cnnzip.encode(image, model="tiny")).header
    assert (header.quality, header.coder) == (75, "huffman")
    assert describe(cnnzip.encode(image, model="tiny", coder="rans", threads=1)).header.coder == "rans"


def test_a_folder_as_model(image: Image.Image, installed_tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = cnnzip.encode(image, model="tiny")
    monkeypatch.delenv("CNNZIP_MODELS")
    assert cnnzip.encode(image, model=str(installed_tiny)) == data


def test_metadata(image: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    image.info |= {"icc_profile": b"icc", "exif": exif.tobytes(), "xmp": b"<xmp/>"}
    back = cnnzip.decode(cnnzip.encode(image, model="tiny"))
    assert back.info == {"icc_profile": b"icc", "exif": exif.tobytes(), "xmp": b"<xmp/>"}
    assert back.getexif()[0x0112] == 6
    assert back.size == (96, 64)


def test_errors(image: Image.Image, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^quality must lie in 0 … 100, not 101$"):
        cnnzip.encode(image, quality=101, model="tiny")
    with pytest.raises(ValueError, match=r"^quality must lie in 0 … 100, not inf$"):
        cnnzip.encode(image, quality=float("inf"), model="tiny")
    with pytest.raises(ValueError, match=r"^coder must be one of huffman, rans, not 'zip'$"):
        cnnzip.encode(image, model="tiny", coder="zip")
    with pytest.raises(ModelNotFoundError, match=r"^no model is called 'none' \(installed: "):
        cnnzip.encode(image, model="none")
    with pytest.raises(PictureError, match=r"^pictures of floating-point samples cannot be coded$"):
        cnnzip.encode(Image.new("F", (8, 8)), model="tiny")
    with pytest.raises(NotCnzError, match=r"^not a \.cnz file$"):
        cnnzip.decode(b"GIF89a and so on")
    with pytest.raises(LimitError, match=r"^96×64 is more than 100 pixels"):
        cnnzip.decode(cnnzip.encode(image, model="tiny"), limit_pixels=100)
    with pytest.raises(FileError, match=r"/none\.cnz: no such file or directory$"):
        cnnzip.open(tmp_path / "none.cnz")
    assert issubclass(NotCnzError, cnnzip.CnzError)
    assert issubclass(cnnzip.CnzError, cnnzip.CnnzipError)


def test_targets(image: Image.Image) -> None:
    data = cnnzip.encode(image, target_bytes=300, model="tiny")
    assert len(data) == pytest.approx(300, rel=0.02)
    assert len(cnnzip.encode(image, quality=90, max_bytes=250, model="tiny")) <= 250
    assert cnnzip.encode(image, target_bpp=8 * 300 / (96 * 64), model="tiny") == data
    with pytest.raises(TargetError, match="99 dB cannot be reached"):
        cnnzip.encode(image, target_psnr=99, model="tiny")
    with pytest.raises(ValueError, match="contradict one another"):
        cnnzip.encode(image, quality=5, target_psnr=30, model="tiny")


def test_a_part_of_a_picture(image: Image.Image) -> None:
    data = cnnzip.encode(image, model="tiny")
    whole = np.asarray(cnnzip.decode(data)).astype(int)
    part = np.asarray(cnnzip.decode(data, crop=(10, 20, 50, 33)))
    assert np.abs(part - whole[20:33, 10:50]).max() <= 1
    for crop in ((0, 0, 97, 64), (90, 60, 97, 64)):
        with pytest.raises(PictureError, match=r"is not within the picture of 96×64$"):
            cnnzip.decode(data, crop=crop)
    for crop in ((5, 5, 5, 9), (-1, 0, 5, 5), (9, 9, 5, 5)):
        with pytest.raises(ValueError, match=r"^a crop is \(left, upper, right, lower\) with something in it"):
            cnnzip.decode(data, crop=crop)


def test_a_preview(image: Image.Image) -> None:
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    data = cnnzip.encode(image, model="tiny")
    whole = cnnzip.decode(data)
    for shrink in (2, 4, 8):
        small = cnnzip.decode(data, shrink=shrink)
        assert (small.mode, small.size) == ("RGBA", (96 // shrink, 64 // shrink))
        assert np.abs(np.asarray(small).astype(int) - np.asarray(whole.reduce(shrink))).mean() < 3
    for wrong in ({"shrink": 3}, {"shrink": 2, "crop": (0, 0, 5, 5)}):
        with pytest.raises(ValueError, match=r"^shrink is one of"):
            cnnzip.decode(data, **wrong)
