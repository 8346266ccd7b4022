"""What a run trains: everything in which the trainings of codecs and denoisers differ stands behind `Task`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

import torch
from torch import Tensor, nn

from cnnzip.train.config import TrainConfig
from cnnzip.train.data import PictureSet

Model = TypeVar("Model", bound=nn.Module)


@dataclass(frozen=True)
class Measure:
    """A number that is shown and drawn beside the loss."""

    name: str
    """In the log."""
    title: str
    """Of its curve."""
    text: str
    """How it is shown, a format string."""


PSNR = Measure("psnr", "PSNR, dB", "{:.2f} dB")


@dataclass(frozen=True)
class Validation:
    """Means over the pictures: the loss, and the task's measures at each of its points.

    A codec's points are qualities, from the lowest to the highest; where noise is added, they are its levels.
    """

    loss: float
    points: tuple[tuple[float, ...], ...]


class Terms(Protocol):
    """What a step of training computes."""

    @property
    def loss(self) -> Tensor:
        """A number, to be lowered."""

    def measured(self) -> dict[str, float]:
        """Means over the batch, by the names of the task's measures."""


class Task(Protocol[Model]):
    """One run's task: its model, what a step computes, how it is validated, and what is made of it at the end."""

    measures: ClassVar[tuple[Measure, ...]]
    settings: ClassVar[tuple[str, ...]]
    """Names of the settings in `TrainConfig` that this task alone has."""
    inherited: ClassVar[tuple[str, ...]]
    """Those of them that the weights of a finished model settle for a run that starts with it."""

    def __init__(self, config: TrainConfig) -> None: ...

    @property
    def channels(self) -> int:
        """Planes of the pictures."""

    def model(self) -> Model:
        """What is learnt, with fresh weights; called with what `inputs` gives, it computes `Terms`."""

    def networks(self, model: Model) -> tuple[nn.Module, ...]:
        """The parts of `model` that take nearly all of the time, to be compiled."""

    def load_weights(self, model: Model, bundle: Path) -> None:
        """Give `model` the weights of a finished one.

        Raises:
            BadModelError: the bundle is damaged.
            TrainingError: it lacks what only training needs.
        """

    def inputs(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """What the model is given for a batch of pictures, (B, C, H, W) in 0…1; draws of torch's own generator."""

    def validate(self, model: Model, data: PictureSet, device: torch.device) -> Validation:
        """Measure `model` on all pictures of `data`, the same way every time.

        Raises:
            TrainingError: all pictures are damaged.
        """

    def write_bundle(
        self,
        folder: Path,
        name: str,
        model: Model,
        data: PictureSet,
        training: dict[str, Any],
        *,
        start: Path | None,
        force: bool,
    ) -> Path:
        """Write the bundle `folder/name` of `model`, on the CPU, whole or not at all; its path.

        `start` is the bundle that the run started with, if any.

        Raises:
            TrainingError, OutputExistsError, FileError: see `bundle.write_whole`.
        """
