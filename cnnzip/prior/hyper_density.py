"""The hyperprior with context while it is being learnt (torch). `hyper.py` runs it afterwards, in exact integers.

A hyper-latent at 1/64 tells the mean and the scale of every symbol (Ballé et al., ICLR 2018; Minnen et al., NeurIPS
2018); half of the symbols, once decoded, tell more about the other half: a checkerboard (He et al., CVPR 2021) whose
parity is swapped for the second half of the channels, so that then every position knows half of its channels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cnnzip.prior.density import LIKELIHOOD_FLOOR, Gains, Mixture, rounded
from cnnzip.prior.exact import LEAK_BITS
from cnnzip.prior.rounding import TRADE
from cnnzip.prior.scales import CONTEXT_LIMIT, HYPER_STRIDE, LAST_SCALE, SMALLEST_LOG2, STEP_LOG2


def first_half(channels: int, height: int, width: int, device: torch.device) -> Tensor:
    """As in `hyper.py`: even positions of the first M / 2 channels, odd ones of the others, (M, h, w)."""
    even = (torch.arange(height, device=device)[:, None] + torch.arange(width, device=device)) % 2 == 0
    second = torch.arange(channels, device=device) >= channels // 2
    return even[None] ^ second[:, None, None]


class HyperDensity(Gains):
    """Gains, hyper-latent, context and entropy parameters; M channels.

    Args:
        channels: M.
        levels: of quality.
        hyper_channels: of the hyper-latent.
        width: of the hidden layers.
        sent: whether symbols are those that an encoder sends, in rate and distortion: for the last phase of a training,
            and for validation. Otherwise the rate is that of noise, and symbols are rounded to the nearest.
    """

    def __init__(
        self, channels: int, levels: int, hyper_channels: int = 64, width: int = 192, *, sent: bool = False
    ) -> None:
        super().__init__(channels, levels)
        self.sent = sent
        act = nn.LeakyReLU(2.0**-LEAK_BITS)
        self.hyper_mixture = Mixture(hyper_channels)
        self.hyper_synthesis = nn.Sequential(
            nn.Conv2d(hyper_channels, 4 * width, 1),
            act,
            nn.PixelShuffle(2),
            nn.Conv2d(width, width, 3, padding=1, groups=width),
            nn.Conv2d(width, 4 * width, 1),
            act,
            nn.PixelShuffle(2),
            nn.Conv2d(width, width, 3, padding=1, groups=width),
            nn.Conv2d(width, width, 1),
            act,
        )
        self.first = nn.Conv2d(width, 2 * channels, 1)
        self.context = nn.Sequential(
            nn.Conv2d(channels, width, 1),
            nn.Conv2d(width, width, 3, padding=1, groups=width),
            act,
        )
        self.second = nn.Sequential(nn.Conv2d(2 * width, width, 1), act, nn.Conv2d(width, 2 * channels, 1))

    def forward(self, latent: Tensor, level: Tensor, hyper_analysis: nn.Module) -> tuple[Tensor, Tensor]:
        """Quantised latent (B, M, h, w) for the synthesis, and bits a picture; see `FactorisedDensity.forward`."""
        height, width = latent.shape[2:]
        gain, inverse = self.gains(level)
        scaled = (latent - self.mean[:, None, None]) * gain
        hyper = hyper_analysis(pad(scaled))
        hyper_symbols = rounded(hyper)
        hyper_noisy = hyper + torch.rand_like(hyper) - 0.5 if self.training else hyper_symbols
        bits = (
            -self.hyper_mixture.likelihood(hyper_noisy, torch.ones_like(hyper[:, :, :1, :1])).log2().sum(dim=(1, 2, 3))
        )
        features = self.hyper_synthesis(hyper_symbols)[:, :, :height, :width]
        mean, scale = self.parameters_of(features, scaled)
        values = self._symbols(scaled - mean, scale) + mean
        noisy = scaled + torch.rand_like(scaled) - 0.5 if self.training and not self.sent else values
        bits = bits - normal_mass(noisy - mean, scale).log2().sum(dim=(1, 2, 3))
        return values * inverse + self.mean[:, None, None], bits

    def parameters_of(self, features: Tensor, scaled: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and index of the scale, each (B, M, h, w), of every symbol, as a decoder would come to know them."""
        _, channels, height, width = scaled.shape
        mask = first_half(channels, height, width, scaled.device)
        parameters = self.first(features)
        mean, scale = parameters.chunk(2, dim=1)
        values = (self._symbols(scaled - mean, scale) + mean).clamp(-CONTEXT_LIMIT, CONTEXT_LIMIT)
        context = self.context(torch.where(mask, values, 0.0))
        # The mask for both the means and the scales.
        both = mask.repeat(2, 1, 1)
        parameters = torch.where(both, parameters, self.second(torch.cat([features, context], dim=1)))
        mean, scale = parameters.chunk(2, dim=1)
        return mean, scale.clamp(0, LAST_SCALE)

    def _symbols(self, distance: Tensor, scale: Tensor) -> Tensor:
        return sent_symbols(distance, scale.clamp(0, LAST_SCALE)) if self.sent else rounded(distance)


def pad(scaled: Tensor) -> Tensor:
    """(B, M, h, w) with zeros behind, up to multiples of `HYPER_STRIDE`."""
    height, width = scaled.shape[2:]
    return F.pad(scaled, (0, -width % HYPER_STRIDE, 0, -height % HYPER_STRIDE))


def sent_symbols(distance: Tensor, scale: Tensor) -> Tensor:
    """The integers that an encoder sends for distances from the mean, as `rounding.py` has it, with their gradient.

    The bits are those of the normal density, the gradient is that of `distance` (straight-through).
    """
    with torch.no_grad():
        magnitude = distance.abs()
        below = magnitude.floor()
        dearer = normal_mass(below, scale).log2() - normal_mass(below + 1, scale).log2()
        limit = (0.5 + TRADE / 2 * dearer).clamp(0.5, 1.0)
        symbols = torch.copysign(below + (magnitude - below > limit), distance)
    return distance + (symbols - distance).detach()


def normal_mass(distance: Tensor, scale: Tensor) -> Tensor:
    """Mass of a normal density, of the scale with index `scale`, in the interval of length one around `distance`."""
    inverse = torch.exp2(-(scale * STEP_LOG2 + SMALLEST_LOG2)) * 2**-0.5
    # On the left of the mode the difference of the error functions keeps its precision.
    left = -distance.abs()
    mass = 0.5 * (torch.erfc(-(left + 0.5) * inverse) - torch.erfc(-(left - 0.5) * inverse))
    return mass.clamp_min(LIKELIHOOD_FLOOR)
