"""The family `denoise`: a residual U-Net that is told the noise level, without a bias anywhere.

Without biases, a picture with its noise scaled by any factor comes back scaled by that factor, so that the network
generalises beyond the levels that it was trained at (Mohan et al., ICLR 2020). The level is a plane beside those of the
picture, and all work is done at half the resolution and below (Zhang et al., FFDNet, TIP 2018).
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cnnzip.networks.family import Network, NetworkConfig
from cnnzip.networks.layers import ResidualBlock, scaled_for_relu, zeroed

MULTIPLE = 8
"""Both sides of a picture must be multiples of it: the coarsest of the three scales is 1/8."""


@dataclass(frozen=True)
class DenoiseConfig(NetworkConfig):
    """Options of the family `denoise`; `width` is N, the filters at 1/2; there are 2·N at 1/4 and 4·N at 1/8."""

    width: int = 48
    blocks: int = 1
    """Residual blocks at each of the three scales on the way down, and at 1/4 and 1/2 on the way up."""


def convolution(inputs: int, outputs: int) -> nn.Conv2d:
    """3×3, without a bias."""
    return nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)


def down(inputs: int, outputs: int) -> nn.Conv2d:
    """(B, C, H, W) to (B, D, H/2, W/2)."""
    return nn.Conv2d(inputs, outputs, 2, stride=2, bias=False)


def up(inputs: int, outputs: int) -> nn.Sequential:
    """(B, C, H, W) to (B, D, 2·H, 2·W)."""
    return nn.Sequential(nn.Conv2d(inputs, 4 * outputs, 1, bias=False), nn.PixelShuffle(2))


class Body(nn.Module):
    """Features at 1/2, (B, N, H/2, W/2), to the noise, (B, C, H, W)."""

    def __init__(self, config: DenoiseConfig) -> None:
        super().__init__()
        width = config.width

        def blocks(width: int) -> nn.Sequential:
            return nn.Sequential(*(ResidualBlock(width, 3, bias=False) for _ in range(config.blocks)))

        self.fine = blocks(width)  # (B, N, H/2, W/2)
        self.down_4 = down(width, 2 * width)
        self.middle = blocks(2 * width)  # (B, 2·N, H/4, W/4)
        self.down_8 = down(2 * width, 4 * width)
        self.coarse = blocks(4 * width)  # (B, 4·N, H/8, W/8)
        self.up_4 = up(4 * width, 2 * width)
        self.middle_back = blocks(2 * width)
        self.up_2 = up(2 * width, width)
        self.fine_back = blocks(width)
        self.tail = nn.Sequential(convolution(width, 4 * config.channels), nn.PixelShuffle(2))

    def forward(self, features: Tensor) -> Tensor:
        """See the class."""
        fine = self.fine(features)
        middle = self.middle(self.down_4(fine))
        coarse = self.coarse(self.down_8(middle))
        middle = self.middle_back(middle + self.up_4(coarse))
        noise: Tensor = self.tail(self.fine_back(fine + self.up_2(middle)))
        return noise


class UNet(nn.Module):
    """`noisy - body(head(noisy, level))`.

    Training runs the head in single and the body in half precision: rounded to 8 bits of mantissa, bright pixels would
    lose what is to be seen of faint noise.
    """

    def __init__(self, config: DenoiseConfig) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.PixelUnshuffle(2), convolution(4 * (config.channels + 1), config.width))
        self.body = Body(config)

    def features(self, noisy: Tensor, level: Tensor) -> Tensor:
        """(B, C, H, W) and (B, 1, H, W) to (B, N, H/2, W/2)."""
        features: Tensor = self.head(torch.cat((noisy, level), dim=1))
        return features

    def forward(self, noisy: Tensor, level: Tensor) -> Tensor:
        """See `Denoise`."""
        clean: Tensor = noisy - self.body(self.features(noisy, level))
        return clean


class Denoise(Network):
    """Noisy pixels in 0…1, (B, C, H, W), and the level, (B, 1, H, W), σ / 255, to denoised pixels, (B, C, H, W).

    H and W are multiples of `MULTIPLE`.
    """

    name = "denoise"
    summary = "takes noise away: residual U-Net without biases, told the noise level"
    prior = "none"
    config_type = DenoiseConfig

    config: DenoiseConfig

    def __init__(self, config: DenoiseConfig) -> None:
        super().__init__()
        self.config = config
        self.denoise = scaled_for_relu(UNet(config))
        for module in self.denoise.modules():
            if isinstance(module, ResidualBlock):
                zeroed(module.second)
        zeroed(self.denoise.body.tail[0])  # a fresh network changes nothing

    @property
    def halo(self) -> int:
        """Pixels beyond a tile, a multiple of `MULTIPLE`, that its output may depend on.

        The reach of one value, followed from the output back to the input, for a tile whose sides lie on multiples.
        """
        reach = 2 * self.config.blocks
        at_2 = 1 + reach
        at_4 = -(-at_2 // 2) + reach
        at_8 = -(-at_4 // 2) + reach
        pixels = 2 * (2 * (2 * at_8 + reach) + reach + 1)
        return -(-pixels // MULTIPLE) * MULTIPLE

    def forward(self, noisy: Tensor, level: Tensor) -> Tensor:
        """See the class."""
        clean: Tensor = self.denoise(noisy, level)
        return clean
