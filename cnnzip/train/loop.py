"""The training loop, top to bottom: draw crops, one step, average, validate, keep the best; see `task` for the rest."""

import math
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils.memory_format import convert_conv2d_weight_memory_format

from cnnzip.errors import TrainingError
from cnnzip.train import checkpoint
from cnnzip.train.config import TrainConfig
from cnnzip.train.data import Crops, PictureSet
from cnnzip.train.device_crops import DeviceCrops
from cnnzip.train.distributed import Ranks
from cnnzip.train.optimizer import Optimizers
from cnnzip.train.task import Terms, Validation
from cnnzip.train.tasks import task_type

LAST = "last.pt"
BEST = "best.pt"

GRADIENT_NORM = 1.0
"""Gradients are clipped to this norm, so that one odd batch cannot throw the weights away."""

SAVE_SECONDS = 120.0
"""What an interruption by force (power, `kill -9`) can cost at most."""


class Reporter(Protocol):
    """Where the loop of rank 0 tells how it goes."""

    def begin(self, step: int) -> None:
        """Before the first step of this process: how many were done by those before it."""

    def step(self, values: dict[str, float]) -> None:
        """After each step: step, progress 0…1, loss, the task's measures, rate, seconds."""

    def validation(self, step: int, result: Validation, best: bool) -> None:
        """After a validation."""

    def exhausted(self, step: int, patience: int) -> None:
        """When the run ends early, after so many validations that brought nothing."""


class Interrupted(KeyboardInterrupt):
    """The run was asked to stop, and has saved itself."""


@contextmanager
def _stop_on_signal() -> Iterator[list[int]]:
    """Collects SIGINT and SIGTERM in a list, so that a step in flight is finished and saved."""
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    before = {s: signal.signal(s, note) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def learning_rate(config: TrainConfig, step: int, progress: float) -> float:
    """Linear warm-up, then a cosine down to `last_rate` of the full rate."""
    warm = min(1.0, (step + 1) / config.warmup)
    cosine = 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))
    return config.rate * warm * (config.last_rate + (1 - config.last_rate) * cosine)


class Run:
    """One training run: model, averaged model, optimisers, and how far it has come."""

    def __init__(self, config: TrainConfig, device: torch.device, ranks: Ranks, *, compiled: bool = False) -> None:
        torch.manual_seed(config.seed)
        self.config = config
        self.device = device
        self.ranks = ranks
        self.task = task_type(config)(config)
        self.model: nn.Module = self.task.model().to(device)
        self.average: nn.Module = self.task.model().to(device)
        for model in (self.model, self.average):
            convert_conv2d_weight_memory_format(model, torch.channels_last)
        self.average.load_state_dict(self.model.state_dict())
        if compiled:
            # The average is not: it is validated on pictures of all sizes, and each would be compiled anew.
            for network in self.task.networks(self.model):
                network.compile()
        self.optimizers = Optimizers([self.model], config.optimizer, config.rate, config.weight_decay)
        self.parallel: nn.Module = DistributedDataParallel(self.model) if ranks.count > 1 else self.model
        self.step = 0
        self.seconds = 0.0
        self.best = math.inf
        self.stale = 0
        """Validations in a row, up to the last one, that were no better than the best."""

    def state(self) -> dict[str, Any]:
        """Everything that a checkpoint holds."""
        return {
            "config": self.config.as_json(),
            "step": self.step,
            "seconds": self.seconds,
            "best": self.best,
            "stale": self.stale,
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": self.optimizers.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from `state`."""
        self.step, self.seconds, self.best = state["step"], state["seconds"], state["best"]
        self.stale = state.get("stale", 0)  # older checkpoints knew no patience
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizers.load_state_dict(state["optimizers"])

    def start_from(self, bundle: Path) -> None:
        """Take the weights of a finished model; `config` is what `tasks.configured_from` gave for it."""
        for model in (self.model, self.average):
            self.task.load_weights(model, bundle)

    def progress(self) -> float:
        """How much of the run is done, 0…1, by steps or by this process's minutes."""
        if self.config.steps is not None:
            return self.step / self.config.steps
        assert self.config.minutes is not None
        return self.seconds / (self.config.minutes * 60)

    def take_step(self, pixels: Tensor, progress: float) -> dict[str, float]:
        """One step on a batch (B, C, H, W) in 0…1.

        Raises:
            TrainingError: the loss or a gradient is no finite number; no parameter has been changed.
        """
        # The draws depend on the step alone: a resumed run repeats exactly what an unbroken one does.
        torch.manual_seed((self.config.seed << 32) + (self.ranks.rank << 24) + self.step)
        terms: Terms = self.parallel(*self.task.inputs(pixels))
        terms.loss.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), GRADIENT_NORM)
        loss = float(terms.loss.detach())
        if not math.isfinite(loss + float(norm)):
            raise TrainingError(
                f"step {self.step + 1}: the loss is {loss:g}, its gradient's norm {float(norm):g}; "
                f"take a lower --rate; --resume goes on from {LAST}"
            )
        rate = learning_rate(self.config, self.step, progress)
        self.optimizers.step(rate)
        self._update_average()
        self.step += 1
        return {"loss": loss, **terms.measured(), "rate": rate}

    @torch.no_grad()
    def _update_average(self) -> None:
        # Early on the average must follow quickly, or it would keep the random start for thousands of steps.
        decay = min(self.config.average, (1 + self.step) / (10 + self.step))
        averaged: list[Tensor] = list(self.average.parameters())
        current: list[Tensor] = list(self.model.parameters())
        torch._foreach_lerp_(averaged, current, 1 - decay)
        # The statistics of batch normalisations, and how many batches they are of.
        for mean, now in zip(self.average.buffers(), self.model.buffers(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(now, 1 - decay)
            else:
                mean.copy_(now)


def train(
    config: TrainConfig,
    data: PictureSet,
    valid: PictureSet | None,
    folder: Path,
    *,
    device: torch.device,
    ranks: Ranks,
    reporter: Reporter,
    start: Path | None,
    resume: bool,
    validate_every: int,
    crops_on_device: bool = False,
    compiled: bool = False,
) -> Path:
    """Train until the steps or minutes are used up; the checkpoint with the best weights.

    The first weights are those of the bundle `start`, or random. `folder` gets `last.pt`, to resume from, and
    `best.pt`, the averaged weights with the lowest loss on `valid` (without `valid`: the last ones). With a
    patience, the run ends as soon as so many validations in a row have brought no better ones. Where the crops
    are cut, and whether the networks are compiled, changes the last bits alone.

    Raises:
        Interrupted: SIGINT or SIGTERM came; `last.pt` is up to date.
        TrainingError: the loss is no longer a finite number, the checkpoint belongs to another run, or all
            pictures are damaged.
        FileError: a checkpoint cannot be written (disk full); the one before it is intact.
    """
    run = Run(config, device, ranks, compiled=compiled)
    if resume:
        run.load(checkpoint.load(folder / LAST, config))
    elif start:
        run.start_from(start)

    if ranks.rank == 0:
        reporter.begin(run.step)

    def keep(name: str) -> None:
        if ranks.rank == 0:
            checkpoint.save(folder / name, run.state())

    def keep_if_best() -> None:
        if ranks.rank > 0:
            return
        result = run.task.validate(run.average, valid, device) if valid is not None else None
        if result is None or result.loss < run.best:
            run.best, run.stale = (result.loss if result else run.best), 0
            keep(BEST)
        else:
            run.stale += 1
        if result:
            reporter.validation(run.step, result, result.loss == run.best)

    settings: dict[str, Any] = {"crop": config.crop, "batch": config.batch, "channels": run.task.channels}
    settings |= {"seed": config.seed, "rank": ranks.rank}
    crops = DeviceCrops(data, device, **settings) if crops_on_device else Crops(data, **settings)
    began = time.monotonic() - run.seconds
    saved = time.monotonic()
    with _stop_on_signal() as signals, closing(crops.stream(run.step)) as stream:
        while True:
            # Rank 0 decides for all: clocks and signals differ, and all must take the same number of steps.
            tired = config.patience is not None and run.stale >= config.patience
            progress, stop, enough = ranks.agree(run.progress(), float(bool(signals)), float(tired))
            if stop or enough or progress >= 1 or time.monotonic() - saved > SAVE_SECONDS:
                keep(LAST)
                saved = time.monotonic()
            if stop:
                raise Interrupted(f"stopped at step {run.step}; --resume goes on from {folder / LAST}")
            if enough and ranks.rank == 0 and config.patience is not None:
                reporter.exhausted(run.step, config.patience)
            if enough or progress >= 1:
                break
            pixels = torch.as_tensor(next(stream)).to(device, non_blocking=True).float() / 255
            values = run.take_step(pixels.contiguous(memory_format=torch.channels_last), progress)
            run.seconds = time.monotonic() - began
            if ranks.rank == 0:
                reporter.step({"step": run.step, "progress": run.progress(), "seconds": run.seconds, **values})
            if run.step % validate_every == 0:
                keep_if_best()
    if run.step % validate_every:
        keep_if_best()
        keep(LAST)
    return folder / BEST
