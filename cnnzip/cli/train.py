"""`cnnzip train`."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cnnzip.errors import ModelError, TrainingError, UsageError

if TYPE_CHECKING:
    from cnnzip.train.lambdas import Lambdas

DEFAULT_FAMILY = "photo"


def parse_options(settings: list[str]) -> dict[str, Any]:
    """`["width=64"]` as `{"width": 64}`: values are JSON, or else plain text."""
    options: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name:
            raise UsageError(f"--set takes NAME=VALUE, not '{setting}'")
        try:
            options[name] = json.loads(text)
        except json.JSONDecodeError:
            options[name] = text
    return options


def parse_lambdas(text: str) -> "Lambdas":
    """`"0.0006:0.6144"` as the λ of every level."""
    from cnnzip.train.lambdas import Lambdas

    try:
        lowest, highest = map(float, text.split(":"))
        return Lambdas.between(lowest, highest)
    except (ValueError, ZeroDivisionError) as error:
        raise UsageError(f"--lambdas takes LOW:HIGH, such as 0.0006:0.6144, not '{text}'") from error


def list_families(wanted: bool) -> None:
    """Print a line for each family, where that is wanted, and leave."""
    if not wanted:
        return
    try:
        from cnnzip.networks.cost import PICTURE, cost_of
        from cnnzip.networks.registry import DENOISERS, FAMILIES, family_type
    except ImportError as error:
        raise TrainingError(f"families need torch ({error.name}): pip install 'cnnzip[train]'") from error
    latent_of = f"latent of {PICTURE[0]}×{PICTURE[1]}"
    typer.echo(f"{'family':<10} {'parameters':>10}  {'kMAC/pixel':<11}  {latent_of:<17}  what it is")
    for name in (*FAMILIES, *DENOISERS):
        cost = cost_of(name)
        rates, latent = " / ".join(f"{rate:.1f}" for rate in cost.passes), "×".join(map(str, cost.latent or ("–",)))
        typer.echo(f"{name:<10} {cost.parameters:>10,}  {rates:<11}  {latent:<17}  {family_type(name).summary}")
    raise typer.Exit


def train(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="Folder of training pictures.")],
    family: Annotated[
        str | None, typer.Option(metavar="NAME", help=f"Family of networks; by default {DEFAULT_FAMILY}.")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="NAME|DIR", help="Start with the weights of this model.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="An option of the family; repeatable."),
    ] = None,
    channels: Annotated[
        int | None, typer.Option(min=1, max=3, metavar="1|3", help="Planes: 1 for a model of gray pictures.")
    ] = None,
    noise: Annotated[
        str | None,
        typer.Option(
            metavar="mixed|gaussian|camera",
            help="What a denoiser takes away, by default mixed; of a codec, trains the analysis for such pictures.",
        ),
    ] = None,
    lambdas: Annotated[
        str | None,
        typer.Option(
            metavar="LOW:HIGH",
            help="λ of a codec's qualities 0 and 100; by default the model's (--from), else 0.0006:0.6144.",
        ),
    ] = None,
    sent: Annotated[
        bool,
        typer.Option("--sent", help="Learn with the symbols that an encoder sends, for a last phase."),
    ] = False,
    valid: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder of validation pictures.")] = None,
    # Not --run, which torchrun takes for an abbreviation of its own --run-path.
    run: Annotated[Path, typer.Option("--run-dir", metavar="DIR", help="Where checkpoints, log and curves go.")] = Path(
        "runs/train"
    ),
    steps: Annotated[int | None, typer.Option(min=1, help="Train for so many steps.")] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="Train for so long.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the run's last checkpoint.")] = False,
    name: Annotated[str | None, typer.Option(help="The model's name; by default the family's.")] = None,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Where the bundle goes.")] = Path(
        "models"
    ),
    batch: Annotated[int, typer.Option(min=1, help="Crops a step and process.")] = 16,
    crop: Annotated[int, typer.Option(min=32, help="Side of a crop, a multiple of 32.")] = 128,
    rate: Annotated[float, typer.Option(min=1e-8, help="Highest learning rate.")] = 2e-3,
    optimizer: Annotated[str, typer.Option(metavar="soap|adam")] = "soap",
    weight_decay: Annotated[
        float, typer.Option(min=0, max=1e6, help="Shrink weights by this times the learning rate a step.")
    ] = 0.0,
    dropout: Annotated[
        float, typer.Option(min=0, max=0.99, help="Probability with which a channel is left out of a step.")
    ] = 0.0,
    patience: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="End when N validations in a row were no better.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1)] = 0,
    device: Annotated[str, typer.Option(metavar="auto|cpu|cuda")] = "auto",
    bf16: Annotated[
        bool | None,
        typer.Option("--bf16/--no-bf16", help="Compute the networks in bfloat16; by default where that is fast."),
    ] = None,
    crops: Annotated[
        str, typer.Option(metavar="auto|host|device", help="Where crops are cut; device: pictures lie in its memory.")
    ] = "auto",
    compiled: Annotated[bool, typer.Option("--compile", help="Have torch compile the networks first.")] = False,
    threads: Annotated[int, typer.Option(min=0, help="CPU threads; 0 is all cores.")] = 0,
    validate_every: Annotated[int, typer.Option(min=1, metavar="STEPS")] = 1000,
    cache_gb: Annotated[float, typer.Option(min=0, help="Memory for the decoded pictures of a folder.")] = 4.0,
    force: Annotated[bool, typer.Option("-f", "--force", help="Replace the run and the bundle of that name.")] = False,
    _families: Annotated[
        bool,
        typer.Option("--list-families", callback=list_families, is_eager=True, help="Explain the families and exit."),
    ] = False,
) -> None:
    """Train a model on a folder of pictures and write its bundle.

    Under torchrun, every process takes its own crops and one device.
    """
    if (steps is None) == (minutes is None):
        raise UsageError("give either --steps or --minutes")
    if crop % 32:
        raise UsageError("--crop must be a multiple of 32")
    if optimizer not in ("soap", "adam"):
        raise UsageError(f"--optimizer is soap or adam, not '{optimizer}'")
    for option, number in (
        ("--minutes", minutes),
        ("--rate", rate),
        ("--cache-gb", cache_gb),
        ("--weight-decay", weight_decay),
        ("--dropout", dropout),
    ):
        if number is not None and not math.isfinite(number):
            raise UsageError(f"{option} must be a finite number, not {number}")
    if patience is not None and valid is None:
        raise UsageError("--patience needs --valid: without it there is nothing to wait for")
    try:
        from cnnzip.codec.models import find_bundle
        from cnnzip.networks.registry import build, family_type
        from cnnzip.train.config import TrainConfig
        from cnnzip.train.noise import NOISES
        from cnnzip.train.run import CROPS, Request, carry_out, has_bf16
        from cnnzip.train.tasks import configured_from, task_type
    except ImportError as error:
        raise TrainingError(f"training needs more packages ({error.name}): pip install 'cnnzip[train]'") from error

    if start and (family or settings or channels):
        raise UsageError(
            "--from takes the family and its options from the model; leave out --family, --set and --channels"
        )
    options = parse_options(settings or [])
    if channels is not None:
        options["channels"] = channels
    try:
        build(family or DEFAULT_FAMILY, options)
    except ModelError as error:
        raise UsageError(str(error)) from error
    if crops not in CROPS:
        raise UsageError(f"--crops is {', '.join(CROPS[:-1])} or {CROPS[-1]}, not '{crops}'")
    if noise is not None and noise not in NOISES:
        raise UsageError(f"--noise is {', '.join(NOISES[:-1])} or {NOISES[-1]}, not '{noise}'")
    config = TrainConfig(
        family=family or DEFAULT_FAMILY,
        options=options,
        noise=noise or NOISES[0],
        crop=crop,
        batch=batch,
        steps=steps,
        minutes=minutes,
        rate=rate,
        optimizer=optimizer,
        weight_decay=weight_decay,
        dropout=dropout,
        patience=patience,
        bf16=has_bf16(device) if bf16 is None else bf16,
        seed=seed,
    )
    first = find_bundle(start) if start else None
    if first:
        config = configured_from(first, config)
    if noise is not None and "noise" not in task_type(config).settings:
        if first is None or name is None:
            raise UsageError("--noise without a denoiser trains the analysis of a codec; say --from and a new --name")
        config = replace(config, noisy=True)
    if lambdas is not None:
        if config.noisy or "levels" not in task_type(config).settings:
            raise UsageError("--lambdas is for codecs, and not with --noise: the qualities are those of the model")
        config = replace(config, **parse_lambdas(lambdas).settings())
    if sent:
        if config.noisy or family_type(config.family).prior != "hyper":
            raise UsageError("--sent is for codecs with a hyper-latent, and not with --noise")
        config = replace(config, sent=True)
    request = Request(
        data=data,
        valid=valid,
        run=run,
        start=first,
        resume=resume,
        name=name or config.family,
        output=output,
        device=device,
        threads=threads,
        validate_every=validate_every,
        cache_bytes=int(cache_gb * 2**30),
        crops=crops,
        compiled=compiled,
        force=force,
    )
    carry_out(config, request)
