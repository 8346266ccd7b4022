"""`cnnzip denoise`, and what `cnnzip encode --denoise` shares with it."""

import math
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from cnnzip.cli import options
from cnnzip.cli.batch import carry_out
from cnnzip.cli.batch_options import BatchOptions, takes_batch_options
from cnnzip.cli.files import STANDARD
from cnnzip.errors import OutputFormatError, UsageError

AUTO = "auto"


class DenoiseOption(TyperCommand):
    """A command whose `--denoise` may stand alone, and then means `--denoise=auto`: Typer has no such options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments with the value added; behind `--` are files, whatever their names."""
        end = args.index("--") if "--" in args else len(args)
        before = [f"--denoise={AUTO}" if argument == "--denoise" else argument for argument in args[:end]]
        return super().parse_args(ctx, before + args[end:])


def level_of(option: str, text: str) -> float | None:
    """The noise level that `text` says; None is `auto`.

    Raises:
        UsageError: it is neither `auto` nor a number in 0…255.
    """
    if text == AUTO:
        return None
    try:
        sigma = float(text)
    except ValueError:
        sigma = math.nan
    if not 0 <= sigma <= 255:
        raise UsageError(f"{option} takes auto or a noise level in 0 … 255, not '{text}'")
    return sigma


def preview_format(name: str, files: list[str] | None, batch: BatchOptions) -> str:
    """The format of the preview that goes to the file `name`.

    Raises:
        UsageError: of several inputs, to standard output, or in no known format.
    """
    from cnnzip import image

    if batch.given or not files or len(files) > 1:
        raise UsageError("--preview goes with a single input, and with no option for many")
    if name == STANDARD:
        raise UsageError("--preview takes the name of a file, not -")
    try:
        return image.format_of(name)
    except OutputFormatError as error:
        raise UsageError(f"--preview: {error}") from error


@takes_batch_options(writes=True)
def denoise(
    files: options.SomeFiles = None,
    output: options.Output = None,
    sigma: Annotated[
        str,
        typer.Option(metavar="auto|0…255", help="The noise level: standard deviation on the scale 0…255."),
    ] = AUTO,
    strength: Annotated[
        float, typer.Option(min=0, max=1, metavar="0…1", help="How much of the noise goes; 0 gives the input back.")
    ] = 1.0,
    keep_detail: Annotated[
        bool, typer.Option("--keep-detail", help="Put part of it back where texture and edges hide it.")
    ] = False,
    chroma: Annotated[
        bool, typer.Option("--chroma", help="Treat colour noise more strongly; takes twice the time.")
    ] = False,
    file_format: options.FileFormat = None,
    preview: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write noisy | denoised | difference ×4 of the middle; a single input."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME|DIR", help="The denoising model to use; see cnnzip models.")
    ] = None,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    runtime: options.Runtime = "onnx",
    threads: options.Threads = 0,
    limit_pixels: options.LimitPixels = options.DEFAULT_LIMIT,
    *,
    batch: BatchOptions,
) -> None:
    """Take the noise out of pictures: photo.jpg becomes photo-denoised.png beside it.

    The noise level is found from the picture and printed; a clean picture passes unchanged. Inputs may be .cnz files,
    too. The suffix of -o, or --format, chooses another format. In folders, what is called *-denoised is passed over.
    """
    from cnnzip.batch.jobs.denoise import DenoiseJob
    from cnnzip.denoise.model import DEFAULT_DENOISER

    level = level_of("--sigma", sigma)
    if math.isnan(strength):
        raise UsageError("--strength takes a number in 0 … 1, not 'nan'")
    chosen, suffix = options.output_format(output, file_format)
    job = DenoiseJob(
        chosen,
        suffix,
        model or DEFAULT_DENOISER,
        sigma=level,
        strength=strength,
        keep_detail=keep_detail,
        chroma=chroma,
        preview=None if preview is None else preview_format(preview, files, batch),
        runtime=runtime,
        limit_pixels=limit_pixels,
    )
    carry_out(
        job,
        files,
        batch,
        output=output,
        preview=preview,
        force=force,
        as_json=as_json,
        quiet=quiet,
        threads=threads,
    )
