"""What every family of networks is: an analysis and a synthesis transform, and the name of the prior it uses."""

from dataclasses import dataclass, fields
from typing import ClassVar

from torch import Tensor, nn

MAX_OPTION = 4096
"""Far beyond any network that fits here; a bundle's description must not be able to ask for more."""


@dataclass(frozen=True)
class FamilyConfig:
    """What every family lets one set; a family's own options come in a subclass.

    Raises:
        ValueError: an option is no whole number in 1 … MAX_OPTION, or the family cannot have it.
    """

    latent_channels: int = 384
    stride: int = 16
    """Pixels a latent position, each way: the picture is padded to a multiple of it."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            # Not isinstance: a bool is an int, too.
            if type(value) is not int or not 1 <= value <= MAX_OPTION:
                raise ValueError(f"{field.name} must be a whole number in 1 … {MAX_OPTION}, not {value!r}")


class Family(nn.Module):
    """The two transforms around a latent.

    `analysis` maps pixels in 0…1, (B, 3, H, W), to the latent, (B, M, H/stride, W/stride); `synthesis` maps a
    latent back. H and W are multiples of `config.stride`.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    prior: ClassVar[str]
    config_type: ClassVar[type[FamilyConfig]]

    config: FamilyConfig
    analysis: nn.Module
    synthesis: nn.Module

    def __init__(self, config: FamilyConfig) -> None:
        super().__init__()
        self.config = config
        # Where the prior has a hyper-latent: scaled latent (B, M, h, w), sides multiples of 4, to it, (B, Z, h/4, w/4).
        self.hyper_analysis: nn.Sequential | None = None
        self.hyper_channels = 0
        """Z; 0 where there is no hyper-latent."""

    def forward(self, pixels: Tensor) -> Tensor:
        """Pixels to latent to pixels, without quantisation."""
        reconstruction: Tensor = self.synthesis(self.analysis(pixels))
        return reconstruction
