"""Pictures in tiles: which tiles there are, that each stands by itself, and what a picture loses by them."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnzip.codec.contents import read_contents
from cnnzip.codec.decode import decode_picture, decode_values
from cnnzip.codec.encode import Encoder, encode_picture
from cnnzip.codec.latent import CodedLatent
from cnnzip.codec.model import Model
from cnnzip.codec.tiling import TILINGS, WHOLE, grid, tiling_for
from cnnzip.container import Section, SectionType, pack, unpack
from cnnzip.errors import HeaderError, PayloadError, SectionError
from cnnzip.image import Crop, Metadata, Picture
from cnnzip.image.orientation import turn

TILE = 256
"""Pixels: 16 positions of 16 for `photo_model`, 32 of 8 for `tiny`."""

EXIF = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0%c\0\0\0\0\0\0\0"
"""A block that holds an orientation and nothing else."""


@pytest.fixture(params=["tiny", "photo_model"])
def model(request: pytest.FixtureRequest) -> Model:
    """A model of each prior."""
    found: Model = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
def large(photo: Picture) -> Picture:
    """The photo several times: 600×420, which is 2×2 tiles."""
    return Picture(np.ascontiguousarray(np.tile(photo.color, (7, 7, 1))[:420, :600]))


Decode = Callable[..., Picture]


@pytest.fixture
def decode(model: Model) -> Decode:
    runtime = model.runtime(threads=1)
    return lambda data, **options: decode_picture(
        data, find_model=lambda _: model, open_runtime=lambda _: runtime, **options
    )


@given(st.integers(1, 3000), st.integers(1, 3000), st.sampled_from(TILINGS))
def test_the_grid_covers_every_position_once(height: int, width: int, tiling: int) -> None:
    tiles = grid(height, width, tiling)
    for axis, length in enumerate((height, width)):
        spans = list(dict.fromkeys((tile[axis].start, tile[axis].stop) for tile in tiles))
        assert [start for start, _ in spans] == [0, *(stop for _, stop in spans[:-1])]
        assert spans[-1][1] == length
        assert all(start % 4 == 0 for start, _ in spans)
        assert len({stop - start for start, stop in spans[:-1]}) <= 1
        assert spans[-1][1] - spans[-1][0] <= spans[0][1] - spans[0][0]
        # About the side that was asked for: half as much more at most, and three positions for the grid of four.
        assert spans[0][1] - spans[0][0] <= 1.5 * 2**tiling + 3
        assert length < 1.5 * 2**tiling or spans[0][1] - spans[0][0] >= 0.75 * 2**tiling
    assert tiles == sorted(tiles, key=lambda tile: (tile[0].start, tile[1].start))
    assert sum((r.stop - r.start) * (c.stop - c.start) for r, c in tiles) == height * width


@pytest.mark.parametrize(
    ("side", "stride", "expected"), [(1024, 16, 6), (1024, 8, 7), (512, 16, 5), (65536, 16, 12), (0, 16, WHOLE)]
)
def test_tilings_by_their_side_in_pixels(side: int, stride: int, expected: int) -> None:
    assert tiling_for(100_000, 100_000, stride, side) == expected
    assert tiling_for(1, 1, stride, side) == WHOLE  # a single tile is no tiling


@pytest.mark.parametrize("side", [1, 128, 1000, 1 << 17, -1024])
def test_no_such_tiles(side: int, photo: Picture, tiny: Model) -> None:
    with pytest.raises(ValueError, match=r"tiles may have 0 \(none\), 256, 512, 1024, .* pixels a side, not"):
        tiling_for(100, 100, 16, side)


@pytest.mark.parametrize("coder", ["huffman", "rans"])
def test_tiles_say_nearly_what_one_piece_says(coder: str, large: Picture, model: Model, decode: Decode) -> None:
    runtime = model.runtime(threads=1)
    files = [encode_picture(large, model, runtime, coder=coder, quality=60, tile=tile) for tile in (0, TILE)]
    one, tiled = map(read_contents, files)
    assert (one.header.tiling, len(one.latents), one.hyper_latent) == (WHOLE, 1, None)
    assert (len(tiled.latents), tiled.hyper_latent is not None) == (4, model.description.prior == "hyper")
    assert len(files[1]) < 1.1 * len(files[0])
    pictures = [decode(data).color.astype(float) for data in files]
    errors = [np.mean((picture - large.color) ** 2) for picture in pictures]
    assert errors[1] == pytest.approx(errors[0], rel=0.03)
    if model.description.prior == "factorised":  # no tile of it knows of another
        assert np.array_equal(decode_values(one, model), decode_values(tiled, model))


def test_neither_files_nor_values_depend_on_threads(large: Picture, model: Model) -> None:
    runtime = model.runtime(threads=1)
    files = {encode_picture(large, model, runtime, tile=TILE, threads=threads) for threads in (0, 1, 2, 8)}
    assert len(files) == 1
    contents = read_contents(files.pop())
    values = [decode_values(contents, model, threads) for threads in (0, 1, 2, 8)]
    assert all(np.array_equal(values[0], other) for other in values[1:])


def test_each_tile_is_decoded_without_the_others(large: Picture, model: Model) -> None:
    contents = read_contents(encode_picture(large, model, model.runtime(threads=1), tile=TILE))
    values = decode_values(contents, model)
    for number in range(4):
        alone = tuple(latent if i == number else b"\xff" for i, latent in enumerate(contents.latents))
        coded = CodedLatent(replace(contents, latents=alone), model)
        assert np.array_equal(coded.tile(number), values[:, *coded.tiles[number]])


RECTANGLES = ["600x420+0+0", "1x1+0+0", "1x1+599+419", "50x40+300+200", "300x16+7+223", "16x420+290+0"]


@pytest.mark.parametrize("rectangle", RECTANGLES)
@pytest.mark.parametrize("tile", [0, TILE])
def test_a_crop_is_what_the_whole_picture_has_there(
    rectangle: str, tile: int, large: Picture, model: Model, decode: Decode
) -> None:
    data = encode_picture(large, model, model.runtime(threads=1), tile=tile)
    crop = Crop.parse(rectangle)
    whole = decode(data).color[crop.top : crop.top + crop.height, crop.left : crop.left + crop.width]
    part = decode(data, crop=crop).color
    assert part.shape == whole.shape == (crop.height, crop.width, 3)
    assert np.abs(part.astype(int) - whole).max() <= 1


def test_a_crop_asks_for_the_tiles_that_it_needs_alone(large: Picture, photo_model: Model) -> None:
    data = encode_picture(large, photo_model, photo_model.runtime(threads=1), tile=TILE)
    head, hyper, first, *rest = unpack(data)
    # What lies in the other tiles is no latent at all.
    spoilt = pack([head, hyper, first, *(Section(SectionType.LATENT, b"\xff") for _ in rest)])
    options = {"find_model": lambda _: photo_model, "threads": 1}
    part = decode_picture(spoilt, crop=Crop(100, 90, 10, 20), **options).color
    assert np.array_equal(part, decode_picture(data, crop=Crop(100, 90, 10, 20), **options).color)
    with pytest.raises(PayloadError):
        decode_picture(spoilt, crop=Crop(100, 90, 300, 20), **options)


@pytest.mark.parametrize("way", range(1, 9))
def test_a_crop_is_of_the_picture_as_viewers_show_it(way: int, photo: Picture, tiny: Model) -> None:
    alpha = np.arange(64 * 96, dtype=np.uint8).reshape(64, 96)
    given = Picture(photo.color, alpha, Metadata(exif=EXIF % way))
    runtime = tiny.runtime(threads=1)
    data = encode_picture(given, tiny, runtime)
    options = {"find_model": lambda _: tiny, "open_runtime": lambda _: runtime}
    part = decode_picture(data, crop=Crop(20, 30, 5, 11), **options)
    assert part.alpha is not None
    for whole, cut in ((decode_picture(data, **options).color, part.color), (alpha, part.alpha)):
        shown = turn(whole, way)[11:41, 5:25]
        assert np.abs(turn(cut, way).astype(int) - shown).max() <= 1
    assert part.metadata == given.metadata


def test_files_of_other_tiles_than_they_say(large: Picture, photo: Picture, model: Model, decode: Decode) -> None:
    runtime = model.runtime(threads=1)
    tiled, whole = (unpack(Encoder(large, model, runtime, tile=tile).at(5000)) for tile in (TILE, 0))

    def header(payload: bytes, tiling: int) -> Section:
        return Section(SectionType.HEADER, payload[:2] + bytes([tiling]) + payload[3:])

    has_hyper = model.description.prior == "hyper"
    head, shared, latents = tiled[0].payload, list(tiled[1:-4]), list(tiled[-4:])
    assert len(shared) == has_hyper
    for tiling in (1, 2, 3, 13, 255):
        with pytest.raises(HeaderError, match=r"^the header asks for what version 1 does not have"):
            decode(pack([header(head, tiling), *shared, *latents]))
    with pytest.raises(HeaderError, match=r"^the header asks for tiles where one is all$"):
        decode(pack([header(whole[0].payload, 10), *whole[1:]]))
    for wrong in (latents[:3], [*latents, latents[0]]):
        with pytest.raises(SectionError, match=f"^{len(wrong)} latent sections where there must be 4$"):
            decode(pack([tiled[0], *shared, *wrong]))
    # Of equal size, but not for this place: the symbols are others, or the stream does not end where it should.
    with pytest.raises(PayloadError):
        decode(pack([tiled[0], *shared, latents[3], *latents[1:]]))
    extra = Section(SectionType.HYPER_LATENT, b"\x00")
    message = "a hyper-latent section is missing" if has_hyper else "a hyper-latent section of no use"
    with pytest.raises(SectionError, match=f"^{message}$"):
        decode(pack([tiled[0], *latents] if has_hyper else [tiled[0], extra, *latents]))
    if has_hyper:
        for bad in (b"", shared[0].payload[:-1], shared[0].payload + b"\x55"):
            with pytest.raises(PayloadError):
                decode(pack([tiled[0], Section(SectionType.HYPER_LATENT, bad), *latents]))
