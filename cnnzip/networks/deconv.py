"""The family `deconv`: Conv–BatchNorm–ReLU down, transposed convolution–BatchNorm–ReLU back (Noh et al., ICCV 2015)."""

from dataclasses import dataclass

from torch import nn

from cnnzip.networks.family import Family, FamilyConfig, choice
from cnnzip.networks.layers import Offset, ending_faintly, lapped_analysis, lapped_synthesis, parallel


@dataclass(frozen=True)
class DeconvConfig(FamilyConfig):
    """Options of the family `deconv`; `width` is N, the filters of every layer but the last."""

    latent_channels: int = 192
    width: int = 64
    blocks: int = 1
    """Layers a side that keep the resolution, at 1/8."""
    kernel: int = 5
    shortcut: int = choice(1, 0)
    """Whether a linear transform runs beside the layers, as in `residual`."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kernel % 2 == 0 or self.kernel < 3:
            raise ValueError(f"kernel must be odd and 3 at least, not {self.kernel}")
        if self.stride not in (8, 16, 32):
            raise ValueError("stride must be 8, 16 or 32")
        if self.shortcut and self.latent_channels % (self.stride // 8) ** 2:
            raise ValueError(f"with a shortcut latent_channels must be a multiple of {(self.stride // 8) ** 2}")


class Deconv(Family):
    """Strided convolutions halve the sides, transposed ones double them.

    The layers that make the latent and the pixels have neither normalisation nor ReLU: those must be free to be of
    any size and sign.
    """

    name = "deconv"
    summary = "Conv–BatchNorm–ReLU down, ConvTranspose–BatchNorm–ReLU back (DeconvNet)"
    prior = "factorised"
    config_type = DeconvConfig

    def __init__(self, config: DeconvConfig) -> None:
        super().__init__(config)
        width, kernel, stages = config.width, config.kernel, config.stride.bit_length() - 1
        channels, planes, stride = config.latent_channels, config.channels, config.stride

        def down(inputs: int, outputs: int, stride: int = 2) -> nn.Conv2d:
            return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2)

        def up(inputs: int, outputs: int, stride: int = 2) -> nn.ConvTranspose2d:
            return nn.ConvTranspose2d(inputs, outputs, kernel, stride, padding=kernel // 2, output_padding=stride - 1)

        def normalised(layer: nn.Conv2d | nn.ConvTranspose2d) -> list[nn.Module]:
            layer.register_parameter("bias", None)  # the normalisation would take away what it adds
            return [layer, nn.BatchNorm2d(layer.out_channels), nn.ReLU()]

        def blocks() -> list[nn.Module]:
            return [
                layer for _ in range(config.blocks) for layer in (*normalised(down(width, width, 1)), nn.Dropout2d(0.0))
            ]

        # Three halvings to 1/8, the blocks, and from there to the latent; the last halving makes it.
        deeper = stages - 3
        analysis = nn.Sequential(
            *normalised(down(planes, width)),
            *normalised(down(width, width)),
            *normalised(down(width, width)),  # (B, N, H/8, W/8)
            *blocks(),
            *(layer for _ in range(deeper - 1) for layer in normalised(down(width, width))),
            down(width, channels, 2 if deeper else 1),  # (B, M, H/s, W/s)
        )
        synthesis = nn.Sequential(
            *normalised(up(channels, width, 2 if deeper else 1)),
            *(layer for _ in range(deeper - 1) for layer in normalised(up(width, width))),  # (B, N, H/8, W/8)
            *blocks(),
            *normalised(up(width, width)),
            *normalised(up(width, width)),
            up(width, planes),  # (B, C, H, W)
        )
        self.analysis = nn.Sequential(
            Offset(-0.5),
            parallel(lapped_analysis(planes, channels, stride) if config.shortcut else None, analysis),
        )
        self.synthesis = nn.Sequential(
            parallel(
                lapped_synthesis(planes, channels, stride) if config.shortcut else None, ending_faintly(synthesis)
            ),
            Offset(0.5),
        )
