"""Convolutions behind a pixel-unshuffle, as runtimes do them best: on the pixels themselves, with a stride.

Laying blocks of pixels side by side only moves numbers, but a runtime does it with a single thread and takes a fifth of
an analysis for it. A convolution of k×k behind it is one of r·k × r·k pixels with stride r: the same sums, in another
order.
"""

from copy import deepcopy
from itertools import pairwise
from typing import Any, TypeGuard

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

AXES = (0, 1, 4, 2, 5, 3)
"""Of weights (D, C, r, r, k, k), as they are for blocks, those of (D, C, k, r, k, r), as they are for pixels."""


class StridedConvolution(nn.Conv2d):
    """What a pixel-unshuffle by r and a convolution behind it do, (B, C, H, W) to (B, D, H/r, W/r).

    Args:
        convolution: k×k, without a stride, with zeros around its input or none.
        ratio: r.
    """

    def __init__(self, convolution: nn.Conv2d, ratio: int) -> None:
        planes, kernel = convolution.in_channels // ratio**2, convolution.kernel_size[0]
        padding = ratio * int(convolution.padding[0])
        super().__init__(planes, convolution.out_channels, ratio * kernel, stride=ratio, padding=padding)
        self.blocks = (self.out_channels, planes, ratio, ratio, kernel, kernel)
        """The shape of the weights for blocks, its axes apart."""
        with torch.no_grad():
            self.weight.copy_(convolution.weight.reshape(self.blocks).permute(AXES).reshape(self.weight.shape))
        self.bias = convolution.bias

    def for_blocks(self, weight: NDArray[Any]) -> NDArray[Any]:
        """These weights, (D, C, r·k, r·k), as the convolution of blocks has them, (D, C·r², k, k)."""
        outputs, planes, ratio, _, kernel, _ = self.blocks
        apart = weight.reshape([self.blocks[axis] for axis in AXES]).transpose(np.argsort(AXES))
        return np.ascontiguousarray(apart.reshape(outputs, planes * ratio**2, kernel, kernel))


def strided(network: nn.Module) -> nn.Module:
    """A copy of a network without those pixel-unshuffles behind which a convolution stands; parameters keep names."""
    network = deepcopy(network)
    for parent in [module for module in network.modules() if isinstance(module, nn.Sequential)]:
        for (first, unshuffle), (second, convolution) in list(pairwise(parent.named_children())):
            if isinstance(unshuffle, nn.PixelUnshuffle) and _fits(convolution):
                parent.set_submodule(first, nn.Identity())
                parent.set_submodule(second, StridedConvolution(convolution, unshuffle.downscale_factor))
    return network


def _fits(layer: nn.Module) -> TypeGuard[nn.Conv2d]:
    return isinstance(layer, nn.Conv2d) and (layer.stride, layer.dilation, layer.groups) == ((1, 1), (1, 1), 1)
