"""What a network costs: its parameters, and the multiplications that a pixel takes."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cnnzip.networks.family import Family
from cnnzip.networks.registry import build

PICTURE = (768, 512)
"""Width and height of the picture that costs are told for, those of the Kodak set; a multiple of every stride."""


@dataclass(frozen=True)
class Cost:
    """Of one network, as it is run."""

    parameters: int
    analysis: float
    """Thousands of multiplications a pixel, the hyper-analysis included where there is one."""
    synthesis: float
    """The same for the synthesis; what a prior takes to tell the symbols' tables is no part of it."""
    latent: tuple[int, int, int]
    """Its shape (M, h, w) for `PICTURE`."""


@torch.no_grad()
def multiplications(module: nn.Module, *inputs: object) -> int:
    """Multiplications of the convolutions and fully connected layers of `module` when it is run on `inputs`."""
    total = 0

    def count(layer: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        weight = layer.get_parameter("weight")
        # A transposed convolution spreads each value of its input; all others gather for each of their output.
        values = given[0] if isinstance(layer, nn.ConvTranspose2d) else output
        total += values.numel() * weight[0].numel()

    counted = [m for m in module.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in counted]
    try:
        module(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return total


def cost(network: Family) -> Cost:
    """The cost of a network whose parameters lie on torch's device "meta", so that counting takes no time."""
    plain = network.deployed()
    width, height = PICTURE
    pixels = torch.zeros(1, plain.config.channels, height, width, device="meta")
    with torch.no_grad():
        latent = plain.analysis(pixels)
    analysis = multiplications(plain.analysis, pixels)
    if plain.hyper_analysis is not None:
        analysis += multiplications(plain.hyper_analysis, latent)
    return Cost(
        parameters=sum(parameter.numel() for parameter in plain.parameters()),
        analysis=analysis / (1000 * width * height),
        synthesis=multiplications(plain.synthesis, latent) / (1000 * width * height),
        latent=tuple(latent.shape[1:]),
    )


def cost_of(family: str) -> Cost:
    """The cost of the family called `family` with its default options."""
    with torch.device("meta"):
        return cost(build(family, {}))
