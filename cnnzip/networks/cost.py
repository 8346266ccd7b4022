"""What a network costs: its parameters, and the multiplications that a pixel takes."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cnnzip.networks.denoise import Denoise
from cnnzip.networks.family import Family, Network
from cnnzip.networks.registry import build

PICTURE = (768, 512)
"""Width and height of the picture that costs are told for, those of the Kodak set; a multiple of every stride."""


@dataclass(frozen=True)
class Cost:
    """Of one network, as it is run."""

    parameters: int
    passes: tuple[float, ...]
    """Thousands of multiplications a pixel.

    A codec's analysis, with the hyper-analysis where there is one, and its synthesis; what a prior takes to tell the
    symbols' tables is no part of it. A denoiser has one pass.
    """
    latent: tuple[int, int, int] | None
    """Its shape (M, h, w) for `PICTURE`; a denoiser has none."""


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


def cost(network: Network) -> Cost:
    """The cost of a network whose parameters lie on torch's device "meta", so that counting takes no time."""
    plain = network.deployed()
    width, height = PICTURE
    latent = None
    passes: tuple[int, ...]
    if isinstance(plain, Family):
        pixels = torch.zeros(1, plain.config.channels, height, width, device="meta")
        with torch.no_grad():
            latent = plain.analysis(pixels)
        analysis = multiplications(plain.analysis, pixels)
        if plain.hyper_analysis is not None:
            analysis += multiplications(plain.hyper_analysis, latent)
        passes = (analysis, multiplications(plain.synthesis, latent))
    else:
        assert isinstance(plain, Denoise)
        noisy, level = (torch.zeros(1, n, height, width, device="meta") for n in (plain.config.channels, 1))
        passes = (multiplications(plain, noisy, level),)
    return Cost(
        parameters=sum(parameter.numel() for parameter in plain.parameters()),
        passes=tuple(number / (1000 * width * height) for number in passes),
        latent=None if latent is None else tuple(latent.shape[1:]),
    )


def cost_of(family: str) -> Cost:
    """The cost of the family called `family` with its default options."""
    with torch.device("meta"):
        return cost(build(family, {}))
