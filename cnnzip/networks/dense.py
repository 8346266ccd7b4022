"""The family `dense`: convolution, pooling and fully connected layers, from each 32×32 block to a vector and back."""

from dataclasses import dataclass
from itertools import pairwise

from torch import Tensor, nn

from cnnzip.networks.family import Family, FamilyConfig, choice
from cnnzip.networks.layers import (
    Offset,
    ending_faintly,
    lapped_analysis,
    lapped_synthesis,
    parallel,
    pooling_layer,
    scaled_for_relu,
    zeroed,
)

BLOCK = 32
POOLED = 8
"""The pooled features of a block are (BLOCK / POOLED)² positions."""


@dataclass(frozen=True)
class DenseConfig(FamilyConfig):
    """Options of the family `dense`; `width` is N, the features of 8×8 pixels; a vector has `latent_channels`."""

    latent_channels: int = 384
    stride: int = choice(BLOCK)
    width: int = 128
    blocks: int = 1
    """Fully connected layers a side between features and vector."""
    kernel: int = 3
    pooling: str = choice("average", "max")
    deblocking: int = choice(1, 0)
    """Whether a layer smooths the seams of the blocks that were put together."""
    shortcut: int = choice(1, 0)
    """Whether a linear transform runs beside it all, as in `residual`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, not {self.kernel}")
        if self.width % 4:
            raise ValueError("width must be a multiple of 4")
        if self.shortcut and self.latent_channels % (self.stride // 8) ** 2:
            raise ValueError(f"with a shortcut latent_channels must be a multiple of {(self.stride // 8) ** 2}")


class Deblocking(nn.Module):
    """`x + conv(relu(conv(x)))` over neighbours from all blocks, at half the resolution to see further.

    The second convolution starts at zero: a fresh one changes nothing.
    """

    def __init__(self, planes: int, width: int = 32) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.PixelUnshuffle(2),
            nn.Conv2d(4 * planes, width, 3, padding=1),
            nn.ReLU(),
            zeroed(nn.Conv2d(width, 4 * planes, 3, padding=1)),
            nn.PixelShuffle(2),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        smoothed: Tensor = x + self.branch(x)
        return smoothed


class Dense(Family):
    """Pooled features of a block, all of them fully connected to its vector; from there straight back to its pixels.

    A fully connected layer on a block is a convolution whose kernel and stride are the block, so that pictures of any
    size pass.
    """

    name = "dense"
    summary = "convolution, pooling and fully connected layers: a vector for each block of 32×32"
    prior = "factorised"
    config_type = DenseConfig

    def __init__(self, config: DenseConfig) -> None:
        super().__init__(config)
        channels, planes, width, side = config.latent_channels, config.channels, config.width, BLOCK // POOLED

        def pooled(inputs: int, outputs: int) -> list[nn.Module]:
            convolution = nn.Conv2d(inputs, outputs, config.kernel, padding=config.kernel // 2)
            return [convolution, nn.ReLU(), pooling_layer(config.pooling)]

        def connected(inputs: int, outputs: int) -> list[nn.Module]:
            """All fully connected layers of a side; those before the last one are as wide as the vector."""
            sizes = [inputs, *[channels] * (config.blocks - 1), outputs]
            layers: list[nn.Module] = []
            for before, after in pairwise(sizes):
                layers += [nn.ReLU(), nn.Dropout2d(0.0), nn.Conv2d(before, after, 1)]
            return layers[2:]

        analysis = nn.Sequential(
            *pooled(planes, width // 4),
            *pooled(width // 4, width // 2),
            *pooled(width // 2, width),  # (B, N, H/8, W/8)
            nn.PixelUnshuffle(side),  # (B, 16·N, H/32, W/32)
            *connected(side**2 * width, channels),  # (B, M, H/32, W/32)
        )
        synthesis = nn.Sequential(
            *connected(channels, side**2 * width),
            nn.PixelShuffle(side),  # (B, N, H/8, W/8)
            nn.ReLU(),
            nn.Dropout2d(0.0),
            nn.Conv2d(width, planes * POOLED**2, 1),
            nn.PixelShuffle(POOLED),  # (B, C, H, W)
        )
        self.analysis = nn.Sequential(
            Offset(-0.5),
            parallel(lapped_analysis(planes, channels, BLOCK) if config.shortcut else None, scaled_for_relu(analysis)),
        )
        self.synthesis = nn.Sequential(
            parallel(
                lapped_synthesis(planes, channels, BLOCK) if config.shortcut else None,
                ending_faintly(scaled_for_relu(synthesis)),
            ),
            *([Deblocking(planes)] if config.deblocking else []),
            Offset(0.5),
        )
