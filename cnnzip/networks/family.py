"""What every family of networks is: a codec's analysis and synthesis transform, or a network of another kind."""

from copy import deepcopy
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from cnnzip.networks.folding import fold_batch_norms
from cnnzip.networks.registry import MAX_OPTION


def choice(default: Any, *others: Any) -> Any:
    """A field of a `NetworkConfig` that has one of these values; without it a field is a whole number from 1."""
    return field(default=default, metadata={"choices": (default, *others)})


@dataclass(frozen=True)
class NetworkConfig:
    """What every network lets one set; a family's own options come in a subclass.

    Raises:
        ValueError: an option is none of its choices, or no whole number in 1 … MAX_OPTION, or the family cannot have
            it.
    """

    channels: int = choice(3, 1)
    """Planes of a picture: 3 for colour, 1 for gray."""

    def __post_init__(self) -> None:
        for option in fields(self):
            value, choices = getattr(self, option.name), option.metadata.get("choices")
            # Not isinstance: a bool is an int, too.
            if choices:
                if type(value) is not type(choices[0]) or value not in choices:
                    listed = " or ".join(str(allowed) for allowed in choices)
                    raise ValueError(f"{option.name} must be {listed}, not {value!r}")
            elif type(value) is not int or not 1 <= value <= MAX_OPTION:
                raise ValueError(f"{option.name} must be a whole number in 1 … {MAX_OPTION}, not {value!r}")


class Network(nn.Module):
    """What a codec's networks and a denoiser have in common."""

    name: ClassVar[str]
    summary: ClassVar[str]
    prior: ClassVar[str]
    """Of the latent; "none" where there is none."""
    config_type: ClassVar[type[NetworkConfig]]

    config: NetworkConfig

    def deployed(self) -> Self:
        """A copy in the form that bundles hold and runtimes run: for evaluation, without batch normalisation."""
        network = deepcopy(self).eval()
        fold_batch_norms(network)
        return network

    def set_dropout(self, rate: float) -> None:
        """In training, the branches lose whole channels with this probability; nothing changes in evaluation."""
        for module in self.modules():
            if isinstance(module, nn.Dropout2d):
                module.p = rate


@dataclass(frozen=True)
class FamilyConfig(NetworkConfig):
    """What every codec's family lets one set."""

    latent_channels: int = 384
    stride: int = 16
    """Pixels a latent position, each way: the picture is padded to a multiple of it."""


class Family(Network):
    """The two transforms around a latent.

    `analysis` maps pixels in 0…1, (B, C, H, W), to the latent, (B, M, H/stride, W/stride); `synthesis` maps a
    latent back. H and W are multiples of `config.stride`; C is `config.channels`.
    """

    config_type: ClassVar[type[FamilyConfig]]

    previews: ClassVar[bool] = False
    """Whether the synthesis has a linear shortcut that alone makes a good picture of it at a fraction of the size."""

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
