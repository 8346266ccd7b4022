"""The family `residual`: strided convolutions and residual blocks on both sides (He et al., CVPR 2016)."""

from dataclasses import dataclass

from torch import Tensor, nn

from cnnzip.networks.family import Family, FamilyConfig
from cnnzip.networks.layers import NEGATIVE_SLOPE, Offset, ResidualBlock, Upsample


@dataclass(frozen=True)
class ResidualConfig(FamilyConfig):
    """Options of the family `residual`; `width` is N, the filters of every convolution in the branch."""

    width: int = 64
    blocks: int = 3
    kernel: int = 3


class Transform(nn.Module):
    """`shortcut(x) + branch(x)`: the whole transform is one residual block.

    The shortcut is linear, a lapped transform of blocks of stride × stride pixels, and learns within minutes what
    a classical codec does; the branch starts at zero and adds what no linear transform can. In trials this
    took a quarter of the steps of the branch alone (docs/models.md).
    """

    def __init__(self, shortcut: nn.Module, branch: nn.Module) -> None:
        super().__init__()
        self.shortcut = shortcut
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to what both parts make of it."""
        total: Tensor = self.shortcut(x) + self.branch(x)
        return total


class Residual(Family):
    """Residual blocks at 1/8, where they are cheap and see far; nothing but a convolution above.

    A pixel-unshuffle followed by a convolution is a strided convolution that CPUs run several times as fast.
    """

    name = "residual"
    summary = "strided convolutions and residual blocks on both sides (ResNet)"
    prior = "factorised"
    config_type = ResidualConfig

    def __init__(self, config: ResidualConfig) -> None:
        super().__init__()
        if config.stride not in (8, 16):
            raise ValueError(f"stride must be 8 or 16, not {config.stride}")
        self.config = config
        channels, width, stride = config.latent_channels, config.width, config.stride
        last = stride // 8  # 1 or 2: the step from 1/8 to the latent

        def blocks() -> list[nn.Module]:
            return [ResidualBlock(width, config.kernel) for _ in range(config.blocks)]

        into_latent = nn.Conv2d(width, channels, 3, stride=last, padding=1)
        nn.init.zeros_(into_latent.weight)
        self.analysis = nn.Sequential(
            Offset(-0.5),  # so that the first convolutions see both signs
            Transform(
                shortcut=nn.Sequential(
                    nn.PixelUnshuffle(stride),
                    nn.Conv2d(3 * stride**2, channels, 3, padding=1),  # (B, M, H/s, W/s)
                ),
                branch=nn.Sequential(
                    nn.PixelUnshuffle(4),
                    nn.Conv2d(48, width, 3, padding=1),  # (B, N, H/4, W/4)
                    nn.LeakyReLU(NEGATIVE_SLOPE),
                    nn.PixelUnshuffle(2),
                    nn.Conv2d(4 * width, width, 3, padding=1),  # (B, N, H/8, W/8)
                    *blocks(),
                    into_latent,  # (B, M, H/s, W/s)
                ),
            ),
        )
        into_pixels = Upsample(width, 3, 4)
        nn.init.zeros_(into_pixels.get_parameter("0.weight"))
        self.synthesis = nn.Sequential(
            Transform(
                shortcut=Upsample(channels, 3, stride),  # (B, 3, H, W)
                branch=nn.Sequential(
                    Upsample(channels, width, last),  # (B, N, H/8, W/8)
                    *blocks(),
                    Upsample(width, width, 2),  # (B, N, H/4, W/4)
                    nn.LeakyReLU(NEGATIVE_SLOPE),
                    into_pixels,  # (B, 3, H, W)
                ),
            ),
            Offset(0.5),
        )
