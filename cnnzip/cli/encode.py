"""`cnnzip encode`."""

import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cnnzip.cli import options
from cnnzip.cli.denoise import level_of
from cnnzip.cli.files import Outputs, Teller, each, read_input, shown
from cnnzip.errors import UsageError

if TYPE_CHECKING:
    from cnnzip.codec.rate_control import Target
    from cnnzip.image import Crop, Resize

SUFFIX = ".cnz"


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


def geometry(crop: str | None, resize: str | None) -> "tuple[Crop | None, Resize | None]":
    """What --crop and --resize ask for.

    Raises:
        UsageError: one of them is no geometry.
    """
    from cnnzip.image import Crop, Resize

    try:
        wanted_crop = None if crop is None else Crop.parse(crop)
    except ValueError as error:
        raise UsageError(f"--crop {error}") from error
    try:
        return wanted_crop, None if resize is None else Resize.parse(resize)
    except ValueError as error:
        raise UsageError(f"--resize {error}") from error


def encode(
    files: options.Files,
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
    strip: Annotated[bool, typer.Option("--strip", help="Drop EXIF and XMP; the colour profile stays.")] = False,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    runtime: options.Runtime = "onnx",
    threads: options.Threads = 0,
    limit_pixels: options.LimitPixels = options.DEFAULT_LIMIT,
) -> None:
    """Compress pictures: photo.png becomes photo.cnz beside it.

    --crop, --resize and --grayscale, in this order, take the picture as viewers show it, and store it upright.
    """
    from cnnzip import image
    from cnnzip.codec.encode import Encoder
    from cnnzip.codec.models import DEFAULT_MODEL, find_model
    from cnnzip.codec.rate_control import encode_to
    from cnnzip.denoise.denoise import denoise_picture
    from cnnzip.denoise.model import open_denoiser

    target = goal(quality, target_size, target_bpp, target_psnr)
    max_bytes = options.parse_size("--max-size", max_size) if max_size is not None else None
    rectangle, size = geometry(crop, resize)
    changed = rectangle is not None or size is not None
    level = None if denoise is None else level_of("--denoise", denoise)
    outputs = Outputs(files, output, SUFFIX, force=force)
    teller = Teller(as_json=as_json, quiet=quiet, data_on_stdout=outputs.use_stdout)
    found = find_model(model or DEFAULT_MODEL)
    runner = found.runtime(runtime, threads)
    denoiser = None if denoise is None else open_denoiser(runtime=runtime, threads=threads)

    def one(source: str) -> None:
        name = outputs.claim(source)
        start = time.perf_counter()
        given = read_input(source)
        picture = image.read(given, limit_pixels=limit_pixels)
        sigma = None
        if denoiser:
            picture, sigma = denoise_picture(picture, denoiser, sigma=level)
        if strip:
            picture = image.strip(picture)
        if changed or grayscale:
            picture = image.prepare(
                picture, crop=rectangle, resize=size, grayscale=grayscale, limit_pixels=limit_pixels
            )
        encoded = encode_to(Encoder(picture, found, runner, coder), target, max_bytes)
        data = encoded.data
        outputs.write(name, data)
        for note in picture.notes:
            teller.note(source, note)
        bpp = 8 * len(data) / (picture.width * picture.height)
        saving = 1 - len(data) / len(given)
        record: dict[str, Any] = {
            "input": source,
            "output": name,
            "width": picture.width,
            "height": picture.height,
            "input_bytes": len(given),
            "bytes": len(data),
            "bpp": round(bpp, 5),
            "saving": round(saving, 5),
            "quality": encoded.quality,
            **({"psnr": round(encoded.psnr, 4)} if encoded.psnr is not None else {}),
            **({"denoised": round(sigma, 3)} if sigma is not None else {}),
            "model": found.description.name,
            "coder": coder,
            "seconds": round(time.perf_counter() - start, 4),
            "notes": list(picture.notes),
        }
        teller.done(
            f"{shown(source)} → {shown(name, 'standard output')}: {len(given):,} → {len(data):,} bytes, "
            f"{bpp:.3f} bpp, "
            + (f"{saving:.1%} saved" if saving >= 0 else f"{-saving:.1%} larger")
            + (f", {picture.width}×{picture.height}" if changed else "")
            # Where the quality was not given, it is part of the result.
            + (f", quality {encoded.quality:g}" if encoded.units != target else "")
            + (f", {encoded.psnr:.2f} dB" if encoded.psnr is not None else "")
            + (f", denoised at level {sigma:.1f}" if sigma else ", no noise found" if denoiser else ""),
            record,
        )

    each(files, teller, one)
