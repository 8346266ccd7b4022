"""Checkpoints: everything a run needs to go on as if it had never stopped, in one file written atomically."""

from pathlib import Path
from typing import Any

import torch

from cnnzip.errors import FileError, TrainingError
from cnnzip.files import write_atomic
from cnnzip.train.config import TrainConfig


def save(path: Path, state: dict[str, Any]) -> None:
    """Write `state` so that `path` holds the old checkpoint or the new one, whatever happens.

    Raises:
        FileError: the disk is full or the folder cannot be written.
    """
    write_atomic(path, lambda file: torch.save(state, file), force=True)


def load(path: Path, config: TrainConfig | None = None) -> dict[str, Any]:
    """The state that `save` wrote; with `config`, only of a run with those settings.

    Raises:
        FileError: there is no such file.
        TrainingError: it is damaged, or belongs to a run with other settings.
    """
    if not path.is_file():
        raise FileError(f"{path}: no checkpoint there")
    try:
        # weights_only: a checkpoint holds tensors and plain values, and must not be able to run code.
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever the damaged bytes lead to
        raise TrainingError(f"{path}: damaged checkpoint ({type(error).__name__})") from error
    if config is not None:
        before, now = state["config"], config.as_json()
        # A run may be given more steps or minutes; all else decides what it is.
        changed = [k for k in now if k not in ("steps", "minutes") and before.get(k) != now[k]]
        if changed:
            raise TrainingError(f"{path}: belongs to a run with other settings ({', '.join(changed)})")
    return state
