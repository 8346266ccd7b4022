"""A synthesis at half the size, for previews: the linear shortcut alone, its pixels averaged before they are made.

The mean of four pixels is a matter of the shortcut's last layer. The branch is left out but for the constant that it
adds to a picture of the mean latent. What it does beside, edges and detail, is nearly gone from a mean of many pixels,
in families that say so (`Family.previews`).
"""

import torch
from torch import Tensor, nn

from cnnzip.networks.family import Family
from cnnzip.networks.layers import Transform, Upsample

PREFIX = "preview"

SHRINK = 2
"""The sides of a preview are those of the picture over this."""

SIDE = 16
"""Positions a side of the latent that the constant is taken from: its middle is far from the borders."""


class Preview(nn.Module):
    """The latent (B, M, h, w) to pixels about 0…1, (B, C, h·s/2, w·s/2).

    Args:
        family: one that makes previews.
    """

    def __init__(self, family: Family) -> None:
        super().__init__()
        found = shortcut_of(family)
        assert found is not None
        self._name, shortcut = found
        convolution, shuffle = _last(shortcut)
        ratio = shuffle.upscale_factor // SHRINK
        self.before = shortcut[:-1]
        self.last = nn.Conv2d(convolution.in_channels, family.config.channels * ratio**2, 3, padding=1)
        self.shuffle = nn.PixelShuffle(ratio)

    def forward(self, latent: Tensor) -> Tensor:
        """See the class."""
        pixels: Tensor = self.shuffle(self.last(self.before(latent)))
        return pixels

    @property
    def stored(self) -> dict[str, str]:
        """By the name of each parameter that in a bundle: what belongs to the synthesis is not stored again."""
        names = (name for name, _ in self.named_parameters())
        return {
            name: name.replace("before", self._name, 1)
            if name.startswith("before")
            else name.replace("last", PREFIX, 1)
            for name in names
        }


def shortcut_of(family: Family) -> tuple[str, nn.Sequential] | None:
    """The linear shortcut of a synthesis, and its name in the family; None where it makes no previews."""
    if not family.previews:
        return None
    for name, module in family.named_modules():
        if name.startswith("synthesis") and isinstance(module, Transform):
            shortcut = module.shortcut
            if isinstance(shortcut, nn.Sequential) and isinstance(shortcut[-1], Upsample):
                return f"{name}.shortcut", shortcut
    return None


def _last(shortcut: nn.Sequential) -> tuple[nn.Conv2d, nn.PixelShuffle]:
    """The two parts of the `Upsample` that a shortcut ends in."""
    upsample = shortcut[-1]
    assert isinstance(upsample, Upsample)
    convolution, shuffle = upsample[0], upsample[1]
    assert isinstance(convolution, nn.Conv2d)
    assert isinstance(shuffle, nn.PixelShuffle)
    return convolution, shuffle


@torch.no_grad()
def preview_of(family: Family, mean: Tensor) -> Preview | None:
    """The preview of a deployed family whose mean latent is `mean`, (M,); None where it makes none."""
    found = shortcut_of(family)
    if found is None:
        return None
    _, shortcut = found
    latent = mean[None, :, None, None].expand(1, -1, SIDE, SIDE)
    middle = slice(SIDE // 4 * family.config.stride, SIDE * 3 // 4 * family.config.stride)
    rest = family.synthesis(latent) - shortcut(latent)
    constant = rest[0, :, middle, middle].mean(dim=(1, 2))  # (C,)

    preview = Preview(family)
    planes, ratio = family.config.channels, preview.shuffle.upscale_factor
    # Output channels are (plane, row, column) of the pixels that the shuffle lays out.
    for mean_of, tensor in zip(preview.last.parameters(), _last(shortcut)[0].parameters(), strict=True):
        pixels = tensor.reshape(planes, ratio, SHRINK, ratio, SHRINK, *tensor.shape[1:])
        mean_of.copy_(pixels.mean(dim=(2, 4)).reshape(mean_of.shape))
    preview.last.get_parameter("bias").add_(constant.repeat_interleave(ratio**2))
    return preview.eval()
