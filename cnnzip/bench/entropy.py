"""What the coders make of real latents: bits a symbol and time, beside the entropy under the tables.

    python -m cnnzip.bench.entropy DIR [--model NAME] [--qualities 10,50,90]

Rates are those of whole coded streams, to the byte. Times are for one picture on one thread with warm tables: the
best of a few runs, averaged over the pictures.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from cnnzip.bench.pictures import pictures
from cnnzip.codec.model import Model
from cnnzip.codec.models import DEFAULT_MODEL, find_model
from cnnzip.codec.transforms import pad
from cnnzip.entropy import Codebook, Coder, HuffmanCoder, RansCoder, ideal_bits
from cnnzip.errors import CnnzipError
from cnnzip.image import to_planes
from cnnzip.prior.gains import Pass
from cnnzip.prior.quality import to_units

RUNS = 3
T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """One way of coding at one quality, over all pictures: bits, and milliseconds a picture."""

    bits: float
    encode_ms: float
    decode_ms: float


def best_ms(work: Callable[[], T]) -> tuple[float, T]:
    """The shortest of a few runs, in milliseconds, and what it gave."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times), result


def measure(coder: Coder, streams: list[list[Pass]]) -> Row:
    """Code and decode every picture's passes; the decoded symbols are checked.

    Raises:
        RuntimeError: a symbol came back as another.
    """
    bits, encode, decode = 0, [], []
    for passes in streams:
        encode_ms, data = best_ms(partial(coder.encode, passes))

        decode_ms, same = best_ms(partial(_decodes_to, coder, data, passes))
        if not same:
            raise RuntimeError(f"{coder.name}: decoded other symbols than were encoded")
        bits += 8 * len(data)
        encode.append(encode_ms)
        decode.append(decode_ms)
    return Row(bits, float(np.mean(encode)), float(np.mean(decode)))


def _decodes_to(coder: Coder, data: bytes, passes: list[Pass]) -> bool:
    decoder = coder.decoder(data)
    same = all(np.array_equal(decoder.read(indices), symbols) for symbols, indices in passes)
    decoder.finish()
    return same


def report(model: Model, folder: Path, qualities: list[float]) -> None:
    """Print one table a quality."""
    runtime = model.runtime()
    found = [picture for _, _, picture in pictures(folder)]
    latents = [runtime.analysis(pad(to_planes(picture), model.stride, model.channels))[0] for picture in found]
    pixels = sum(picture.width * picture.height for picture in found)
    tables = model.codebook.tables
    coders: dict[str, Coder] = {
        "plain huffman": HuffmanCoder(Codebook.build(tables, ("symbol",))),
        "huffman": HuffmanCoder(model.codebook),
        "rans": RansCoder(tables),
    }
    layouts = [row.layout for row in model.codebook.describe()]
    counts = ", ".join(f"{layouts.count(name)} {name}" for name in ("symbol", "block", "run"))
    print(f"{len(found)} pictures, model {model.description.name}; {len(tables)} tables: {counts}")
    for quality in qualities:
        streams = [model.prior.encode(latent, to_units(quality), runtime.hyper_analysis) for latent in latents]
        symbols = sum(len(values) for passes in streams for values, _ in passes)
        ideal = sum(ideal_bits(tables, *one) for passes in streams for one in passes)
        print(f"\nquality {quality:g}: {symbols // len(found):,} symbols a picture, {ideal / pixels:.3f} bpp")
        print(f"{'':14} bits/symbol  over entropy  encode ms  decode ms")
        print(f"{'entropy':14} {ideal / symbols:11.4f}")
        for name, coder in coders.items():
            row = measure(coder, streams)
            over = 100 * (row.bits / ideal - 1)
            print(f"{name:14} {row.bits / symbols:11.4f} {over:+12.2f}% {row.encode_ms:10.1f} {row.decode_ms:10.1f}")


def main() -> None:
    """Parse the command line and print the report."""
    parser = argparse.ArgumentParser(description="The entropy coders on real latents.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--qualities", default="0,25,50,75,100")
    arguments = parser.parse_args()
    try:
        qualities = [float(quality) for quality in arguments.qualities.split(",")]
        report(find_model(arguments.model), arguments.folder, qualities)
    except (CnnzipError, ValueError) as error:
        sys.exit(f"cnnzip.bench.entropy: {error}")


if __name__ == "__main__":
    main()
