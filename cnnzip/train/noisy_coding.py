"""The task of a codec for noisy pictures: its analysis learns to give the latent of the clean picture.

What decoding depends on is frozen, so that any decoder of the codec reads the files (the aim is that of Cheng,
Xie and Chen, "Optimizing image compression via joint learning with denoising", ECCV 2022, who add denoisers of features
to the encoder).
"""

from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from cnnzip.errors import TrainingError
from cnnzip.train.coding import Coding
from cnnzip.train.config import TrainConfig
from cnnzip.train.data import PictureSet
from cnnzip.train.model import TrainingModel
from cnnzip.train.noise import noisy_pictures, to_8_bits, with_fixed_noise
from cnnzip.train.noisy_bundle import write_bundle
from cnnzip.train.task import Validation
from cnnzip.train.validate import POINTS, to_batch

SIGMAS = (0, 15, 25)
"""Of the noise that a validation adds, 0…255; the points of it."""


class NoisyCodingModel(TrainingModel):
    """A codec of whose networks analysis and hyper-analysis learn; all else is frozen.

    The networks have their deployed form, so that frozen batch normalisations do what their decoder does.
    """

    def __init__(self, config: TrainConfig) -> None:
        super().__init__(config)
        self.network = self.network.deployed()
        self.requires_grad_(False)
        self.network.analysis.requires_grad_(True)
        if self.network.hyper_analysis is not None:
            self.network.hyper_analysis.requires_grad_(True)
        self.train()

    def train(self, mode: bool = True) -> Self:
        """As of any module, but no decoder loses channels to dropout."""
        super().train(mode)
        self.network.synthesis.eval()
        return self


class NoisyCoding(Coding):
    """See `task.Task`."""

    settings: ClassVar[tuple[str, ...]] = (*Coding.settings, "noise")

    def model(self) -> NoisyCodingModel:
        """See `Task`."""
        return NoisyCodingModel(self.config)

    def inputs(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """See `Task`: noisy pictures of 8 bits, as files have them, a quality for each, and the clean ones."""
        clean, level = super().inputs(pixels)
        noisy, _ = noisy_pictures(clean, self.config.noise)
        return to_8_bits(noisy), level, clean

    @torch.no_grad()
    def validate(self, model: TrainingModel, data: PictureSet, device: torch.device) -> Validation:
        """See `Task`: Gaussian noise of `SIGMAS`, 8 bits; the pictures have low, middle and high quality in turn."""
        model.eval()
        shape = model.network.config
        levels = torch.linspace(0, model.density.levels - 1, POINTS, device=device)
        losses: list[float] = []
        points: list[tuple[float, ...]] = []
        for sigma in SIGMAS:
            measured = []
            for number, picture in enumerate(data.choose(range(len(data)))):
                clean = to_batch(picture, shape.stride, device, shape.channels)
                noisy = to_8_bits(with_fixed_noise(clean, sigma, number))
                terms = model(noisy, levels[number % POINTS][None], clean)
                measured.append((float(terms.loss), *terms.measured().values()))
            if not measured:
                raise TrainingError(f"{data.paths[0].parent}: all {len(data)} pictures are damaged")
            loss, *point = (float(mean) for mean in np.mean(measured, axis=0))
            losses.append(loss)
            points.append(tuple(point))
        model.train()
        return Validation(float(np.mean(losses)), tuple(points))

    def write_bundle(
        self,
        folder: Path,
        name: str,
        model: TrainingModel,
        data: PictureSet,
        training: dict[str, Any],
        *,
        start: Path | None,
        force: bool,
    ) -> Path:
        """See `Task`."""
        assert start is not None
        return write_bundle(folder, name, model.network, start, self.config, training, force=force)
