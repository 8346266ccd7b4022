"""`encode --tile`, and `decode --crop`, `--scale` and `--partial`: large pictures and parts of them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TINY = ("--model", "tiny")


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


@pytest.fixture
def large(work: Path) -> Path:
    """1000×700, by repeating the photo."""
    with Image.open(work / "photo.png") as image:
        samples = np.asarray(image)
    Image.fromarray(np.tile(samples, (11, 11, 1))[:700, :1000]).save(work / "large.png")
    return work / "large.png"


@pytest.fixture
def tiled(cnnzip, work, large) -> Path:
    """The file in 2×1 tiles."""
    assert cnnzip("encode", *TINY, "--tile", "512", large, "-o", "large.cnz").code == 0
    return work / "large.cnz"


def test_tiles(cnnzip, work, large, tiled) -> None:
    (record,) = cnnzip("info", "--json", tiled).records
    assert [section["name"] for section in record["sections"]].count("latent") == 2
    assert cnnzip("encode", *TINY, "--tile", "0", large, "-o", "one.cnz").code == 0
    assert cnnzip("encode", *TINY, large, "-o", "default.cnz").code == 0
    assert (work / "one.cnz").read_bytes() == (work / "default.cnz").read_bytes()  # not large enough
    digests = {cnnzip("verify", "--json", name).records[0]["symbols_sha256"] for name in (tiled, "one.cnz")}
    assert len(digests) == 1  # as tiles of this prior know nothing of each other
    for threads in ("1", "2"):
        assert cnnzip("decode", "--threads", threads, tiled, "-o", f"{threads}.png").code == 0
    assert np.abs(pixels(work / "1.png") - pixels(work / "2.png")).max() <= 1


def test_a_crop(cnnzip, work, tiled) -> None:
    assert cnnzip("decode", tiled, "-o", "whole.png").code == 0
    done = cnnzip("decode", "--crop", "300x50+400+600", tiled, "-o", "part.png")
    assert done.code == 0
    assert f"{tiled} → part.png: 300×50 RGB" in done.stderr
    assert np.abs(pixels(work / "part.png") - pixels(work / "whole.png")[600:650, 400:700]).max() <= 1
    done = cnnzip("decode", "--crop", "300x50+701+600", tiled, "-o", "beyond.png")
    assert (done.code, done.error) == (
        1, f"{tiled}: the crop 300x50+701+600 is not within the picture of 1000×700",
    )  # fmt: skip
    assert not (work / "beyond.png").exists()


@pytest.mark.parametrize(("scale", "size"), [("1/2", (500, 350)), ("1/4", (250, 175)), ("1/8", (125, 88))])
def test_a_preview(cnnzip, work, tiled, scale, size) -> None:
    assert cnnzip("decode", "--scale", scale, tiled, "-o", "small.png").code == 0
    with Image.open(work / "small.png") as image:
        assert image.size == size


def test_what_is_left_of_a_damaged_file(cnnzip, work, tiled) -> None:
    sound = cnnzip("decode", tiled, "-o", "sound.png")
    assert sound.code == 0
    data = bytearray(tiled.read_bytes())
    sections = cnnzip("info", "--json", tiled).records[0]["sections"]
    second = [section for section in sections if section["name"] == "latent"][1]
    data[second["offset"] + second["size"] // 2] ^= 1
    tiled.write_bytes(data)
    assert cnnzip("decode", tiled, "-o", "strict.png").code == 1
    assert not (work / "strict.png").exists()
    done = cnnzip("decode", "--partial", tiled, "-o", "rest.png")
    assert done.code == 1
    assert done.error == f"{tiled}: damaged; decoded without tile 2 of 2, 488x700+512+0"
    rest, expected = pixels(work / "rest.png"), pixels(work / "sound.png")
    assert np.abs(rest - expected)[:, :400].max() <= 1
    assert np.abs(rest - expected)[:, 700:].mean() > 5
    # In a batch it counts as failed, and its source is kept.
    done = cnnzip("decode", "--partial", "--rm", "--output-dir", "out", tiled)
    assert done.code == 1
    assert tiled.exists()
    assert (work / "out" / "large.png").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--crop", "5x5"), "--crop takes WxH+X+Y in pixels, such as 640x480+10+20, not '5x5'"),
        (("--crop", "5x5+0+0", "--scale", "1/2"), "--crop, --scale and --partial contradict one another"),
        (("--partial", "--scale", "1/2"), "--crop, --scale and --partial contradict one another"),
        (("--rm", "--crop", "5x5+0+0"), "--rm would remove what --crop and --scale leave out"),
        (("--rm", "--scale", "1/8"), "--rm would remove what --crop and --scale leave out"),
        (("--scale", "1/3"), "Invalid value for '--scale': '1/3' is not one of '1/2', '1/4', '1/8'"),
    ],
)
def test_usage(cnnzip, encoded, options, message) -> None:
    done = cnnzip("decode", *options, encoded)
    assert done.code == 2
    assert done.error.startswith(message)
    assert encoded.exists()


def test_no_such_tiles(cnnzip, work) -> None:
    done = cnnzip("encode", *TINY, "--tile", "100", "photo.png")
    assert done.code == 2
    assert done.error.startswith("Invalid value for '--tile': '100' is not one of ")
