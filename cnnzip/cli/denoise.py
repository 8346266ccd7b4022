"""`cnnzip denoise`, and what `cnnzip encode --denoise` shares with it."""

import math
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from cnnzip.cli import options
from cnnzip.cli.files import STANDARD, Outputs, Teller, each, read_input, shown
from cnnzip.errors import OutputFormatError, UsageError

SUFFIX = ".png"
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


class _Beside(Outputs):
    """`photo.jpg` becomes `photo-denoised.png`: denoised, it is still a photograph, and the first is there already."""

    def of(self, source: str) -> str:
        path = Path(super().of(source))
        if self.given is not None or source == STANDARD or not path.name:
            return str(path)
        return str(path.with_name(f"{path.stem}-denoised{self.suffix}"))


def _previews(files: list[str], outputs: Outputs, name: str) -> Outputs:
    """Where the preview goes, by the same rules as the output.

    Raises:
        UsageError: of several inputs, to standard output, to where the output goes, or in no known format.
    """
    from cnnzip import image

    if len(files) > 1:
        raise UsageError("--preview goes with a single input")
    if name == STANDARD:
        raise UsageError("--preview takes the name of a file, not -")
    try:
        image.format_of(name)
    except OutputFormatError as error:
        raise UsageError(f"--preview: {error}") from error
    if Path(name).resolve() == Path(outputs.of(files[0])).resolve():
        raise UsageError("--preview names the output; give it another name")
    return Outputs(files, name, SUFFIX, force=outputs.force)


def denoise(
    files: options.Files,
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
    file_format: Annotated[
        str | None,
        typer.Option("--format", metavar="png|jpeg|…", help="Output format; by default what the suffix says."),
    ] = None,
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
) -> None:
    """Take the noise out of pictures: photo.jpg becomes photo-denoised.png beside it.

    The noise level is found from the picture and printed; a clean picture passes unchanged. Inputs may be .cnz files,
    too. The suffix of -o, or --format, chooses another format.
    """
    from cnnzip import image
    from cnnzip.denoise.denoise import denoise_picture
    from cnnzip.denoise.model import DEFAULT_DENOISER, open_denoiser
    from cnnzip.denoise.preview import preview as draw
    from cnnzip.denoise.reading import read_picture

    given_level = level_of("--sigma", sigma)
    if math.isnan(strength):
        raise UsageError("--strength takes a number in 0 … 1, not 'nan'")
    suffix = SUFFIX if file_format is None else f".{file_format.removeprefix('.').lower()}"
    try:
        named = output if output and output != STANDARD and file_format is None else f"x{suffix}"
        chosen = image.format_of(named)
    except OutputFormatError as error:
        raise UsageError(f"{error}; or say it with --format" if file_format is None else str(error)) from error
    outputs = _Beside(files, output, suffix, force=force)
    previews = _previews(files, outputs, preview) if preview is not None else None
    teller = Teller(as_json=as_json, quiet=quiet, data_on_stdout=outputs.use_stdout)
    denoiser = open_denoiser(model or DEFAULT_DENOISER, runtime, threads)

    def one(source: str) -> None:
        target = outputs.claim(source)
        if previews:
            previews.claim(source)
        start = time.perf_counter()
        given = read_input(source)
        picture = read_picture(given, limit_pixels=limit_pixels, runtime=runtime, threads=threads)
        denoised, level = denoise_picture(
            picture, denoiser, sigma=given_level, strength=strength, keep_detail=keep_detail, chroma=chroma
        )
        data, losses = image.write(denoised, chosen)
        outputs.write(target, data)
        if previews:
            drawn, _ = image.write(draw(picture, denoised), image.format_of(previews.of(source)))
            previews.write(previews.of(source), drawn)
        notes = [*picture.notes, *losses]
        for note in notes:
            teller.note(source, note)
        record = {
            "input": source,
            "output": target,
            "width": picture.width,
            "height": picture.height,
            "input_bytes": len(given),
            "bytes": len(data),
            "sigma": round(level, 3),
            "estimated": given_level is None,
            "model": denoiser.description.name,
            "seconds": round(time.perf_counter() - start, 4),
            "notes": notes,
        }
        found = f"noise level {level:.1f} {'found' if given_level is None else 'given'}"
        unchanged = ", pixels unchanged" if denoised is picture else ""
        size = f"{picture.width}×{picture.height} {picture.mode}, {len(data):,} bytes"
        teller.done(f"{shown(source)} → {shown(target, 'standard output')}: {found}{unchanged}; {size}", record)

    each(files, teller, one)
