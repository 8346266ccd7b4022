"""The task of a codec: rate and distortion at every quality."""

from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from cnnzip.train.bundle import write_bundle
from cnnzip.train.config import TrainConfig
from cnnzip.train.data import PictureSet
from cnnzip.train.model import TrainingModel
from cnnzip.train.start import load_weights
from cnnzip.train.task import PSNR, Measure, Validation
from cnnzip.train.validate import validate


class Coding:
    """See `task.Task`."""

    measures: ClassVar[tuple[Measure, ...]] = (Measure("bpp", "rate, bpp", "{:.3f} bpp"), PSNR)
    settings: ClassVar[tuple[str, ...]] = ("levels", "lowest_lambda", "highest_lambda", "bend", "sent")
    inherited: ClassVar[tuple[str, ...]] = settings[:-1]

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.channels: int = config.options.get("channels", 3)

    def model(self) -> TrainingModel:
        """See `Task`."""
        return TrainingModel(self.config)

    def networks(self, model: TrainingModel) -> tuple[nn.Module, ...]:
        """See `Task`."""
        return model.network.analysis, model.network.synthesis

    def load_weights(self, model: TrainingModel, bundle: Path) -> None:
        """See `Task`."""
        load_weights(model, bundle)

    def inputs(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """See `Task`: a quality for every picture."""
        return pixels, torch.rand(len(pixels), device=pixels.device) * (self.config.levels - 1)

    def validate(self, model: TrainingModel, data: PictureSet, device: torch.device) -> Validation:
        """See `Task`."""
        return validate(model, data, device)

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
        return write_bundle(folder, name, model, self.config, data, training, force=force)
