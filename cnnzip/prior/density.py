"""The factorised prior while it is being learnt: gains, means and a smooth density a channel (torch).

What a file is coded with are the integer tables that `fit.py` makes of it afterwards.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LIKELIHOOD_FLOOR = 1e-9
"""Keeps the rate of one symbol below 30 bits, and its gradient finite."""


class Gains(nn.Module):
    """Learnt gains: one network serves every quality.

    The latent is multiplied by a gain a level and channel, rounded, and multiplied by an inverse gain (Cui et al.,
    "Asymmetric gained deep image compression", CVPR 2021). Levels lie at 0 … levels − 1 and are interpolated
    geometrically.
    """

    def __init__(self, channels: int, levels: int) -> None:
        super().__init__()
        # The best step is proportional to 1/√λ, and λ doubles from one level to the next.
        start = (torch.arange(levels) - (levels - 1) / 2) * (math.log(2) / 2)
        self.log_gain = nn.Parameter(start[:, None].repeat(1, channels))  # (L, M)
        self.log_inverse_gain = nn.Parameter(-start[:, None].repeat(1, channels))  # (L, M)
        self.mean = nn.Parameter(torch.zeros(channels))  # (M,), in units of the latent

    @property
    def levels(self) -> int:
        """How many quality levels have gains of their own."""
        return self.log_gain.shape[0]

    def gains(self, level: Tensor) -> tuple[Tensor, Tensor]:
        """Gain and inverse gain, each (B, M, 1, 1), at `level` (B,), a real number in 0 … levels − 1."""
        low = level.floor().clamp(0, self.levels - 2).long()
        t = (level - low)[:, None]
        gain, inverse = (
            torch.lerp(log[low], log[low + 1], t).exp()[:, :, None, None]
            for log in (self.log_gain, self.log_inverse_gain)
        )
        return gain, inverse


class Mixture(nn.Module):
    """A mixture of logistic densities a channel, the same at every position (Ballé et al., ICLR 2017, sec. 3)."""

    def __init__(self, channels: int, components: int = 3) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.linspace(-1.5, 1.5, components)[:, None].repeat(1, channels))  # (K, M)
        self.offset = nn.Parameter(torch.zeros(components, channels))  # (K, M)
        self.logits = nn.Parameter(torch.zeros(components, channels))  # (K, M)

    def likelihood(self, scaled: Tensor, gain: Tensor) -> Tensor:
        """Mass of the interval of length one around `scaled`, (B, M, H/s, W/s), at `gain` (B, M, 1, 1)."""
        weight = F.softmax(self.logits, dim=0)
        mass = torch.zeros_like(scaled)
        half = 0.5 / gain
        centre = scaled / gain
        for k in range(weight.shape[0]):
            slope = (-self.log_scale[k]).exp()[:, None, None]
            # The mass is symmetric; on the left of the mode the difference of the sigmoids keeps its precision.
            distance = -(centre - self.offset[k][:, None, None]).abs()
            upper, lower = torch.sigmoid((distance + half) * slope), torch.sigmoid((distance - half) * slope)
            mass = mass + weight[k][:, None, None] * (upper - lower)
        return mass.clamp_min(LIKELIHOOD_FLOOR)


def rounded(x: Tensor) -> Tensor:
    """X rounded, with the gradient of x (straight-through; Minnen and Singh, ICIP 2020)."""
    return x + (x.round() - x).detach()


class FactorisedDensity(Gains):
    """The factorised prior: gains, and a mixture a channel."""

    def __init__(self, channels: int, levels: int) -> None:
        super().__init__(channels, levels)
        self.mixture = Mixture(channels)

    def forward(self, latent: Tensor, level: Tensor, _hyper_analysis: nn.Module | None = None) -> tuple[Tensor, Tensor]:
        """Quantised latent for the synthesis, and bits a picture.

        In training the rate is that of additive uniform noise, the distortion that of rounding with a
        straight-through gradient (Minnen and Singh, ICIP 2020); in evaluation both are those of rounding.

        Args:
            latent: (B, M, H/s, W/s).
            level: (B,), see `gains`.
        """
        gain, inverse = self.gains(level)
        scaled = (latent - self.mean[:, None, None]) * gain
        symbols = rounded(scaled)
        noisy = scaled + torch.rand_like(scaled) - 0.5 if self.training else symbols
        bits = -self.mixture.likelihood(noisy, gain).log2().sum(dim=(1, 2, 3))
        return symbols * inverse + self.mean[:, None, None], bits
