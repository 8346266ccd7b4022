"""`cnnzip decode`."""

from typing import Annotated

import typer

from cnnzip.cli import options
from cnnzip.cli.batch import carry_out
from cnnzip.cli.batch_options import BatchOptions, takes_batch_options
from cnnzip.cli.files import STANDARD
from cnnzip.errors import OutputFormatError, UsageError

SUFFIX = ".png"


@takes_batch_options(writes=True)
def decode(
    files: options.SomeFiles = None,
    output: options.Output = None,
    file_format: Annotated[
        str | None,
        typer.Option("--format", metavar="png|jpeg|…", help="Output format; by default what the suffix says."),
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
    """Decompress: photo.cnz becomes photo.png beside it.

    The suffix of -o, or --format, chooses another format.
    """
    from cnnzip import image
    from cnnzip.batch.job import DecodeJob

    suffix = SUFFIX if file_format is None else f".{file_format.removeprefix('.').lower()}"
    try:
        named = output if output and output != STANDARD and file_format is None else f"x{suffix}"
        chosen = image.format_of(named)
    except OutputFormatError as error:
        raise UsageError(f"{error}; or say it with --format" if file_format is None else str(error)) from error
    job = DecodeJob(chosen, suffix, runtime, limit_pixels)
    carry_out(job, files, batch, output=output, force=force, as_json=as_json, quiet=quiet, threads=threads)
