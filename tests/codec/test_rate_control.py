"""Sizes and PSNRs asked for, in bytes of files and dB of decoded pixels."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnzip.codec.decode import decode_picture
from cnnzip.codec.encode import Encoder, encode_picture
from cnnzip.codec.inspect import describe
from cnnzip.codec.rate_control import Encoded, Target, closest, encode_to, goal_of, psnr
from cnnzip.errors import TargetError
from cnnzip.prior.quality import MAX_QUALITY


class CountingRuntime:
    """A runtime that tells how often its analysis ran."""

    def __init__(self, runtime):
        self.runtime = runtime
        self.analyses = 0

    def analysis(self, pixels):
        self.analyses += 1
        return self.runtime.analysis(pixels)

    def __getattr__(self, name):
        return getattr(self.runtime, name)


@pytest.fixture(params=["tiny", "photo"])
def encoder(request, photo, photo_model, photo_runtime, tiny, tiny_runtime):
    """The photo 96×64 to be coded, with a factorised prior and with a hyperprior."""
    model, runtime = {"tiny": (tiny, tiny_runtime), "photo": (photo_model, photo_runtime)}[request.param]
    return Encoder(photo, model, CountingRuntime(runtime))


def test_any_size_between_the_ends_is_reached_with_one_analysis(encoder):
    smallest, largest = len(encoder.at(0)), len(encoder.at(MAX_QUALITY))
    for share in (0.1, 0.5, 0.9):
        size = round(smallest**share * largest ** (1 - share))
        encoded = encode_to(encoder, Target("bytes", size))
        assert len(encoded.data) == pytest.approx(size, rel=0.02)
        assert encoded.data == encoder.at(encoded.units)
        assert describe(encoded.data).header.quality_units == encoded.units
        bpp = 8 * size / (96 * 64)
        assert encode_to(encoder, Target("bpp", bpp)) == encoded
    assert encoder.runtime.analyses == 1


def test_the_psnr_is_that_of_the_decoded_picture(encoder):
    low, high = (encode_to(encoder, units) for units in (0, MAX_QUALITY))
    goal = (_psnr(encoder, low) + _psnr(encoder, high)) / 2
    encoded = encode_to(encoder, Target("psnr", goal))
    assert encoded.psnr == pytest.approx(goal, abs=0.1)
    assert encoded.psnr == _psnr(encoder, encoded)


def _psnr(encoder, encoded):
    decoded = decode_picture(encoded.data, find_model=lambda _: encoder.model, open_runtime=lambda _: encoder.runtime)
    return psnr(encoder.picture.color, decoded.color, 8)


def test_a_largest_size_is_never_exceeded_and_hardly_wasted(encoder):
    at_75 = len(encoder.at(7500))
    for limit in (at_75 - 1, int(0.9 * at_75)):
        encoded = encode_to(encoder, 7500, limit)
        assert 0.98 * limit <= len(encoded.data) <= limit
    assert encode_to(encoder, 7500, at_75) == Encoded(encoder.at(7500), 7500)
    both = encode_to(encoder, Target("bytes", at_75), int(0.9 * at_75))
    assert len(both.data) <= 0.9 * at_75


def test_what_cannot_be_reached_says_how_near_one_gets(encoder):
    low, high = len(encoder.at(0)), len(encoder.at(MAX_QUALITY))
    with pytest.raises(TargetError, match=rf"^1 bytes cannot be reached: quality 0 takes {low:,} bytes$"):
        encode_to(encoder, Target("bytes", 1))
    with pytest.raises(TargetError, match=rf"bpp \(1,000,000 bytes\) cannot be .*: quality 100 takes {high:,} bytes$"):
        encode_to(encoder, Target("bpp", 8e6 / (96 * 64)))
    with pytest.raises(TargetError, match=r"^99 dB cannot be reached: quality 100 gives \d+\.\d\d dB$"):
        encode_to(encoder, Target("psnr", 99))
    with pytest.raises(TargetError, match=rf"^at most 9 bytes cannot be reached: quality 0 takes {low:,} bytes$"):
        encode_to(encoder, 5000, 9)


def test_a_quality_is_what_encode_picture_gives(encoder):
    data = encode_picture(encoder.picture, encoder.model, encoder.runtime, quality=33.3)
    assert encode_to(encoder, goal_of(33.3)).data == data


@pytest.mark.parametrize("given", [{"quality": 5, "psnr": 30}, {"size": 5, "bpp": 1}])
def test_goals_that_contradict_one_another(given):
    with pytest.raises(ValueError, match="contradict one another"):
        goal_of(**{"quality": None, **given})


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_goals_that_are_no_positive_number(value):
    for kind in ("bytes", "bpp", "psnr"):
        with pytest.raises(ValueError, match="a target is a positive number"):
            Target(kind, value)


def test_psnr_of_known_differences():
    black = np.zeros((4, 4, 3), np.uint16)
    assert psnr(black, black, 16) == math.inf
    assert psnr(black, black + 1, 16) == pytest.approx(20 * math.log10(65535))
    assert psnr(black, black + 1, 8) == pytest.approx(20 * math.log10(255))


@given(
    knees=st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=8),
    share=st.floats(0, 1),
)
def test_the_search_closes_in_on_any_rising_curve_in_few_tries(knees, share):
    """The curve is piecewise linear: as steep in one part as it is flat in another."""
    heights = np.concatenate([[0], np.cumsum(knees)])
    at = np.linspace(0, MAX_QUALITY, len(heights))
    tried = []

    def encode(units):
        tried.append(units)
        return Encoded(b"", units, psnr=float(np.interp(units, at, heights)))

    goal = share * heights[-1]
    tolerance = 0.02 * heights[-1]
    found = closest(encode, lambda encoded: encoded.psnr, goal, tolerance)
    step = max(np.diff(np.interp(np.arange(MAX_QUALITY + 1), at, heights)))
    assert abs(found.psnr - goal) <= max(0.1 * tolerance, step)
    assert len(tried) <= 2 + 2 * math.log2(MAX_QUALITY)
