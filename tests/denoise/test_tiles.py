"""Tiles cover a picture once, on the network's grid, with all that each depends on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnzip.denoise.tiles import tiles

SIZES = st.integers(1, 200)


@given(SIZES, SIZES, st.sampled_from([1, 8, 16]), st.integers(0, 40), st.integers(8, 90))
def test_each_pixel_once_with_its_surroundings(height: int, width: int, multiple: int, halo: int, side: int) -> None:
    picture = np.arange(height * width).reshape(height, width)
    seen = np.zeros_like(picture)
    for tile in tiles(height, width, multiple=multiple, halo=halo, side=side):
        seen[tile.inner] += 1
        np.testing.assert_array_equal(picture[tile.outer][tile.within], picture[tile.inner])
        for outer, inner, length in zip(tile.outer, tile.inner, (height, width), strict=True):
            assert outer.start % multiple == 0
            assert outer.stop == length or outer.stop % multiple == 0
            assert outer.start <= max(inner.start - halo, 0)
            assert outer.stop >= min(inner.stop + halo, length)
            assert inner.stop - inner.start <= side + multiple
    assert (seen == 1).all()


@pytest.mark.parametrize(("length", "count"), [(100, 1), (101, 2), (205, 3)])
def test_tiles_are_of_about_equal_size(length: int, count: int) -> None:
    spans = [tile.inner[0] for tile in tiles(length, 1, multiple=8, halo=0, side=100)]
    sides = [span.stop - span.start for span in spans]
    assert len(spans) == count
    assert max(sides) - min(sides) <= 8 * count
