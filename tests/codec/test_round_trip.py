"""Pictures to files and back: every kind of picture, the exact bytes of what is lossless, and how near the rest is."""

import hashlib
from collections.abc import Callable

import numpy as np
import pytest

from cnnzip.codec.contents import read_contents
from cnnzip.codec.decode import decode_picture, decode_values
from cnnzip.codec.encode import encode_picture
from cnnzip.codec.inspect import describe, verify
from cnnzip.codec.model import Model
from cnnzip.codec.transforms import pad
from cnnzip.image import Metadata, Picture
from cnnzip.networks.runtime import Runtime

Encode = Callable[..., bytes]
Decode = Callable[[bytes], Picture]


@pytest.fixture
def encode(tiny: Model, tiny_runtime: Runtime) -> Encode:
    return lambda picture, **options: encode_picture(picture, tiny, tiny_runtime, **options)


@pytest.fixture
def decode(tiny: Model, tiny_runtime: Runtime) -> Decode:
    return lambda data: decode_picture(data, find_model=lambda _: tiny, open_runtime=lambda _: tiny_runtime)


def psnr(a: Picture, b: Picture) -> float:
    top = 2**a.depth - 1
    return float(-10 * np.log10(np.mean((a.color / top - b.color / top) ** 2)))


def picture(width: int, height: int, channels: int = 3, depth: int = 8, alpha: bool = False) -> Picture:
    """A smooth picture with a gradient each way, and an alpha that is not smooth at all."""
    dtype = {8: np.uint8, 16: np.uint16}[depth]
    top = 2**depth - 1
    y, x = np.linspace(0, 1, height)[:, None], np.linspace(0, 1, width)
    planes = [x + 0 * y, y + 0 * x, (x + y) / 2][:channels]
    color = (np.stack(planes, axis=2) * top).astype(dtype)
    plane = np.random.default_rng(1).integers(0, top + 1, (height, width)).astype(dtype) if alpha else None
    return Picture(color, plane)


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 7), (7, 1), (8, 8), (9, 17), (63, 65), (64, 64)])
@pytest.mark.parametrize("coder", ["huffman", "rans"])
def test_sizes(width: int, height: int, coder: str, tiny: Model, encode: Encode, decode: Decode) -> None:
    given = picture(width, height)
    data = encode(given, coder=coder)
    assert decode(data).color.shape == given.color.shape == (height, width, 3)
    channels, stride = (tiny.description.options[name] for name in ("latent_channels", "stride"))
    assert decode_values(read_contents(data), tiny).shape == (channels, -(-height // stride), -(-width // stride))


def test_padding_repeats_the_border_and_gray() -> None:
    planes = np.float32([[[[1, 2], [3, 4], [5, 6]]]])  # (1, 1, 3, 2)
    expected = [[1, 2, 2, 2], [3, 4, 4, 4], [5, 6, 6, 6], [5, 6, 6, 6]]
    np.testing.assert_array_equal(pad(planes, 4), [[expected] * 3])
    whole = np.zeros((1, 3, 4, 8), np.float32)
    assert pad(whole, 4).shape == whole.shape


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("coder", ["huffman", "rans"])
def test_kinds(channels: int, depth: int, alpha: bool, coder: str, encode: Encode, decode: Decode) -> None:
    given = picture(48, 40, channels, depth, alpha)
    back = decode(encode(given, coder=coder, quality=100))
    assert (back.color.shape, back.color.dtype) == (given.color.shape, given.color.dtype)
    assert psnr(given, back) > 25
    if alpha:
        assert back.alpha is not None
        assert back.alpha.dtype == given.alpha.dtype
        np.testing.assert_array_equal(back.alpha, given.alpha)
    else:
        assert back.alpha is None


@pytest.mark.parametrize("quality", [0, 0.01, 50.5, 99.99, 100])
def test_the_quality_stands_in_the_file(quality: float, photo: Picture, encode: Encode, decode: Decode) -> None:
    data = encode(photo, quality=quality)
    assert describe(data).header.quality == quality
    assert decode(data).color.shape == photo.color.shape


@pytest.mark.parametrize("quality", [-0.01, 100.01, float("nan"), float("inf"), float("-inf")])
def test_no_other_quality(quality: float, photo: Picture, encode: Encode) -> None:
    with pytest.raises(ValueError, match=r"^quality must lie in 0 … 100, not "):
        encode(photo, quality=quality)


def test_more_quality_is_more_bytes_and_more_psnr(photo: Picture, encode: Encode, decode: Decode) -> None:
    files = [encode(photo, quality=quality) for quality in (0, 25, 50, 75, 100)]
    sizes = [len(data) for data in files]
    assert sizes == sorted(set(sizes))
    distances = [psnr(photo, decode(data)) for data in files]
    assert distances == sorted(distances)
    assert distances[-1] > 25


def test_both_coders_carry_the_same_symbols(photo: Picture, tiny: Model, encode: Encode) -> None:
    huffman, rans = (read_contents(encode(photo, coder=coder)) for coder in ("huffman", "rans"))
    assert huffman.latents[0] != rans.latents[0]
    np.testing.assert_array_equal(decode_values(huffman, tiny), decode_values(rans, tiny))


def test_the_same_bytes_every_time(photo: Picture, tiny: Model, encode: Encode) -> None:
    fresh = encode_picture(photo, tiny, tiny.runtime(threads=1))
    assert encode(photo) == encode(photo) == fresh


def test_overhead_of_a_plain_photo_is_below_64_bytes(photo: Picture, encode: Encode) -> None:
    data = encode(photo)
    assert len(data) - len(read_contents(data).latents[0]) < 64


def test_metadata_round_trip(photo: Picture, encode: Encode, decode: Decode) -> None:
    orientation_6 = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    metadata = Metadata(icc=b"profile" * 99, exif=orientation_6, xmp=b"<x:xmpmeta/>")
    back = decode(encode(Picture(photo.color, metadata=metadata)))
    assert back.metadata == metadata
    # The orientation stays metadata: the pixels lie as they lay.
    assert back.color.shape == photo.color.shape


def test_each_block_of_metadata_alone(photo: Picture, encode: Encode, decode: Decode) -> None:
    for metadata in (Metadata(icc=b"i"), Metadata(exif=b"e"), Metadata(xmp=b"x"), Metadata(icc=b"")):
        assert decode(encode(Picture(photo.color, metadata=metadata))).metadata == metadata


def test_the_digest_is_that_of_the_symbols(photo: Picture, tiny: Model, encode: Encode, installed_tiny: object) -> None:
    data = encode(photo)
    symbols = decode_values(read_contents(data), tiny)
    assert verify(data) == hashlib.sha256(symbols.astype("<i4").tobytes()).hexdigest()
    assert verify(data) == verify(encode(photo, coder="rans"))
    assert verify(data) != verify(encode(photo, quality=10))
