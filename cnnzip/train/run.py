"""A whole training run: pictures in, checkpoints and curves on the way, a model bundle at the end."""

from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console

from cnnzip.errors import FileError, OutputExistsError, TrainingError
from cnnzip.train import checkpoint
from cnnzip.train.bundle import bundle_target
from cnnzip.train.config import TrainConfig
from cnnzip.train.data import PictureSet, load
from cnnzip.train.device_crops import fits
from cnnzip.train.distributed import Ranks
from cnnzip.train.loop import LAST, train
from cnnzip.train.report import FileReporter, draw_curves
from cnnzip.train.tasks import task_type

CROPS = ("auto", "host", "device")
"""By threads of the CPU; on the device, in whose memory all pictures lie; auto: on a GPU, if they fit."""


@dataclass(frozen=True)
class Request:
    """What is asked for beside the settings of the run itself."""

    data: Path
    valid: Path | None
    run: Path
    start: Path | None
    """The bundle whose weights the run starts with."""
    resume: bool
    name: str
    output: Path
    device: str
    threads: int
    validate_every: int
    cache_bytes: int
    """Memory for the decoded pictures of each folder."""
    crops: str
    """Where crops are cut, one of `CROPS`."""
    compiled: bool
    """Whether torch compiles the networks."""
    force: bool


def choose_device(name: str, local_rank: int) -> torch.device:
    """The device called `name`; `auto` is the GPU where there is one.

    Raises:
        TrainingError: there is no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda":
        if not torch.cuda.is_available():
            raise TrainingError("--device cuda: torch sees no GPU here")
        if local_rank >= torch.cuda.device_count():
            raise TrainingError(
                f"process {local_rank} of this machine has no GPU: there are {torch.cuda.device_count()}"
            )
        # What cuDNN would choose by itself sums in an order that changes from run to run.
        torch.backends.cudnn.deterministic = True
        torch.cuda.set_device(local_rank)
        return torch.device("cuda", local_rank)
    if name != "cpu":
        raise TrainingError(f"--device is auto, cpu or cuda, not '{name}'")
    return torch.device("cpu")


def has_bf16(device: str) -> bool:
    """Whether the device called `device` computes in bfloat16 by itself; emulation is slower than float32."""
    if device != "cpu" and torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def carry_out(config: TrainConfig, request: Request) -> None:
    """Train as `config` says and write the bundle; rank 0 alone tells and writes.

    Raises:
        TrainingError, FileError, ModelError: it cannot start or go on; the last checkpoint is intact.
        KeyboardInterrupt: it was stopped, and has saved itself.
    """
    _check_folders(request)
    if request.threads:
        torch.set_num_threads(request.threads)
    device_type = "cuda" if request.device != "cpu" and torch.cuda.is_available() else "cpu"
    ranks = Ranks.from_environment(device_type)
    console = Console(stderr=True, quiet=ranks.rank > 0)
    try:
        device = choose_device(request.device, ranks.local)
        data = load(request.data, least_side=config.crop, cache_bytes=request.cache_bytes)
        valid = load(request.valid, cache_bytes=request.cache_bytes) if request.valid else None
        _tell_start(console, config, data, valid, device)
        measures = task_type(config).measures
        with FileReporter(request.run, console, measures) as reporter:
            best = train(
                config,
                data,
                valid,
                request.run,
                device=device,
                ranks=ranks,
                reporter=reporter,
                start=request.start,
                resume=request.resume,
                validate_every=request.validate_every,
                crops_on_device=_on_device(request.crops, data, device),
                compiled=request.compiled,
            )
        if ranks.rank == 0:
            console.print(f"curves: {draw_curves(request.run, measures)}", highlight=False, soft_wrap=True)
            bundle = _bundle(config, request, data, best)
            console.print(f"model: {bundle}", highlight=False, soft_wrap=True)
            if data.damaged:
                console.print(
                    f"damaged and left out: {len(data.damaged)} pictures, {min(data.damaged)} among them",
                    highlight=False,
                    soft_wrap=True,
                )
    except torch.OutOfMemoryError as error:
        raise TrainingError("the GPU has not enough memory: take a lower --batch or --crop") from error
    except RuntimeError as error:
        if not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
            raise
        raise TrainingError(f"--compile: torch cannot: {str(error).strip().splitlines()[0]}") from error
    finally:
        ranks.leave()


def _on_device(crops: str, data: PictureSet, device: torch.device) -> bool:
    return crops == "device" or (crops == "auto" and device.type == "cuda" and fits(data, device))


def _check_folders(request: Request) -> None:
    """Find out before hours of training that its result could not be written."""
    bundle_target(request.output, request.name, force=request.force)
    if request.resume and not (request.run / LAST).exists():
        raise FileError(f"{request.run / LAST}: no checkpoint there")
    if (request.run / LAST).exists() and not request.resume and not request.force:
        raise OutputExistsError(f"{request.run}: holds a run; --resume goes on with it, --force starts anew")
    for folder in (request.run, request.output):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"{folder}: cannot be made: {error.strerror}") from error


def _tell_start(
    console: Console, config: TrainConfig, data: PictureSet, valid: PictureSet | None, device: torch.device
) -> None:
    model = task_type(config)(config).model()
    parameters = sum(p.numel() for p in model.parameters())
    console.print(
        f"family {config.family}: {parameters:,} parameters, on {device}; training on {len(data)} pictures "
        f"({data.areas.sum() / 1e6:.1f} MP, {data.skipped} files skipped), "
        + (f"validating on {len(valid)}" if valid else "no validation: --valid DIR keeps the best weights"),
        highlight=False,
        soft_wrap=True,
    )


def _bundle(config: TrainConfig, request: Request, data: PictureSet, best: Path) -> Path:
    state = checkpoint.load(best, config)
    task = task_type(config)(config)
    model = task.model()
    model.load_state_dict(state["average"])
    training = {
        "steps": state["step"],
        "minutes": round(state["seconds"] / 60, 1),
        "torch": torch.__version__,
        "pictures": len(data),
        "validation_loss": state["best"] if request.valid else None,
    }
    where = request.output, request.name
    return task.write_bundle(*where, model, data, training, start=request.start, force=request.force)
