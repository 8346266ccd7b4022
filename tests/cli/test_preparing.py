"""`encode --crop --resize --grayscale`."""

import numpy as np
import pytest
from PIL import Image

TINY = ("--model", "tiny")


@pytest.mark.parametrize(
    ("options", "size"),
    [
        (("--resize", "50%"), (48, 32)),
        (("--resize", "24x"), (24, 16)),
        (("--resize", "x16"), (24, 16)),
        (("--resize", "50x50"), (50, 33)),
        (("--crop", "40x30+50+20"), (40, 30)),
        (("--resize", "50%", "--crop", "40x30+50+20"), (20, 15)),
    ],
)
def test_sizes(options: tuple[str, ...], size: tuple[int, int], cnnzip, work) -> None:
    done = cnnzip("encode", *TINY, "--json", "photo.png", *options)
    record = done.records[0]
    assert (record["width"], record["height"]) == size
    assert record["bpp"] == pytest.approx(8 * record["bytes"] / (size[0] * size[1]), abs=1e-5)
    info = cnnzip("info", "--json", "photo.cnz").records[0]
    assert (info["width"], info["height"], info["channels"]) == (*size, 3)
    assert cnnzip("decode", "photo.cnz", "-o", "back.png").code == 0
    with Image.open("back.png") as image:
        assert image.size == size


def test_it_is_as_if_pillow_had_done_it_before(cnnzip, work) -> None:
    with Image.open("photo.png") as image:
        image.crop((10, 5, 74, 53)).save("cut.png")
        image.convert("L").save("gray.png")
    assert cnnzip("encode", *TINY, "cut.png", "gray.png").code == 0
    assert cnnzip("encode", *TINY, "photo.png", "-o", "a.cnz", "--crop", "64x48+10+5").code == 0
    assert cnnzip("encode", *TINY, "photo.png", "-o", "b.cnz", "--grayscale").code == 0
    assert (work / "a.cnz").read_bytes() == (work / "cut.cnz").read_bytes()
    assert (work / "b.cnz").read_bytes() == (work / "gray.cnz").read_bytes()
    assert cnnzip("info", "--json", "b.cnz").records[0]["channels"] == 1


def test_16_bits_stay_16_bits(cnnzip, work) -> None:
    Image.fromarray(np.linspace(0, 65535, 4096).astype(np.uint16).reshape(64, 64)).save("deep.png")
    record = cnnzip("encode", *TINY, "--json", "deep.png", "--resize", "50%").records[0]
    assert record["notes"] == []
    info = cnnzip("info", "--json", "deep.cnz").records[0]
    assert (info["depth"], info["width"]) == (16, 32)


def test_alpha_goes_along(cnnzip, work) -> None:
    alpha = np.zeros((64, 96), np.uint8)
    alpha[:32] = 255
    with Image.open("photo.png") as image:
        image.putalpha(Image.fromarray(alpha))
        image.save("photo.png")
    assert cnnzip("encode", *TINY, "photo.png", "--crop", "20x20+0+22").code == 0
    assert cnnzip("decode", "photo.cnz", "-o", "back.png").code == 0
    with Image.open("back.png") as image:
        assert np.array_equal(np.asarray(image)[..., 3], alpha[22:42, :20])


def test_the_line_says_the_size_and_that_it_grew(cnnzip, work) -> None:
    done = cnnzip("encode", *TINY, "photo.png", "--resize", "192x")
    note, line = done.stderr.splitlines()
    assert note == "cnnzip: photo.png: note: the picture was enlarged from 96×64 to 192×128, which adds no detail"
    assert ", 192×128" in line


@pytest.mark.parametrize(
    ("option", "value"),
    [("--resize", "0%"), ("--resize", "big"), ("--resize", ""), ("--crop", "10x10"), ("--crop", "0x5+1+1")],
)
def test_bad_geometry_is_a_slip(option: str, value: str, cnnzip, work, contents) -> None:
    before = contents()
    done = cnnzip("encode", *TINY, "photo.png", option, value)
    assert done.code == 2
    assert done.error.startswith(f"{option} takes ")
    assert done.error.endswith(f", not '{value}'")
    assert contents() == before


def test_a_crop_outside_fails_for_that_file_alone(cnnzip, work, contents) -> None:
    with Image.open("photo.png") as image:
        image.resize((200, 100)).save("large.png")
    done = cnnzip("encode", *TINY, "--quiet", "photo.png", "large.png", "--crop", "90x50+50+20")
    assert done.code == 1
    assert done.error == "photo.png: the crop 90x50+50+20 is not within the picture of 96×64"
    assert "large.cnz" in contents()
    assert "photo.cnz" not in contents()


def test_too_large_a_size_fails_at_once(cnnzip, work) -> None:
    done = cnnzip("encode", *TINY, "photo.png", "--resize", "60000x")
    assert done.code == 1
    assert done.error.startswith("photo.png: the picture is 60000×40000: 2,400,000,000 pixels, and the limit is ")
    assert cnnzip("encode", *TINY, "photo.png", "--resize", "50%", "--limit-pixels", "6144").code == 0


def test_targets_count_the_new_pixels(cnnzip, work) -> None:
    record = cnnzip("encode", *TINY, "--json", "photo.png", "--resize", "400%", "--target-bpp", "0.3").records[0]
    assert record["bpp"] == pytest.approx(0.3, rel=0.02)
    assert record["width"] == 384


def test_strip_goes_together_with_it(cnnzip, work) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    with Image.open("photo.png") as image:
        image.save("photo.png", exif=exif)
    for options in (("--strip",), ()):
        record = cnnzip("encode", *TINY, "--json", "-f", "photo.png", "--crop", "64x90+0+0", *options).records[0]
        assert (record["width"], record["height"]) == (64, 90)
