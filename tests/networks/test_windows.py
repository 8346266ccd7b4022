"""Windows cover a picture once, on the network's grid, with all that each depends on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnzip.networks.windows import windows

SIZES = st.integers(1, 200)


@given(SIZES, SIZES, st.sampled_from([1, 8, 16]), st.integers(0, 40), st.integers(8, 90))
def test_each_pixel_once_with_its_surroundings(height: int, width: int, multiple: int, halo: int, side: int) -> None:
    picture = np.arange(height * width).reshape(height, width)
    seen = np.zeros_like(picture)
    for window in windows(height, width, multiple=multiple, halo=halo, side=side):
        seen[window.inner] += 1
        np.testing.assert_array_equal(picture[window.outer][window.within], picture[window.inner])
        for outer, inner, length in zip(window.outer, window.inner, (height, width), strict=True):
            assert outer.start % multiple == 0
            assert outer.stop == length or outer.stop % multiple == 0
            assert outer.start <= max(inner.start - halo, 0)
            assert outer.stop >= min(inner.stop + halo, length)
            assert inner.stop - inner.start <= side + multiple
    assert (seen == 1).all()


@pytest.mark.parametrize(("length", "count"), [(100, 1), (101, 2), (205, 3)])
def test_they_are_of_about_equal_size(length: int, count: int) -> None:
    spans = [window.inner[0] for window in windows(length, 1, multiple=8, halo=0, side=100)]
    sides = [span.stop - span.start for span in spans]
    assert len(spans) == count
    assert max(sides) - min(sides) <= 8 * count


@given(st.data(), SIZES, SIZES, st.integers(0, 40), st.integers(8, 90))
def test_a_region_alone(data: st.DataObject, height: int, width: int, halo: int, side: int) -> None:
    spans = []
    for length in (height, width):
        start = 8 * data.draw(st.integers(0, (length - 1) // 8))
        spans.append(slice(start, min(start + 8 * data.draw(st.integers(1, 25)), length)))
    region = spans[0], spans[1]
    picture = np.arange(height * width).reshape(height, width)
    seen = np.zeros_like(picture)
    for window in windows(height, width, multiple=8, halo=halo, side=side, region=region):
        seen[window.inner] += 1
        np.testing.assert_array_equal(picture[window.outer][window.within], picture[window.inner])
        for outer, inner, length in zip(window.outer, window.inner, (height, width), strict=True):
            assert outer.start <= max(inner.start - halo, 0)
            assert outer.stop >= min(inner.stop + halo, length)
    assert (seen[region] == 1).all()
    assert seen.sum() == seen[region].size
