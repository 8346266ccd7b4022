"""The family `photo`, the flagship: residual, cheap mixing at low resolution, a hyperprior with context."""

from dataclasses import dataclass

from torch import Tensor, nn

from cnnzip.networks.family import Family, FamilyConfig
from cnnzip.networks.layers import (
    NEGATIVE_SLOPE,
    Offset,
    Transform,
    Upsample,
    lapped_analysis,
    lapped_synthesis,
    zeroed,
)


@dataclass(frozen=True)
class PhotoConfig(FamilyConfig):
    """Options of the family `photo`: channels of the branch at 1/4, 1/8 and 1/16, and blocks at each."""

    width_4: int = 64
    width_8: int = 128
    width_16: int = 192
    blocks_4: int = 1
    blocks_8: int = 3
    blocks_16: int = 2
    hyper_channels: int = 64

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.stride != 16 or self.latent_channels % 4:
            raise ValueError("stride must be 16, and latent_channels a multiple of 4")


class MixingBlock(nn.Module):
    """Space, then channels: `x += 1×1(dw3×3(lrelu(1×1 x)))`, `x += 1×1(lrelu(1×1 x → 2c))`.

    The last convolution of each branch starts at zero: a fresh block is the identity.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.space = nn.Sequential(
            nn.Conv2d(width, width, 1),
            nn.LeakyReLU(NEGATIVE_SLOPE),
            nn.Conv2d(width, width, 3, padding=1, groups=width),
            zeroed(nn.Conv2d(width, width, 1)),
        )
        self.channels = nn.Sequential(
            nn.Conv2d(width, 2 * width, 1),
            nn.LeakyReLU(NEGATIVE_SLOPE),
            zeroed(nn.Conv2d(2 * width, width, 1)),
        )
        self.dropout = nn.Dropout2d(0.0)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        x = x + self.dropout(self.space(x))
        mixed: Tensor = x + self.dropout(self.channels(x))
        return mixed


class Photo(Family):
    """A lapped transform merged to 1/16, and beside it a branch of mixing blocks at 1/4, 1/8 and 1/16."""

    name = "photo"
    summary = "the flagship: residual, depthwise mixing, hyperprior, context"
    prior = "hyper"
    previews = True
    config_type = PhotoConfig

    def __init__(self, config: PhotoConfig) -> None:
        super().__init__(config)
        channels = config.latent_channels
        widths = config.width_4, config.width_8, config.width_16
        fourth, eighth, sixteenth = (
            [MixingBlock(width) for _ in range(2 * count)]
            for width, count in zip(widths, (config.blocks_4, config.blocks_8, config.blocks_16), strict=True)
        )
        self.analysis = nn.Sequential(
            Offset(-0.5),
            Transform(
                shortcut=lapped_analysis(config.channels, channels, config.stride),  # (B, M, H/16, W/16)
                branch=nn.Sequential(
                    nn.PixelUnshuffle(4),
                    nn.Conv2d(config.channels * 4**2, widths[0], 3, padding=1),  # (B, 64, H/4, W/4)
                    *fourth[: config.blocks_4],
                    nn.Conv2d(widths[0], widths[1], 3, stride=2, padding=1),  # (B, 128, H/8, W/8)
                    *eighth[: config.blocks_8],
                    nn.Conv2d(widths[1], widths[2], 3, stride=2, padding=1),  # (B, 192, H/16, W/16)
                    *sixteenth[: config.blocks_16],
                    zeroed(nn.Conv2d(widths[2], channels, 1)),  # (B, M, H/16, W/16)
                ),
            ),
        )
        self.synthesis = nn.Sequential(
            Transform(
                shortcut=lapped_synthesis(config.channels, channels, config.stride),  # (B, C, H, W)
                branch=nn.Sequential(
                    nn.Conv2d(channels, widths[2], 1),
                    *sixteenth[config.blocks_16 :],
                    nn.Conv2d(widths[2], 4 * widths[1], 1),
                    nn.PixelShuffle(2),  # (B, 128, H/8, W/8)
                    *eighth[config.blocks_8 :],
                    nn.Conv2d(widths[1], 4 * widths[0], 1),
                    nn.PixelShuffle(2),  # (B, 64, H/4, W/4)
                    *fourth[config.blocks_4 :],
                    zeroed(Upsample(widths[0], config.channels, 4)),  # (B, C, H, W)
                ),
            ),
            Offset(0.5),
        )
        self.hyper_channels = config.hyper_channels
        self.hyper_analysis = nn.Sequential(
            nn.Conv2d(channels, widths[2], 1),
            nn.LeakyReLU(NEGATIVE_SLOPE),
            nn.PixelUnshuffle(2),
            nn.Conv2d(4 * widths[2], widths[2], 1),  # (B, 192, H/32, W/32)
            nn.LeakyReLU(NEGATIVE_SLOPE),
            nn.PixelUnshuffle(2),
            nn.Conv2d(4 * widths[2], config.hyper_channels, 1),  # (B, Z, H/64, W/64)
        )
