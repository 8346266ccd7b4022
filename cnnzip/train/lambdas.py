"""λ, the price of distortion in bits, of every level of quality."""

import math
from dataclasses import dataclass
from typing import Any, TypeVar

from torch import Tensor

from cnnzip.train.config import TrainConfig

Number = TypeVar("Number", float, Tensor)

LEAST = 1e-6
"""Beyond this and its inverse no picture is worth anything, or every bit of noise is."""


@dataclass(frozen=True)
class Lambdas:
    """λ of the levels 0 … levels − 1, which lie at equal distances on the scale of quality.

    log λ is linear in the level, but for its `bend`: such a share of the way from the lowest to the highest λ goes with
    the square of the level. So quality 75 can be where people expect it on a scale that reaches far up.
    """

    levels: int
    lowest: float
    highest: float
    bend: float = 0.0

    def __post_init__(self) -> None:
        """Refuse, with a ValueError, what is no scale of quality."""
        # Not the other way round: NaN is neither below nor above.
        if not (self.levels >= 2 and LEAST <= self.lowest < self.highest <= 1 / LEAST and 0 <= self.bend < 1):
            raise ValueError(f"λ must grow from level to level, from {LEAST:g} to {1 / LEAST:g}")

    @classmethod
    def between(cls, lowest: float, highest: float) -> "Lambdas":
        """About an octave a level, with the bend that runs have by default."""
        return cls(max(2, round(math.log2(highest / lowest)) + 1), lowest, highest, TrainConfig.bend)

    @classmethod
    def of(cls, config: TrainConfig) -> "Lambdas":
        """As the settings of a run say."""
        highest = config.highest_lambda
        if highest is None:
            highest = config.lowest_lambda * 2.0 ** (config.levels - 1)
        return cls(config.levels, config.lowest_lambda, highest, config.bend)

    def settings(self) -> dict[str, Any]:
        """The settings of a run that has these levels."""
        return {
            "levels": self.levels,
            "lowest_lambda": self.lowest,
            "highest_lambda": self.highest,
            "bend": self.bend,
        }

    @property
    def octaves(self) -> float:
        """log2 of the ratio of the highest to the lowest."""
        return math.log2(self.highest / self.lowest)

    def at(self, level: Number) -> Number:
        """λ at a level, a real number."""
        share = level / (self.levels - 1)
        return self.lowest * 2 ** (self.octaves * share * (1 - self.bend + self.bend * share))

    def level(self, lagrangian: float) -> float:
        """The level with this λ; beyond both ends, where the curve would go on straight."""
        share = math.log2(lagrangian / self.lowest) / self.octaves
        if share < 0:
            share /= 1 - self.bend
        elif share > 1:
            share = 1 + (share - 1) / (1 + self.bend)
        elif self.bend:
            # What `at` does to a share, the other way round.
            straight = 1 - self.bend
            share = 2 * share / (straight + math.sqrt(straight**2 + 4 * self.bend * share))
        return share * (self.levels - 1)
