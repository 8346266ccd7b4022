"""Damaged files: what is whole is decoded as ever, and what is not is named."""

import numpy as np
import pytest

from cnnzip.codec.contents import read_contents
from cnnzip.codec.decode import decode_picture
from cnnzip.codec.encode import encode_picture
from cnnzip.codec.partial import decode_partial
from cnnzip.codec.tiling import grid
from cnnzip.container import section_table
from cnnzip.errors import ChecksumError, CnzError, PayloadError, SectionError
from cnnzip.image import Metadata, Picture


@pytest.fixture(params=["tiny", "photo_model"])
def model(request):
    """A model of each prior."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def given(photo):
    """600×420 in 2×2 tiles, with alpha and XMP."""
    color = np.ascontiguousarray(np.tile(photo.color, (7, 7, 1))[:420, :600])
    alpha = np.full((420, 600), 200, dtype=np.uint8)
    return Picture(color, alpha, Metadata(xmp=b"<x/>"))


@pytest.fixture
def data(given, model):
    return encode_picture(given, model, model.runtime(threads=1), tile=256)


@pytest.fixture
def decode(model):
    runtime = model.runtime(threads=1)
    options = {"find_model": lambda _: model, "open_runtime": lambda _: runtime, "threads": 2}
    return lambda data: decode_partial(data, **options)


def spoilt(data, name, number=0):
    """The file with a byte in the middle of a section's payload changed."""
    entry = [entry for entry in section_table(data) if entry.name == name][number]
    middle = (entry.start + entry.stop) // 2
    return data[:middle] + bytes([data[middle] ^ 0x10]) + data[middle + 1 :]


def areas(data, model):
    """The pixels of every tile, at a distance from the others that no network reaches over."""
    header = read_contents(data).header
    tiles = grid(*model.latent_shape(600, 420)[1:], header.tiling)
    stride, reach = model.stride, model.halo or 64
    return [
        tuple(
            slice(
                stride * span.start + reach * (span.start > 0),
                min(stride * span.stop, side) - reach * (span.start == 0),
            )
            for span, side in zip(tile, (420, 600), strict=True)
        )
        for tile in tiles
    ]


def test_a_whole_file(data, decode, model):
    picture, lost = decode(data)
    expected = decode_picture(data, find_model=lambda _: model, threads=1)
    assert lost == []
    assert np.abs(picture.color.astype(int) - expected.color).max() <= 1
    assert np.array_equal(picture.alpha, expected.alpha)
    assert picture.metadata == expected.metadata


@pytest.mark.parametrize("number", range(4))
def test_the_other_tiles_are_as_ever(number, data, decode, model):
    bad = spoilt(data, "latent", number)
    with pytest.raises(ChecksumError):
        decode_picture(bad)
    picture, lost = decode(bad)
    (line,) = lost
    width, rest = line.removeprefix(f"tile {number + 1} of 4, ").split("x")
    height, left, top = rest.split("+")
    expected = decode_picture(data, find_model=lambda _: model, threads=1)
    for other, area in enumerate(areas(data, model)):
        same = np.abs(picture.color[area].astype(int) - expected.color[area]).max() <= 1
        assert same == (other != number)
        if other == number:
            assert int(left) <= area[1].start < area[1].stop <= int(left) + int(width)
            assert int(top) <= area[0].start < area[0].stop <= int(top) + int(height)
    assert np.array_equal(picture.alpha, expected.alpha)
    assert picture.metadata == expected.metadata


def test_a_file_that_is_cut_off(data, decode, model):
    third = [entry for entry in section_table(data) if entry.name == "latent"][2]
    picture, lost = decode(data[: third.stop])
    assert [line.split(",")[0] for line in lost] == ["tile 3 of 4", "tile 4 of 4", "alpha"]
    assert (picture.alpha, picture.metadata) == (None, Metadata())
    expected = decode_picture(data, find_model=lambda _: model, threads=1)
    for area in areas(data, model)[:2]:
        assert np.abs(picture.color[area].astype(int) - expected.color[area]).max() <= 1


def test_alpha_and_metadata(data, decode):
    picture, lost = decode(spoilt(data, "alpha"))
    assert (lost, picture.alpha, picture.metadata.xmp) == (["alpha"], None, b"<x/>")
    picture, (line,) = decode(spoilt(data, "xmp"))
    assert line.startswith("the checksum of the xmp section")
    assert picture.alpha is not None
    assert picture.metadata == Metadata()


def test_what_cannot_be_told(data, decode, model):
    with pytest.raises(SectionError, match=r"^the header is damaged: nothing can be decoded$"):
        decode(spoilt(data, "header"))
    if model.description.prior == "hyper":
        with pytest.raises(SectionError, match=r"^the hyper-latent is damaged: no tile can be decoded$"):
            decode(spoilt(data, "hyper-latent"))
    first = next(entry for entry in section_table(data) if entry.name == "latent")
    with pytest.raises(PayloadError, match=r"^no part of the picture is left$"):
        decode(data[: first.stop])
    # A tile cut out, with all that is around it whole.
    with pytest.raises(SectionError, match=r"^a length is damaged: nobody can tell which tiles are which$"):
        decode(data[: first.offset] + data[first.offset + first.size :])


def test_every_damaged_byte_of_the_structure(data, decode, given):
    """Types and lengths, one by one: never a picture of another size, nor tiles at other places."""
    for entry in section_table(data):
        for position in range(entry.offset, entry.start):
            for flip in (0x01, 0x80, 0xFF):
                bad = data[:position] + bytes([data[position] ^ flip]) + data[position + 1 :]
                try:
                    picture, lost = decode(bad)
                except CnzError:
                    continue
                assert picture.color.shape == given.color.shape
                assert lost
