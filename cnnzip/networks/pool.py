"""The family `pool`: convolution, ReLU and pooling down; upsampling and convolution back."""

from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from cnnzip.networks.family import Family, FamilyConfig, choice
from cnnzip.networks.layers import (
    Offset,
    ending_faintly,
    lapped_analysis,
    lapped_synthesis,
    parallel,
    pooling_layer,
    scaled_for_relu,
)


@dataclass(frozen=True)
class PoolConfig(FamilyConfig):
    """Options of the family `pool`; `width` is N, the filters of the last stage: each before it has half as many."""

    latent_channels: int = 192
    width: int = 192
    blocks: int = 1
    """Convolutions a side at the resolution of the latent."""
    kernel: int = 3
    pooling: str = choice("average", "max")
    shortcut: int = choice(1, 0)
    """Whether a linear transform runs beside the stages, as in `residual`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel must be odd, not {self.kernel}")
        if self.stride not in (8, 16, 32):
            raise ValueError("stride must be 8, 16 or 32")
        if self.width % (self.stride // 2):
            raise ValueError(f"width must be a multiple of {self.stride // 2}, half the stride")
        if self.shortcut and self.latent_channels % (self.stride // 8) ** 2:
            raise ValueError(f"with a shortcut latent_channels must be a multiple of {(self.stride // 8) ** 2}")


class Pool(Family):
    """A stage halves the sides of what it is given: convolution, ReLU, pooling. The synthesis is its mirror."""

    name = "pool"
    summary = "convolution, ReLU and pooling down; upsampling and convolution back"
    prior = "factorised"
    config_type = PoolConfig

    def __init__(self, config: PoolConfig) -> None:
        super().__init__(config)
        channels, planes, stride = config.latent_channels, config.channels, config.stride
        stages = stride.bit_length() - 1
        widths = [config.width >> (stages - 1 - k) for k in range(stages)]  # N/8, N/4, N/2, N

        def convolution(inputs: int, outputs: int) -> nn.Conv2d:
            return nn.Conv2d(inputs, outputs, config.kernel, padding=config.kernel // 2)

        def blocks() -> list[nn.Module]:
            return [
                layer
                for _ in range(config.blocks)
                for layer in (convolution(config.width, config.width), nn.ReLU(), nn.Dropout2d(0.0))
            ]

        down: list[nn.Module] = []
        for inputs, outputs in pairwise([planes, *widths]):
            down += [convolution(inputs, outputs), nn.ReLU(), pooling_layer(config.pooling)]
        up: list[nn.Module] = []
        for inputs, outputs in pairwise(reversed(widths)):
            up += [nn.Upsample(scale_factor=2), convolution(inputs, outputs), nn.ReLU()]
        analysis = nn.Sequential(
            *down,  # (B, N, H/s, W/s)
            *blocks(),
            convolution(config.width, channels),  # (B, M, H/s, W/s)
        )
        synthesis = nn.Sequential(
            convolution(channels, config.width),
            nn.ReLU(),
            *blocks(),
            *up,  # (B, N/8, H/2, W/2)
            nn.Upsample(scale_factor=2),
            convolution(widths[0], planes),  # (B, C, H, W)
        )
        self.analysis = nn.Sequential(
            Offset(-0.5),
            parallel(lapped_analysis(planes, channels, stride) if config.shortcut else None, scaled_for_relu(analysis)),
        )
        self.synthesis = nn.Sequential(
            parallel(
                lapped_synthesis(planes, channels, stride) if config.shortcut else None,
                ending_faintly(scaled_for_relu(synthesis)),
            ),
            Offset(0.5),
        )
