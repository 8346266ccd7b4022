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

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, kernel, padding=kernel // 2)
        self.second = nn.Conv2d(width, width, kernel, padding=kernel // 2)
        nn.init.zeros_(self.second.weight)
        self.activation = nn.LeakyReLU(NEGATIVE_SLOPE)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        total: Tensor = x + self.second(self.activation(self.first(x)))
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
