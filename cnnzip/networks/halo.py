"""How far the output of a family's networks depends on what lies beyond a window."""

import torch
from torch import Tensor, nn

from cnnzip.errors import TrainingError
from cnnzip.networks.family import Family

SIDE = 32
"""Positions of the latent a side that are looked at: more than twice any sensible reach."""


@torch.no_grad()
def halo(family: Family) -> int:
    """The pixels around a window on which its latents, and the pixels made of its latents, depend.

    A multiple of the stride; for windows whose sides lie on multiples of it. What is not a number spreads through sums
    and products whatever their weights, so it shows where a change could reach.

    Args:
        family: in the form that `deployed` gives.

    Raises:
        TrainingError: everything depends on everything, so that large pictures could not be coded in windows.
    """
    config = family.config
    side = SIDE * config.stride
    reach = max(
        _reach(family.analysis, torch.zeros(1, config.channels, side, side), config.stride),
        _reach(family.synthesis, torch.zeros(1, config.latent_channels, SIDE, SIDE), 1),
    )
    if 2 * reach >= SIDE - 1:
        raise TrainingError(f"family '{family.name}' is no convolution: its reach has no end within {SIDE} positions")
    return reach * config.stride


def _reach(network: nn.Module, x: Tensor, cell: int) -> int:
    """Positions of the latent that a change in the middle one gets away; `cell` is a position's side in `x`."""
    middle = SIDE // 2
    here = slice(middle * cell, (middle + 1) * cell)
    x[:, :, here, here] = torch.nan
    touched = network(x).isnan()[0].any(dim=0)
    cell_out = touched.shape[0] // SIDE
    places = torch.cat([touched.any(dim=axis).nonzero().flatten() for axis in (0, 1)]) // cell_out
    return int((places - middle).abs().max())
