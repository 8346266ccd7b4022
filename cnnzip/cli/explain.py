"""`cnnzip explain`."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from cnnzip.cli import options
from cnnzip.cli.files import STANDARD, Outputs, Teller, each, read_input, shown
from cnnzip.errors import OutputFormatError, UsageError

if TYPE_CHECKING:
    from cnnzip.codec.explain import Explanation
    from cnnzip.image import Picture

SUFFIX = ".map.png"


def explain(
    files: options.Files,
    output: options.Output = None,
    channels: Annotated[
        int, typer.Option(min=0, metavar="N", help="Draw the N most expensive latent channels, too.")
    ] = 0,
    force: options.Force = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    runtime: options.Runtime = "onnx",
    threads: options.Threads = 0,
    limit_pixels: options.LimitPixels = options.DEFAULT_LIMIT,
) -> None:
    """Draw where the bits went: photo.cnz gets photo.map.png beside it.

    A heat map in bits per pixel lies over the decoded picture. The suffix of -o chooses another format than PNG.
    """
    from cnnzip import image
    from cnnzip.codec.explain import explain as explain_data

    try:
        chosen = image.format_of(output if output and output != STANDARD else f"x{SUFFIX}")
    except OutputFormatError as error:
        raise UsageError(str(error)) from error
    outputs = Outputs(files, output, SUFFIX, force=force)
    teller = Teller(as_json=as_json, quiet=quiet, data_on_stdout=outputs.use_stdout)

    def one(source: str) -> None:
        target = outputs.claim(source)
        start = time.perf_counter()
        found = explain_data(
            read_input(source),
            limit_pixels=limit_pixels,
            open_runtime=lambda model: model.runtime(runtime, threads),
        )
        data, _ = image.write(draw(found, channels), chosen)
        outputs.write(target, data)
        header = found.header
        dearest = found.most_expensive(channels)
        record = {
            "input": source,
            "output": target,
            "width": header.width,
            "height": header.height,
            "latent_bits": round(found.total),
            "hyper_latent_bits": round(found.hyper_bits, 1),
            "bpp": round(found.total / header.pixels, 5),
            "highest_bpp": round(found.highest_bpp, 5),
            "bytes": len(data),
            "channels": [
                {
                    "channel": channel,
                    "bits": round(float(found.channel_bits[channel]), 1),
                    "share": round(float(found.channel_bits[channel]) / found.total, 5),
                }
                for channel in dearest
            ],
            "seconds": round(time.perf_counter() - start, 4),
        }
        bpp = f"{found.total / header.pixels:.3f} bpp on average, {found.highest_bpp:.3f} at most"
        teller.done(f"{shown(source)} → {shown(target, 'standard output')}: {found.total:,.0f} bits, {bpp}", record)

    each(files, teller, one)


def draw(found: "Explanation", channels: int) -> "Picture":
    """The drawing of what `codec.explain` found, with so many channels; Pillow's font has plain ASCII."""
    from cnnzip.image.heatmap import SmallMap, draw_heat_map

    header = found.header
    hyper = f", {found.hyper_bits / found.total:.1%} of them in the hyper-latent" if found.hyper_bits else ""
    beyond = float(found.bpp.max())
    maps = []
    for channel in found.most_expensive(channels):
        steps, bits = found.steps[channel], float(found.channel_bits[channel])
        limits = f"{steps.min():.3g} to {steps.max():.3g}"
        maps.append(SmallMap(steps, (f"channel {channel}: {bits / found.total:.1%}", f"{bits:,.0f} bits", limits)))
    return draw_heat_map(
        found.picture,
        found.bpp,
        found.stride,
        found.highest_bpp,
        title="Where the bits went",
        subtitle=f"{header.width} x {header.height}, model {header.model_name}, quality {header.quality:g}: "
        f"{found.total:,.0f} bits{hyper}, {found.total / header.pixels:.3f} a pixel",
        unit="bits per pixel",
        footnote=f"up to {beyond:.3g} at the edge, where positions reach beyond the picture"
        if beyond > found.highest_bpp
        else "",
        maps=maps,
        maps_title="most expensive channels (steps; blue < 0 < red)",
    )
