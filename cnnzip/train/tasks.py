"""Which task trains a family, and what a finished model says about the run that goes on from it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from cnnzip.codec.model import read_description
from cnnzip.errors import TrainingError
from cnnzip.networks.denoise import Denoise
from cnnzip.networks.registry import family_type
from cnnzip.train.coding import Coding
from cnnzip.train.config import TrainConfig
from cnnzip.train.denoising import Denoising
from cnnzip.train.task import Task


def task_type(family: str) -> type[Task[Any]]:
    """The task of the family called `family`.

    Raises:
        ModelError: there is no such family.
    """
    return Denoising if issubclass(family_type(family), Denoise) else Coding


def configured_from(bundle: Path, config: TrainConfig) -> TrainConfig:
    """`config` with everything that the weights in `bundle` settle: family, options, and what the task inherits.

    Raises:
        BadModelError: the bundle is damaged.
        TrainingError: it does not tell how it was trained.
    """
    description = read_description(bundle)
    settled: dict[str, Any] = {}
    try:
        for name in task_type(description.family).inherited:
            settled[name] = type(getattr(config, name))(description.training["config"][name])
    except (KeyError, TypeError, ValueError) as error:
        raise TrainingError(f"{bundle}: the model does not tell how it was trained ({error})") from error
    settled |= {"family": description.family, "options": description.options, "start": description.id.hex()}
    return replace(config, **settled)
