import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cnnzip.image import Picture, from_pil, from_planes, to_planes

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3]))


def test_planes_are_contiguous_unit_floats_in_channel_order(parrots):
    planes = to_planes(from_pil(parrots))
    assert planes.shape == (1, 3, 64, 96)
    assert planes.dtype == np.float32
    assert planes.flags.c_contiguous
    red, green, blue = parrots.getpixel((5, 7))
    assert planes[0, :, 7, 5].tolist() == [np.float32(v) / np.float32(255) for v in (red, green, blue)]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_sample_value_survives(dtype):
    values = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(16, -1, 1)
    back = from_planes(to_planes(Picture(values)), values.itemsize * 8)
    assert back.dtype == dtype
    assert np.array_equal(back, values)


@given(hnp.arrays(np.uint8, SHAPES) | hnp.arrays(np.uint16, SHAPES))
def test_every_picture_survives(color):
    assert np.array_equal(from_planes(to_planes(Picture(color)), color.itemsize * 8), color)


def test_samples_are_clipped_and_rounded_half_up():
    values = [-np.inf, -1, 0, 0.49 / 255, 0.5 / 255, 1.5 / 255, 2.5 / 255, 1, 1.7, np.inf, np.nan]
    planes = np.array(values, np.float64).reshape(1, 1, 1, -1)
    assert from_planes(planes, 8).ravel().tolist() == [0, 0, 0, 0, 1, 2, 3, 255, 255, 255, 0]
    assert from_planes(planes.astype(np.float32), 16).ravel()[-4:].tolist() == [65535, 65535, 65535, 0]
