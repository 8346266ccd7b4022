import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnzip.prior.quality import MAX_QUALITY, level_of, nearest_row, to_units

units = st.integers(0, MAX_QUALITY)
counts = st.integers(2, 300)


@pytest.mark.parametrize(("quality", "expected"), [(0, 0), (75, 7500), (0.01, 1), (33.333, 3333), (100.0, 10_000)])
def test_quality_to_hundredths(quality, expected):
    assert to_units(quality) == expected


@pytest.mark.parametrize("quality", [-0.001, 100.001, math.nan, math.inf, -math.inf])
def test_quality_outside_the_scale(quality):
    with pytest.raises(ValueError, match=r"quality must lie in 0 … 100"):
        to_units(quality)


@given(units, counts)
def test_level_and_fraction_are_the_exact_position(units, levels):
    level, t = level_of(units, levels)
    assert 0 <= level <= levels - 2
    assert 0.0 <= t <= 1.0
    position = Fraction(units * (levels - 1), MAX_QUALITY)
    assert t == float(position - level)


@given(st.integers(0, MAX_QUALITY - 1), counts)
def test_the_position_rises_with_the_quality(units, levels):
    assert sum(level_of(units, levels)) < sum(level_of(units + 1, levels))


@given(units, counts)
def test_the_nearest_row_is_nearest(units, rows):
    row = nearest_row(units, rows)
    distance = abs(Fraction(units * (rows - 1), MAX_QUALITY) - row)
    assert 0 <= row <= rows - 1
    assert distance <= Fraction(1, 2)


@given(st.integers(0, MAX_QUALITY - 1), counts)
def test_rows_rise_with_the_quality(units, rows):
    assert 0 <= nearest_row(units + 1, rows) - nearest_row(units, rows) <= 1


def test_rows_of_the_scale_are_their_own_nearest():
    assert [nearest_row(row * MAX_QUALITY // 28, 29) for row in range(29)] == list(range(29))
    assert (nearest_row(4999, 2), nearest_row(5000, 2)) == (0, 1)  # a tie goes up
