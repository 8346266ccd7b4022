"""The runtimes side by side: how quick they are, and what their rounding costs in bytes and in dB.

    python -m cnnzip.bench.runtimes FOLDER [--model NAME] [--quality 75] [--threads 1] [--limit N]

Every picture is coded and decoded with each runtime that is installed, warm, in turns; the best of a few runs counts.
"decoded" is the PSNR of the file's own picture, and "to onnx" that between what this runtime and ONNX Runtime decode
of the same file.
"""

import argparse
import sys
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from cnnzip.bench.codecs.codec import Pixels
from cnnzip.bench.entropy import best_ms
from cnnzip.bench.metrics import psnr_rgb
from cnnzip.bench.pictures import pictures
from cnnzip.codec.decode import decode_picture
from cnnzip.codec.encode import encode_picture
from cnnzip.codec.model import Model
from cnnzip.codec.models import DEFAULT_MODEL, find_model
from cnnzip.errors import CnnzipError, ModelError
from cnnzip.image import Picture
from cnnzip.image.picture import to_8_bit
from cnnzip.networks.runtime import RUNTIMES, Runtime


def installed(model: Model, threads: int) -> dict[str, Runtime]:
    """The runtimes that can be used here, by name."""
    found = {}
    for name in RUNTIMES:
        try:
            found[name] = model.runtime(name, threads)
        except ModelError as error:
            print(f"{name}: {error}", file=sys.stderr)
    return found


def measure(
    picture: Picture, model: Model, runtimes: dict[str, Runtime], quality: float, threads: int
) -> dict[str, list[float]]:
    """By runtime: ms to encode and to decode, bits a pixel, PSNR of its own file, and to what ONNX Runtime decodes."""

    def encode(runtime: Runtime) -> bytes:
        return encode_picture(picture, model, runtime, quality=quality, threads=threads)

    def decode(data: bytes, runtime: Runtime) -> Pixels:
        decoded = decode_picture(data, find_model=lambda _: model, open_runtime=lambda _: runtime, threads=threads)
        return to_8_bit(decoded.color)

    original, rows = to_8_bit(picture.color), {}
    for name, runtime in runtimes.items():
        encode_ms, data = best_ms(partial(encode, runtime))
        decode_ms, shown = best_ms(partial(decode, data, runtime))
        bpp = 8 * len(data) / (picture.width * picture.height)
        apart = psnr_rgb(decode(data, runtimes["onnx"]), shown)
        rows[name] = [encode_ms, decode_ms, bpp, psnr_rgb(original, shown), apart]
    return rows


def main() -> None:
    """Parse the command line and print the table."""
    parser = argparse.ArgumentParser(description="The runtimes side by side.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--quality", type=float, default=75)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--limit", type=int, help="so many pictures")
    options = parser.parse_args()
    try:
        model = find_model(options.model)
        runtimes = installed(model, options.threads)
        found = [picture for _, _, picture in islice(pictures(options.folder), options.limit)]
        measured = [measure(one, model, runtimes, options.quality, options.threads) for one in found]
    except (CnnzipError, ValueError) as error:
        sys.exit(f"cnnzip.bench.runtimes: {error}")
    megapixels = float(np.mean([one.width * one.height for one in found])) / 1e6
    print(f"{len(found)} pictures, model {options.model}, quality {options.quality:g}, {options.threads} threads")
    print(f"{'runtime':9} encode MP/s  decode MP/s      bpp  decoded dB  to onnx dB")
    for name in runtimes:
        encode_ms, decode_ms, bpp, psnr, apart = np.mean([rows[name] for rows in measured], axis=0)
        speeds = (1e3 * megapixels / ms for ms in (encode_ms, decode_ms))
        print(f"{name:9}" + "".join(f" {speed:11.2f} " for speed in speeds) + f" {bpp:7.4f} {psnr:11.3f} {apart:11.2f}")


if __name__ == "__main__":
    main()
