"""`cnnzip encode`."""

import time
from typing import Annotated, Any, Literal

import typer

from cnnzip.cli import options
from cnnzip.cli.files import Outputs, Teller, each, read_input, shown
from cnnzip.errors import UsageError

SUFFIX = ".cnz"


def encode(
    files: options.Files,
    output: options.Output = None,
    quality: Annotated[
        float, typer.Option("-q", "--quality", metavar="0…100", help="0 is smallest, 100 is best.")
    ] = 75.0,
    model: Annotated[str | None, typer.Option(metavar="NAME|DIR", help="The model to use; see cnnzip models.")] = None,
    coder: Annotated[
        Literal["huffman", "rans"], typer.Option(help="Entropy coder; rans is about 1 % smaller.")
    ] = "huffman",
    strip: Annotated[bool, typer.Option("--strip", help="Drop EXIF and XMP; the colour profile stays.")] = False,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    runtime: options.Runtime = "onnx",
    threads: options.Threads = 0,
    limit_pixels: options.LimitPixels = options.DEFAULT_LIMIT,
) -> None:
    """Compress pictures: photo.png becomes photo.cnz beside it."""
    from cnnzip import image
    from cnnzip.codec.encode import encode_picture
    from cnnzip.codec.models import DEFAULT_MODEL, find_model

    if not 0 <= quality <= 100:  # not by Typer, whose ranges take NaN
        raise UsageError(f"-q/--quality is a number from 0 to 100, not {quality:g}")
    outputs = Outputs(files, output, SUFFIX, force=force)
    teller = Teller(as_json=as_json, quiet=quiet, data_on_stdout=outputs.use_stdout)
    found = find_model(model or DEFAULT_MODEL)
    runner = found.runtime(runtime, threads)

    def one(source: str) -> None:
        target = outputs.claim(source)
        start = time.perf_counter()
        given = read_input(source)
        picture = image.read(given, limit_pixels=limit_pixels)
        if strip:
            picture = image.strip(picture)
        data = encode_picture(picture, found, runner, quality=quality, coder=coder)
        outputs.write(target, data)
        for note in picture.notes:
            teller.note(source, note)
        bpp = 8 * len(data) / (picture.width * picture.height)
        saving = 1 - len(data) / len(given)
        record: dict[str, Any] = {
            "input": source,
            "output": target,
            "width": picture.width,
            "height": picture.height,
            "input_bytes": len(given),
            "bytes": len(data),
            "bpp": round(bpp, 5),
            "saving": round(saving, 5),
            "quality": quality,
            "model": found.description.name,
            "coder": coder,
            "seconds": round(time.perf_counter() - start, 4),
            "notes": list(picture.notes),
        }
        teller.done(
            f"{shown(source)} → {shown(target, 'standard output')}: {len(given):,} → {len(data):,} bytes, "
            f"{bpp:.3f} bpp, " + (f"{saving:.1%} saved" if saving >= 0 else f"{-saving:.1%} larger"),
            record,
        )

    each(files, teller, one)
