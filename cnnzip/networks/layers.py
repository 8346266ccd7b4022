"""Layers that several families share."""

from torch import Tensor, nn

NEGATIVE_SLOPE = 0.2


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
