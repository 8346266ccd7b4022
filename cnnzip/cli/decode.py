"""`cnnzip decode`."""

from typing import Annotated, Literal

import typer

from cnnzip.cli import options
from cnnzip.cli.batch import carry_out
from cnnzip.cli.batch_options import BatchOptions, takes_batch_options
from cnnzip.errors import UsageError


@takes_batch_options(writes=True)
def decode(
    files: options.SomeFiles = None,
    output: options.Output = None,
    file_format: options.FileFormat = None,
    crop: Annotated[
        str | None,
        typer.Option(
            metavar="WxH+X+Y", help="Decode this rectangle alone; X and Y are from the left and the top, as shown."
        ),
    ] = None,
    scale: Annotated[
        Literal["1/2", "1/4", "1/8"] | None, typer.Option(help="Decode a preview of that part of the sides, quickly.")
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Of a damaged file, decode the tiles that are whole, and list the others.")
    ] = False,
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
    from cnnzip.batch.jobs.decode import DecodeJob

    if sum((crop is not None, scale is not None, partial)) > 1:
        raise UsageError("--crop, --scale and --partial contradict one another; give one of them")
    if batch.rm and (crop is not None or scale is not None):
        raise UsageError("--rm would remove what --crop and --scale leave out")
    chosen, suffix = options.output_format(output, file_format)
    rectangle = options.parse_crop(crop) if crop is not None else None
    shrink = int(scale.removeprefix("1/")) if scale else 1
    job = DecodeJob(chosen, suffix, rectangle, shrink, partial, runtime, limit_pixels)
    carry_out(job, files, batch, output=output, force=force, as_json=as_json, quiet=quiet, threads=threads)
