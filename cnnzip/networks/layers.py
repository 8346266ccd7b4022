"""Layers that several families share."""

from typing import TypeVar

import torch
from torch import Tensor, nn

NEGATIVE_SLOPE = 0.2

AnyModule = TypeVar("AnyModule", bound=nn.Module)


class ResidualBlock(nn.Module):
    """`x + conv(lrelu(conv(x)))`: a residual block without normalisation (Lim et al., EDSR, CVPRW 2017).

    The second convolution starts at zero, so a fresh block is the identity and deep stacks train from the
    first step (Zhang et al., Fixup, ICLR 2019).
    """

    def __init__(self, width: int, kernel: int, *, bias: bool = True) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, kernel, padding=kernel // 2, bias=bias)
        self.second = nn.Conv2d(width, width, kernel, padding=kernel // 2, bias=bias)
        nn.init.zeros_(self.second.weight)
        self.activation = nn.LeakyReLU(NEGATIVE_SLOPE)
        self.dropout = nn.Dropout2d(0.0)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        total: Tensor = x + self.dropout(self.second(self.activation(self.first(x))))
        return total


class Upsample(nn.Sequential):
    """3×3 convolution and pixel-shuffle: (B, C, H, W) to (B, D, H·r, W·r) (Shi et al., CVPR 2016)."""

    def __init__(self, channels: int, out_channels: int, ratio: int) -> None:
        super().__init__(
            nn.Conv2d(channels, out_channels * ratio**2, 3, padding=1),
            nn.PixelShuffle(ratio),
        )


class Offset(nn.Module):
    """Adds a constant."""

    def __init__(self, offset: float) -> None:
        super().__init__()
        self.offset = offset

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same shape."""
        return x + self.offset


class Transform(nn.Module):
    """`shortcut(x) + branch(x)`: the whole transform is one residual block.

    The shortcut is linear, a lapped transform of blocks of 8×8 pixels, and learns within minutes what a classical
    codec does; the branch starts at zero and adds what no linear transform can.
    """

    def __init__(self, shortcut: nn.Module, branch: nn.Module) -> None:
        super().__init__()
        self.shortcut = shortcut
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to what both parts make of it."""
        total: Tensor = self.shortcut(x) + self.branch(x)
        return total


def zeroed(layer: AnyModule) -> AnyModule:
    """The layer with all its weights and biases set to zero."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


def haar_convolution(channels: int) -> nn.Conv2d:
    """A 1×1 convolution over four neighbours that a pixel-unshuffle has laid side by side, 4·C to 4·C channels.

    It starts as the Haar transform of each channel, which is orthonormal and its own inverse: sums and
    differences of neighbouring blocks, so that flat regions are paid for once in 16×16 pixels.
    """
    pair = torch.tensor([[1.0, 1.0], [1.0, -1.0]])
    haar = torch.kron(pair, pair) / 2
    convolution = nn.Conv2d(4 * channels, 4 * channels, 1)
    with torch.no_grad():
        convolution.weight.copy_(torch.kron(torch.eye(channels), haar)[:, :, None, None])
        nn.init.zeros_(convolution.get_parameter("bias"))
    return convolution


def lapped_analysis(planes: int, channels: int, stride: int) -> nn.Sequential:
    """The shortcut of an analysis, (B, planes, H, W) to (B, channels, H/stride, W/stride).

    A linear transform of blocks of 8×8 pixels and their neighbours, merged two by two up to the stride.

    Args:
        planes: of a picture.
        channels: of the latent, a multiple of (stride / 8)².
        stride: 8, 16 or 32.
    """
    merges = (stride // 8).bit_length() - 1
    inner = channels // 4**merges  # channels at 1/8
    merging = [(nn.PixelUnshuffle(2), haar_convolution(inner * 4**k)) for k in range(merges)]
    return nn.Sequential(
        nn.PixelUnshuffle(8),
        nn.Conv2d(planes * 8**2, inner, 3, padding=1),  # (B, inner, H/8, W/8)
        *(layer for pair in merging for layer in pair),
    )


def lapped_synthesis(planes: int, channels: int, stride: int) -> nn.Sequential:
    """The shortcut of a synthesis, back from what `lapped_analysis` with the same arguments gives."""
    merges = (stride // 8).bit_length() - 1
    inner = channels // 4**merges
    splitting = [(haar_convolution(inner * 4**k), nn.PixelShuffle(2)) for k in reversed(range(merges))]
    return nn.Sequential(
        *(layer for pair in splitting for layer in pair),
        Upsample(inner, planes, 8),  # (B, planes, H, W)
    )


def pooling_layer(kind: str) -> nn.Module:
    """Halves both sides, by the "max" or the "average" of four neighbours."""
    return nn.MaxPool2d(2) if kind == "max" else nn.AvgPool2d(2)


def scaled_for_relu(network: AnyModule) -> AnyModule:
    """The network with weights that keep the size of a signal through a ReLU, and no biases (He et al., ICCV 2015)."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return network


def last_layer(branch: nn.Sequential) -> nn.Module:
    """The last layer that has weights."""
    return [layer for layer in branch if list(layer.parameters())][-1]


@torch.no_grad()
def ending_faintly(branch: nn.Sequential) -> nn.Sequential:
    """The branch with a tenth of its last weights: a synthesis starts with gray, and not with noise."""
    for parameter in last_layer(branch).parameters():
        parameter.mul_(0.1)
    return branch


def parallel(shortcut: nn.Module | None, branch: nn.Sequential) -> nn.Module:
    """A `Transform` of both, its branch at zero by its last layer with weights; without a shortcut the branch alone."""
    if shortcut is None:
        return branch
    zeroed(last_layer(branch))
    return Transform(shortcut, branch)
