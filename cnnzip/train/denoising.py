"""The task of a denoiser: pictures with noise of every level, and L1 loss against the clean ones."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from cnnzip.errors import TrainingError
from cnnzip.networks.denoise import MULTIPLE, Denoise
from cnnzip.networks.registry import build
from cnnzip.train.config import TrainConfig
from cnnzip.train.data import PictureSet
from cnnzip.train.denoise_bundle import load_weights, write_bundle
from cnnzip.train.noise import noisy_pictures, with_fixed_noise
from cnnzip.train.task import PSNR, Measure, Validation
from cnnzip.train.validate import to_batch

SIGMAS = (15, 25, 50)
"""Of the noise that a validation adds, 0…255; the points of it."""


@dataclass(frozen=True)
class DenoisingTerms:
    """Loss (a number), and the MSE of the batch in 0…1."""

    loss: Tensor
    mse: Tensor

    def measured(self) -> dict[str, float]:
        """See `task.Terms`. Of the mean error, not a mean of PSNRs: pictures without noise have an infinite one."""
        return {"psnr": -10 * float(np.log10(float(self.mse)))}


class DenoisingModel(nn.Module):
    """The network, as training sees it."""

    def __init__(self, config: TrainConfig) -> None:
        super().__init__()
        network = build(config.family, config.options)
        assert isinstance(network, Denoise)
        self.network = network
        self.bf16 = config.bf16

    def denoised(self, noisy: Tensor, level: Tensor) -> Tensor:
        """What the network makes of `noisy` (B, C, H, W) at `level` (B, 1, H, W), its body in half precision."""
        unet = self.network.denoise
        features = unet.features(noisy, level)
        with torch.autocast(noisy.device.type, torch.bfloat16, enabled=self.bf16):
            noise = unet.body(features)
        clean: Tensor = noisy - noise.float()
        return clean

    def forward(self, clean: Tensor, noisy: Tensor, level: Tensor) -> DenoisingTerms:
        """The loss and its terms for pictures (B, C, H, W) in 0…1, and `level` (B,), σ / 255."""
        plane = level[:, None, None, None].expand(-1, 1, *noisy.shape[2:])
        error = self.denoised(noisy, plane) - clean
        return DenoisingTerms(error.abs().mean(), error.detach().square().mean())


class Denoising:
    """See `task.Task`."""

    measures: ClassVar[tuple[Measure, ...]] = (PSNR,)
    settings: ClassVar[tuple[str, ...]] = ("noise",)
    inherited: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.channels: int = config.options.get("channels", 3)

    def model(self) -> DenoisingModel:
        """See `Task`."""
        return DenoisingModel(self.config)

    def networks(self, model: DenoisingModel) -> tuple[nn.Module, ...]:
        """See `Task`."""
        return (model.network.denoise.body,)

    def load_weights(self, model: DenoisingModel, bundle: Path) -> None:
        """See `Task`."""
        load_weights(model.network, bundle)

    def inputs(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """See `Task`: clean pictures, noisy ones, and the levels told."""
        return pixels, *noisy_pictures(pixels, self.config.noise)

    @torch.no_grad()
    def validate(self, model: DenoisingModel, data: PictureSet, device: torch.device) -> Validation:
        """See `Task`: Gaussian noise of `SIGMAS`, not clipped, the same for a picture every time."""
        model.eval()
        losses: list[float] = []
        points: list[tuple[float, ...]] = []
        for sigma in SIGMAS:
            errors, psnrs = [], []
            for number, picture in enumerate(data.choose(range(len(data)))):
                clean = to_batch(picture, MULTIPLE, device, self.channels)
                level = torch.full_like(clean[:, :1], sigma / 255)
                denoised = model.denoised(with_fixed_noise(clean, sigma, number), level)
                height, width = picture.shape[:2]
                error = (denoised.clamp(0, 1) - clean)[:, :, :height, :width]
                errors.append(float(error.abs().mean()))
                psnrs.append(-10 * float(error.square().mean().log10()))
            if not errors:
                raise TrainingError(f"{data.paths[0].parent}: all {len(data)} pictures are damaged")
            losses.append(float(np.mean(errors)))
            points.append((float(np.mean(psnrs)),))
        model.train()
        return Validation(float(np.mean(losses)), tuple(points))

    def write_bundle(
        self,
        folder: Path,
        name: str,
        model: DenoisingModel,
        data: PictureSet,
        training: dict[str, Any],
        *,
        start: Path | None,
        force: bool,
    ) -> Path:
        """See `Task`."""
        return write_bundle(folder, name, model.network, self.config, training, force=force)
