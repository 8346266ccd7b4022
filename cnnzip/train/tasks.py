"""Which task a run has, and what a finished model says about the run that goes on from it."""

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
from cnnzip.train.lambdas import Lambdas
from cnnzip.train.noisy_coding import NoisyCoding
from cnnzip.train.task import Task


def task_type(config: TrainConfig) -> type[Task[Any]]:
    """The task of a run with these settings.

    Raises:
        ModelError: there is no such family.
    """
    if issubclass(family_type(config.family), Denoise):
        return Denoising
    return NoisyCoding if config.noisy else Coding


def configured_from(bundle: Path, config: TrainConfig) -> TrainConfig:
    """`config` with everything that the weights in `bundle` settle: family, options, and what the task inherits.

    Raises:
        BadModelError: the bundle is damaged.
        TrainingError: it does not tell how it was trained.
    """
    description = read_description(bundle)
    settled: dict[str, Any] = {"family": description.family, "options": description.options}
    settled["start"] = description.id.hex()
    try:
        before = TrainConfig.from_json(description.training["config"])
        for name in task_type(replace(config, **settled)).inherited:
            settled[name] = getattr(before, name)
        configured = replace(config, **settled)
        Lambdas.of(configured)
    except (KeyError, TypeError, ValueError) as error:
        raise TrainingError(f"{bundle}: the model does not tell how it was trained ({error})") from error
    return configured
