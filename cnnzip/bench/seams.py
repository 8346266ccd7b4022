"""How much the seams of a model's blocks show: jumps of the error across them, beside jumps elsewhere.

    python -m cnnzip.bench.seams DIR [--model dense] [--side 32] [--qualities 20,50,80] [--crop FILE.png]

1.00 says that nobody can tell where the blocks end. A model with a deblocking layer is measured without it, too; that
needs torch.
"""

import argparse
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnzip.bench.pictures import pictures
from cnnzip.codec.decode import decode_picture
from cnnzip.codec.encode import encode_picture
from cnnzip.codec.model import Model
from cnnzip.codec.models import find_model
from cnnzip.errors import CnnzipError
from cnnzip.files import write_atomic
from cnnzip.image import Picture
from cnnzip.image.picture import to_8_bit
from cnnzip.networks.runtime import Runtime

CROP = 192
ZOOM = 2
"""Side of the square that `--crop` shows, in pixels of the picture, and how much it is enlarged."""


def seam_ratio(error: NDArray[np.float32], side: int) -> float:
    """Mean absolute jump of the error (H, W, C) where blocks of `side` meet, over that between other neighbours.

    A picture without a seam has none to measure: NaN.
    """
    at_seams, elsewhere = [], []
    for turned in (error, error.transpose(1, 0, 2)):
        jumps = np.abs(np.diff(turned, axis=0)).mean(axis=(1, 2))  # (H − 1,), between row i and row i + 1
        is_seam = np.arange(1, len(turned)) % side == 0
        at_seams.append(jumps[is_seam])
        elsewhere.append(jumps[~is_seam])
    seams, rest = np.concatenate(at_seams), np.concatenate(elsewhere)
    return float(seams.mean() / rest.mean()) if len(seams) else float("nan")


def without_deblocking(model: Model) -> Runtime | None:
    """What runs the model's networks without their deblocking layer; None where none is, or no torch."""
    try:
        from torch import nn

        from cnnzip.networks.dense import Deblocking
        from cnnzip.networks.torch_runtime import TorchRuntime
    except ImportError:
        return None
    runtime = model.runtime("torch")
    assert isinstance(runtime, TorchRuntime)
    network = deepcopy(runtime.network)
    parts = list(network.synthesis.children())
    kept = [part for part in parts if not isinstance(part, Deblocking)]
    if len(kept) == len(parts):
        return None
    network.synthesis = nn.Sequential(*kept)
    runtime.network = network
    return runtime


def report(model: Model, folder: Path, side: int, qualities: list[float], crop: Path | None) -> None:
    """Print a row a quality, and write the picture that `crop` asks for."""
    found = [picture for _, _, picture in pictures(folder)]
    forms: dict[str, Runtime] = {"as it is": model.runtime()}
    plain = without_deblocking(model)
    if plain:
        forms["no deblocking"] = plain
    print(f"{len(found)} pictures, model {model.description.name}, seams every {side} pixels")
    print("quality" + "".join(f"{name:>16} {'PSNR dB':>8}" for name in forms))
    for quality in qualities:
        cells = ""
        for runtime in forms.values():
            ratios, psnrs = zip(*measured(model, runtime, found, side, quality), strict=True)
            cells += f"{np.nanmean(ratios):16.3f} {np.mean(psnrs):8.2f}"
        print(f"{quality:7g}{cells}")
    if crop:
        square = _middle(to_8_bit(found[0].color))
        views = [_middle(_decoded(model, runtime, found[0], qualities[0])) for runtime in forms.values()]
        _save(np.hstack([square, *reversed(views)]), crop)


def measured(
    model: Model, runtime: Runtime, found: list[Picture], side: int, quality: float
) -> Iterator[tuple[float, float]]:
    """Seam ratio and PSNR in dB of each picture."""
    for picture in found:
        color = to_8_bit(picture.color)
        error = _decoded(model, runtime, picture, quality).astype(np.float32) - color
        yield seam_ratio(error, side), float(10 * np.log10(255**2 / np.square(error).mean()))


def _decoded(model: Model, runtime: Runtime, picture: Picture, quality: float) -> NDArray[np.uint8]:
    data = encode_picture(Picture(picture.color), model, runtime, quality=quality)
    return to_8_bit(decode_picture(data, find_model=lambda _: model, open_runtime=lambda _: runtime).color)


def _middle(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    top, left = (max(0, (length - CROP) // 2) for length in pixels.shape[:2])
    return pixels[top : top + CROP, left : left + CROP]


def _save(pixels: NDArray[np.uint8], path: Path) -> None:
    enlarged = pixels.repeat(ZOOM, axis=0).repeat(ZOOM, axis=1)
    image = Image.fromarray(enlarged if enlarged.shape[2] == 3 else enlarged[..., 0])
    write_atomic(path, lambda file: image.save(file, "png", optimize=True), force=True)


def main() -> None:
    """Parse the command line and print the report."""
    parser = argparse.ArgumentParser(description="How much the seams of a model's blocks show.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="dense")
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--qualities", default="20,50,80")
    parser.add_argument("--crop", type=Path, help="original | without deblocking | as it is, at the first quality")
    arguments = parser.parse_args()
    try:
        qualities = [float(quality) for quality in arguments.qualities.split(",")]
        report(find_model(arguments.model), arguments.folder, arguments.side, qualities, arguments.crop)
    except (CnnzipError, ValueError) as error:
        sys.exit(f"cnnzip.bench.seams: {error}")


if __name__ == "__main__":
    main()
