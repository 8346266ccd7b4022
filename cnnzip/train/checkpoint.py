"""Checkpoints: everything a run needs to go on as if it had never stopped, in one file written atomically."""

import io
from pathlib import Path
from typing import Any

import torch

from cnnzip.errors import FileError, TrainingError
from cnnzip.files import read_bytes, write_atomic
from cnnzip.train.config import TrainConfig

CHANGEABLE = ("steps", "minutes", "patience", "rate", "crop", "batch", "sent")
"""A run may be given more time, a lower rate where it diverged, and other crops and symbols for its last phase; all
else decides what it is."""


def save(path: Path, state: dict[str, Any]) -> None:
    """Write `state` so that `path` holds the old checkpoint or the new one, whatever happens.

    Raises:
        FileError: the disk is full or the folder cannot be written.
    """
    # By way of memory: torch turns a full disk into an error of its own, which does not say what is wrong.
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_atomic(path, buffer.getbuffer(), force=True)


def load(path: Path, config: TrainConfig | None = None) -> dict[str, Any]:
    """The state that `save` wrote; with `config`, only of a run with those settings.

    Raises:
        FileError: there is no such file, or it cannot be read.
        TrainingError: it is damaged, or belongs to a run with other settings.
    """
    if not path.is_file():
        raise FileError(f"{path}: no checkpoint there")
    data = read_bytes(path)
    try:
        # weights_only: a checkpoint holds tensors and plain values, and must not be able to run code.
        state: dict[str, Any] = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        before = TrainConfig.from_json(state["config"]).as_json()
    except Exception as error:  # torch raises whatever the damaged bytes lead to
        raise TrainingError(f"{path}: damaged checkpoint ({type(error).__name__})") from error
    if config is not None:
        now = config.as_json()
        changed = [name for name in now if name not in CHANGEABLE and before[name] != now[name]]
        if changed:
            raise TrainingError(f"{path}: belongs to a run with other settings ({', '.join(changed)})")
    return state
