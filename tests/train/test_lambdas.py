"""λ of the levels of quality."""

import pytest
import torch

from cnnzip.train.config import TrainConfig
from cnnzip.train.lambdas import Lambdas


def test_lambda_doubles_from_level_to_level_where_no_highest_is_given() -> None:
    lambdas = Lambdas.of(TrainConfig(levels=9, lowest_lambda=0.0008, highest_lambda=None, bend=0.0))
    assert [lambdas.at(float(level)) for level in range(9)] == pytest.approx([0.0008 * 2**level for level in range(9)])


@pytest.mark.parametrize("bend", [0.0, 0.3, 0.9])
def test_a_level_comes_back_from_its_lambda(bend: float) -> None:
    lambdas = Lambdas(6, 0.001, 0.5, bend)
    levels = torch.linspace(0, 5, 41)
    priced = lambdas.at(levels)
    assert (priced[0].item(), priced[-1].item()) == pytest.approx((0.001, 0.5))
    assert (priced.diff() > 0).all()
    assert [lambdas.level(price) for price in priced.tolist()] == pytest.approx(levels.tolist(), abs=1e-4)


def test_beyond_the_ends_the_curve_goes_on_straight() -> None:
    lambdas = Lambdas(5, 0.01, 0.16, 0.5)
    for end, step in (0.0, -0.01), (4.0, 0.01):
        inside, outside = (lambdas.at(end) / lambdas.at(end - step), lambdas.at(end + step) / lambdas.at(end))
        assert inside == pytest.approx(outside, rel=1e-3)
        assert lambdas.level(lambdas.at(end) * inside**100) == pytest.approx(end + 100 * step, abs=0.02)


def test_the_bend_moves_levels_in_the_middle_towards_low_lambda() -> None:
    straight, bent = (Lambdas(11, 0.0006, 0.6144, bend) for bend in (0.0, 0.3))
    assert all(bent.at(float(level)) < straight.at(float(level)) for level in range(1, 10))


def test_about_an_octave_a_level() -> None:
    lambdas = Lambdas.between(0.0006, 0.6144)
    assert lambdas == Lambdas.of(TrainConfig())
    assert lambdas.levels == 11
    assert Lambdas.of(TrainConfig(**lambdas.settings())) == lambdas
    assert Lambdas.between(0.01, 0.011).levels == 2


@pytest.mark.parametrize(
    ("levels", "lowest", "highest", "bend"),
    [
        (1, 0.01, 0.02, 0.0),
        (3, 0.02, 0.01, 0.0),
        (3, 0.0, 0.01, 0.0),
        (3, 0.01, 0.02, 1.0),
        (3, 0.01, float("inf"), 0.0),
        (3, float("nan"), 0.02, 0.0),
    ],
)
def test_what_is_no_scale(levels: int, lowest: float, highest: float, bend: float) -> None:
    with pytest.raises(ValueError, match="λ must grow from level to level"):
        Lambdas(levels, lowest, highest, bend)
