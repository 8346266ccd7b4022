"""`cnnzip encode`."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cnnzip.cli import options
from cnnzip.cli.batch import carry_out
from cnnzip.cli.batch_options import BatchOptions, takes_batch_options
from cnnzip.cli.denoise import AUTO, DenoiseOption, level_of
from cnnzip.errors import UsageError

if TYPE_CHECKING:
    from cnnzip.codec.rate_control import Target

COMMAND_CLASS = DenoiseOption
"""What Typer makes of `encode`, in place of its own class; see `app.app_with`."""


def goal(quality: float | None, size: str | None, bpp: float | None, psnr: float | None) -> "Target | int":
    """What the options ask for: a target, or a quality in hundredths.

    Raises:
        UsageError: they contradict one another, or a number cannot be meant.
    """
    from cnnzip.codec.rate_control import goal_of

    given = {"-q/--quality": quality, "--target-size": size, "--target-bpp": bpp, "--target-psnr": psnr}
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise UsageError(f"{named[0]} and {named[1]} contradict one another; give one of them")
    wanted = None if size is None else options.parse_size("--target-size", size)
    try:
        return goal_of(quality, wanted, bpp, psnr)
    except ValueError as error:
        raise UsageError(f"{named[0]}: {error}") from error


@takes_batch_options(writes=True)
def encode(
    files: options.SomeFiles = None,
    output: options.Output = None,
    quality: Annotated[
        float | None,
        typer.Option("-q", "--quality", metavar="0…100", help="0 is smallest, 100 is best; by default 75."),
    ] = None,
    target_size: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Choose the quality that gives this size, e.g. 40kB.")
    ] = None,
    target_bpp: Annotated[
        float | None, typer.Option(metavar="BPP", help="Choose the quality that gives so many bits a pixel.")
    ] = None,
    target_psnr: Annotated[
        float | None, typer.Option(metavar="DB", help="Choose the quality that gives this PSNR.")
    ] = None,
    max_size: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Lower the quality where a file would be larger than this.")
    ] = None,
    model: Annotated[str | None, typer.Option(metavar="NAME|DIR", help="The model to use; see cnnzip models.")] = None,
    coder: Annotated[
        Literal["huffman", "rans"], typer.Option(help="Entropy coder; rans is about 1 % smaller.")
    ] = "huffman",
    crop: Annotated[
        str | None, typer.Option(metavar="WxH+X+Y", help="Keep this rectangle; X and Y are from the left and the top.")
    ] = None,
    resize: Annotated[
        str | None,
        typer.Option(
            metavar="50%|1024x|x768|1024x768",
            help="Scale by Lanczos, after --crop. The proportions stay: 1024x768 is a box to fit into. As in "
            "ImageMagick this may enlarge, which is told; with > behind it ('1024x768>') it only shrinks, with ! both "
            "sides are as given.",
        ),
    ] = None,
    grayscale: Annotated[bool, typer.Option("--grayscale", help="Drop the colours, after --resize.")] = False,
    denoise: Annotated[
        str | None,
        typer.Option(
            metavar="[=auto|SIGMA]",
            help="Take the noise out before all else, by cnnzip denoise; auto finds the noise level.",
        ),
    ] = None,
    tile: Annotated[
        Literal["0", "512", "1024", "2048", "4096"],
        typer.Option(help="Pixels a side of the tiles of large pictures, about; 0 codes them in one piece."),
    ] = "1024",
    strip: Annotated[bool, typer.Option("--strip", help="Drop EXIF and XMP; the colour profile stays.")] = False,
    min_saving: Annotated[
        str | None, typer.Option(metavar="PERCENT", help="Write no file that saves less than this, e.g. 5%.")
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
    """Compress pictures: photo.png becomes photo.cnz beside it.

    --crop, --resize and --grayscale, in this order, take the picture as viewers show it, and store it upright.
    """
    from cnnzip.batch.jobs.encode import EncodeJob
    from cnnzip.codec.models import DEFAULT_MODEL

    job = EncodeJob(
        goal=goal(quality, target_size, target_bpp, target_psnr),
        model=model or DEFAULT_MODEL,
        max_bytes=options.parse_size("--max-size", max_size) if max_size is not None else None,
        coder=coder,
        crop=None if crop is None else options.parse_crop(crop),
        resize=None if resize is None else options.parse_resize(resize),
        grayscale=grayscale,
        strip=strip,
        tile=int(tile),
        denoise=AUTO if denoise == AUTO else None if denoise is None else level_of("--denoise", denoise),
        runtime=runtime,
        limit_pixels=limit_pixels,
    )
    least = None if min_saving is None else options.parse_percent("--min-saving", min_saving)
    carry_out(
        job,
        files,
        batch,
        output=output,
        force=force,
        as_json=as_json,
        quiet=quiet,
        threads=threads,
        min_saving=least,
    )
