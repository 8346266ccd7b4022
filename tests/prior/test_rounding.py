"""The encoder's trade of error for bits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cnnzip.prior.hyper_fit import normal_letters
from cnnzip.prior.rounding import DISTANCES, TRADE, round_to, thresholds, to_nearest

NORMAL = normal_letters()[:, :-1]
LIMITS = thresholds(list(NORMAL))

numbers = arrays(np.float32, 20, elements=st.floats(-300, 300, width=32))
scales = arrays(np.uint8, 20, elements=st.integers(0, 63))


@given(numbers, scales)
def test_plain_rounding(x, index):
    nearest = round_to(x, index, to_nearest(64))
    assert (np.abs(nearest - x) <= 0.5).all()
    assert (nearest == np.rint(nearest)).all()


@given(numbers, scales)
def test_a_symbol_is_the_nearest_or_one_nearer_to_zero(x, index):
    chosen, nearest = round_to(x, index, LIMITS), round_to(x, index, to_nearest(64))
    assert ((np.abs(nearest) - np.abs(chosen) == 0) | (np.abs(nearest) - np.abs(chosen) == 1)).all()
    assert np.array_equal(round_to(-x, index, LIMITS), -chosen)


@given(numbers, scales)
def test_no_other_choice_costs_less(x, index):
    """Error plus µ times the bits, against the integer below and the one above."""
    x = np.minimum(np.abs(x), DISTANCES - 1).astype(np.float32)

    def cost(symbols):
        bits = -np.log2((NORMAL + NORMAL[:, ::-1])[index, symbols.astype(int) + 255])
        return (x - symbols).astype(np.float64) ** 2 + TRADE * bits

    below = np.floor(x)
    # Where a threshold is one, the upper integer is no choice, whatever it costs.
    above = np.where(LIMITS[index, below.astype(int)] < 1, below + 1, below)
    assert (cost(round_to(x, index, LIMITS)) <= np.minimum(cost(below), cost(above)) + 1e-3).all()


@pytest.mark.parametrize("index", [0, 30, 63])
def test_thresholds_lie_between_a_half_and_one_and_fall_with_the_scale(index):
    assert LIMITS.shape == (64, DISTANCES)
    assert ((LIMITS[index] >= 0.5) & (LIMITS[index] <= 1)).all()
    assert LIMITS[0, 0] > LIMITS[30, 0] > LIMITS[63, 0] >= 0.5
