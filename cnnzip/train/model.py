"""Network and density together, as training sees them; the loss and its parts."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cnnzip.networks.family import Family
from cnnzip.networks.registry import build
from cnnzip.prior.density import FactorisedDensity
from cnnzip.prior.hyper_density import HyperDensity
from cnnzip.train.config import TrainConfig
from cnnzip.train.lambdas import Lambdas

REFERENCE_LAMBDA = 0.01
"""At this λ a level's loss has weight one; see `TrainConfig`."""


@dataclass(frozen=True)
class Terms:
    """Loss (a number), and for each picture of the batch, (B,), its rate in bits a pixel and its MSE in 0…1."""

    loss: Tensor
    bpp: Tensor
    mse: Tensor

    def measured(self) -> dict[str, float]:
        """See `task.Terms`."""
        psnr = -10 * self.mse.detach().log10().mean()
        return {"bpp": float(self.bpp.detach().mean()), "psnr": float(psnr)}


class TrainingModel(nn.Module):
    """Everything that is learnt: `network` (analysis, synthesis) and `density` (gains, means, densities)."""

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        network = build(config.family, config.options)
        assert isinstance(network, Family)
        self.network = network
        self.network.set_dropout(config.dropout)
        self.density = density_for(self.network, config.levels, sent=config.sent)
        self.lambdas = Lambdas.of(config)
        self.bf16 = config.bf16

    def forward(self, pixels: Tensor, level: Tensor, target: Tensor | None = None) -> Terms:
        """The terms of the loss for `pixels` (B, C, H, W) in 0…1 at `level` (B,).

        What is decoded is compared with `target`, which by default is `pixels`.
        """
        with torch.autocast(pixels.device.type, torch.bfloat16, enabled=self.bf16):
            latent = self.network.analysis(pixels)
        quantised, bits = self.density(latent.float(), level, self.network.hyper_analysis)
        with torch.autocast(pixels.device.type, torch.bfloat16, enabled=self.bf16):
            reconstruction = self.network.synthesis(quantised)
        mse = (reconstruction.float() - (pixels if target is None else target)).square().mean(dim=(1, 2, 3))
        bpp = bits / (pixels.shape[2] * pixels.shape[3])
        lagrangian = self.lambdas.at(level)
        loss = (bpp + lagrangian * 255**2 * mse) / (lagrangian / REFERENCE_LAMBDA).sqrt()
        return Terms(loss.mean(), bpp, mse)


def density_for(network: Family, levels: int, *, sent: bool = False) -> FactorisedDensity | HyperDensity:
    """A fresh density of the kind that the family's prior is made of; `sent` as for `HyperDensity`."""
    channels = network.config.latent_channels
    if network.hyper_analysis is None:
        return FactorisedDensity(channels, levels)
    return HyperDensity(channels, levels, hyper_channels=network.hyper_channels, sent=sent)
