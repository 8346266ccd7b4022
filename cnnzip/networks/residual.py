"""The family `residual`: strided convolutions and residual blocks on both sides (He et al., CVPR 2016)."""

from dataclasses import dataclass

from torch import nn

from cnnzip.networks.family import Family, FamilyConfig
from cnnzip.networks.layers import NEGATIVE_SLOPE, Offset, ResidualBlock, Transform, Upsample, haar_convolution


@dataclass(frozen=True)
class ResidualConfig(FamilyConfig):
    """Options of the family `residual`; `width` is N, the filters of every convolution in the branch."""

    width: int = 64
    blocks: int = 3
    kernel: int = 3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, not {self.kernel}")
        if self.stride not in (8, 16) or self.latent_channels % (self.stride // 8) ** 2:
            raise ValueError("stride must be 8 or 16, and with 16 latent_channels a multiple of 4")


class Residual(Family):
    """Residual blocks at 1/8, where they are cheap and see far; a merging transform from there to the latent.

    A pixel-unshuffle followed by a convolution is a strided convolution that CPUs run several times as fast.
    """

    name = "residual"
    summary = "strided convolutions and residual blocks on both sides (ResNet)"
    prior = "factorised"
    config_type = ResidualConfig

    def __init__(self, config: ResidualConfig) -> None:
        super().__init__(config)
        width, merged = config.width, config.stride // 8
        inner = config.latent_channels // merged**2  # channels at 1/8, I

        def blocks() -> list[nn.Module]:
            return [ResidualBlock(width, config.kernel) for _ in range(config.blocks)]

        into_latent = nn.Conv2d(width, inner, 3, padding=1)
        nn.init.zeros_(into_latent.weight)
        self.analysis = nn.Sequential(
            Offset(-0.5),  # so that the first convolutions see both signs
            Transform(
                shortcut=nn.Sequential(
                    nn.PixelUnshuffle(8),
                    nn.Conv2d(config.channels * 8**2, inner, 3, padding=1),  # (B, I, H/8, W/8)
                ),
                branch=nn.Sequential(
                    nn.PixelUnshuffle(4),
                    nn.Conv2d(config.channels * 4**2, width, 3, padding=1),  # (B, N, H/4, W/4)
                    nn.LeakyReLU(NEGATIVE_SLOPE),
                    nn.PixelUnshuffle(2),
                    nn.Conv2d(4 * width, width, 3, padding=1),  # (B, N, H/8, W/8)
                    *blocks(),
                    into_latent,  # (B, I, H/8, W/8)
                ),
            ),
            *([nn.PixelUnshuffle(2), haar_convolution(inner)] if merged == 2 else []),  # (B, M, H/s, W/s)
        )
        into_pixels = Upsample(width, config.channels, 4)
        nn.init.zeros_(into_pixels.get_parameter("0.weight"))
        self.synthesis = nn.Sequential(
            *([haar_convolution(inner), nn.PixelShuffle(2)] if merged == 2 else []),  # (B, I, H/8, W/8)
            Transform(
                shortcut=Upsample(inner, config.channels, 8),  # (B, C, H, W)
                branch=nn.Sequential(
                    nn.Conv2d(inner, width, 3, padding=1),  # (B, N, H/8, W/8)
                    *blocks(),
                    Upsample(width, width, 2),  # (B, N, H/4, W/4)
                    nn.LeakyReLU(NEGATIVE_SLOPE),
                    into_pixels,  # (B, C, H, W)
                ),
            ),
            Offset(0.5),
        )
