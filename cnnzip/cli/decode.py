"""`cnnzip decode`."""

import time
from typing import Annotated

import typer

from cnnzip.cli import options
from cnnzip.cli.files import STANDARD, Outputs, Teller, each, read_input, shown
from cnnzip.errors import OutputFormatError, UsageError

SUFFIX = ".png"


def decode(
    files: options.Files,
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
) -> None:
    """Decompress: photo.cnz becomes photo.png beside it.

    The suffix of -o, or --format, chooses another format.
    """
    from cnnzip import image
    from cnnzip.codec.decode import decode_picture

    suffix = SUFFIX if file_format is None else f".{file_format.removeprefix('.').lower()}"
    try:
        named = output if output and output != STANDARD and file_format is None else f"x{suffix}"
        chosen = image.format_of(named)
    except OutputFormatError as error:
        raise UsageError(f"{error}; or say it with --format" if file_format is None else str(error)) from error
    outputs = Outputs(files, output, suffix, force=force)
    teller = Teller(as_json=as_json, quiet=quiet, data_on_stdout=outputs.use_stdout)

    def one(source: str) -> None:
        target = outputs.claim(source)
        start = time.perf_counter()
        given = read_input(source)
        picture = decode_picture(
            given, limit_pixels=limit_pixels, open_runtime=lambda model: model.runtime(runtime, threads)
        )
        data, notes = image.write(picture, chosen)
        outputs.write(target, data)
        for note in notes:
            teller.note(source, note)
        record = {
            "input": source,
            "output": target,
            "width": picture.width,
            "height": picture.height,
            "input_bytes": len(given),
            "bytes": len(data),
            "seconds": round(time.perf_counter() - start, 4),
            "notes": list(notes),
        }
        size = f"{picture.width}×{picture.height} {picture.mode}, {len(data):,} bytes"
        teller.done(f"{shown(source)} → {shown(target, 'standard output')}: {size}", record)

    each(files, teller, one)
