"""What the targets of both entropy coders share: tables, a codebook, passes and a stream in the bytes of one input.

T, F, L    1, 2 and 2 bytes    how many tables, frequencies and code lengths there are
arrays                         low, size, frequencies, layouts, parameters, lengths, as a bundle has them
P          1 byte              how many passes; of each
    count, start, step         2, 1 and 1 bytes: its symbols take the tables (start + ⌊i·step / 8⌋) mod T
the rest                       the stream
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sections import change_bytes

from cnnzip.entropy import Codebook, Tables, coder
from cnnzip.entropy.codebook import huffman_lengths
from cnnzip.entropy.layouts import NAMES as LAYOUTS
from cnnzip.entropy.layouts import make_layout
from cnnzip.errors import BadModelError, PayloadError

EXPECTED = (BadModelError, PayloadError)
SECONDS = 1.0
MEGABYTES = 192.0
MAX_BYTES = 8192

MOST_SYMBOLS = 4096
KINDS: dict[str, Any] = {
    "tables.low": np.int32,
    "tables.size": np.int32,
    "tables.frequencies": np.uint32,
    "huffman.layouts": np.uint8,
    "huffman.parameters": np.int32,
    "huffman.lengths": np.uint8,
}

Passes = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Input:
    """An input in its parts."""

    arrays: bytes
    """T, F, L and the arrays."""
    passes: Passes
    stream: bytes

    def pack(self) -> bytes:
        """The bytes of the input."""
        told = [count.to_bytes(2, "little") + bytes(rest) for count, *rest in self.passes]
        return self.arrays + bytes([len(self.passes)]) + b"".join(told) + self.stream

    @classmethod
    def unpack(cls, data: bytes) -> "Input":
        """The parts of any bytes; what is missing is empty."""
        tables, frequencies, lengths = _sizes(data)
        at = 5 + 13 * tables + 4 * frequencies + lengths
        passes = []
        count = data[at] % 4 if at < len(data) else 0
        for start in range(at + 1, at + 1 + 4 * count, 4):
            told = data[start : start + 4].ljust(4, b"\0")
            passes.append((int.from_bytes(told[:2], "little") % MOST_SYMBOLS, told[2], told[3]))
        return cls(data[:at], tuple(passes), data[at + 1 + 4 * count :])


def _sizes(data: bytes) -> tuple[int, int, int]:
    start = data[:5].ljust(5, b"\0")
    return start[0] % 16, int.from_bytes(start[1:3], "little") % 1024, int.from_bytes(start[3:5], "little") % 1024


def arrays_of(data: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of `Input.arrays`, by name; of one that is cut off what is there."""
    tables, frequencies, lengths = _sizes(data)
    counts = (tables, tables, frequencies, tables, tables, lengths)
    arrays = {}
    at = 5
    for (name, kind), count in zip(KINDS.items(), counts, strict=True):
        size = np.dtype(kind).itemsize
        there = data[at : at + size * count]
        arrays[name] = np.frombuffer(there[: len(there) // size * size], dtype=kind)
        at += size * count
    return arrays


def bytes_of(arrays: dict[str, NDArray[Any]]) -> bytes:
    """`Input.arrays` of these arrays."""
    tables, frequencies, lengths = (
        len(arrays[name]) for name in ("tables.size", "tables.frequencies", "huffman.lengths")
    )
    counts = bytes([tables]) + frequencies.to_bytes(2, "little") + lengths.to_bytes(2, "little")
    return counts + b"".join(arrays[name].astype(kind).tobytes() for name, kind in KINDS.items())


@lru_cache(maxsize=16)  # decoders keep up to a megabyte with each
def codebook_of(arrays: bytes) -> Codebook | BadModelError:
    """The codebook with its tables, or why there is none."""
    parts = arrays_of(arrays)
    try:
        return Codebook.from_arrays(parts, Tables.from_arrays(parts))
    except BadModelError as error:
        return error


def indices_of(passes: Passes, tables: int) -> list[NDArray[np.uint8]]:
    """The table indices of every pass."""
    return [((start + np.arange(count) * step // 8) % tables).astype(np.uint8) for count, start, step in passes]


def run(name: str, data: bytes) -> None:
    """Decode the stream by the coder `name`; what is accepted is the one stream of its symbols."""
    given = Input.unpack(data)
    codebook = codebook_of(given.arrays)
    if isinstance(codebook, BadModelError):
        raise codebook
    indices = indices_of(given.passes, len(codebook.tables))
    both = coder(name, codebook)
    decoder = both.decoder(given.stream)
    symbols = [decoder.read(one) for one in indices]
    decoder.finish()
    assert all(len(some) == len(one) for some, one in zip(symbols, indices, strict=True))
    assert both.encode(list(zip(symbols, indices, strict=True))) == given.stream


def seeds(name: str) -> Iterable[bytes]:
    """Streams under tables of every layout, from near-certain zero to broad."""
    rng = np.random.default_rng(1)
    for layouts in ("symbol", "block", "run"), ("symbol",), ("run", "block"):
        weights, kinds, parameters, lengths = [], [], [], []
        for layout in layouts:
            sigma, reach, parameter = {"symbol": (4.0, 9, 1), "block": (0.7, 1, 3), "run": (0.1, 1, 12)}[layout]
            letters = np.exp(-np.sqrt(2) / sigma * np.abs(np.arange(-reach, reach + 1)))
            weights.append((-reach, np.append(letters, letters[-1] / 2)))
            made = make_layout(layout, parameter, 2 * reach + 2, reach)
            kinds.append(LAYOUTS.index(layout))
            parameters.append(parameter)
            lengths.append(huffman_lengths(made.word_weights(weights[-1][1] / weights[-1][1].sum())))
        arrays = {
            **Tables.from_weights(weights).to_arrays(),
            "huffman.layouts": np.array(kinds),
            "huffman.parameters": np.array(parameters),
            "huffman.lengths": np.concatenate(lengths),
        }
        for passes in (((7, 0, 0),), ((60, 0, 3), (300, 1, 8))):
            given = Input(bytes_of(arrays), passes, b"")
            yield encoded(name, given, rng.laplace(size=360)).pack()
            yield encoded(name, given, 300 * rng.laplace(size=90)).pack()


def encoded(name: str, given: Input, noise: NDArray[np.float64]) -> Input:
    """The input with the stream of other symbols, where its tables are tables."""
    codebook = codebook_of(given.arrays)
    if isinstance(codebook, BadModelError):
        return given
    indices = indices_of(given.passes, len(codebook.tables))
    symbols = np.rint(np.clip(noise, 1 - 2**20, 2**20 - 1)).astype(np.int32)
    passes = [(np.resize(symbols, len(one)), one) for one in indices]
    return replace(given, stream=coder(name, codebook).encode(passes))


def mutate(name: str, data: bytes, rng: random.Random) -> bytes:
    """A change to the stream, to the passes or to the arrays; tables mostly stay tables."""
    given = Input.unpack(data)
    change = rng.randrange(8)
    if change < 4:
        given = replace(given, stream=change_bytes(given.stream, rng))
    elif change == 4:
        told = (rng.randrange(200) if rng.random() < 0.8 else MOST_SYMBOLS - 1, rng.randrange(4), rng.randrange(20))
        given = replace(given, passes=(*given.passes, told)[-rng.randrange(1, 4) :])
    elif change == 5:
        noise = np.random.default_rng(rng.getrandbits(32)).laplace(size=64) * 10.0 ** rng.uniform(-2, 6)
        given = encoded(name, given, noise)
    else:
        given = replace(given, arrays=_changed_arrays(given.arrays, rng))
    return given.pack()


def _changed_arrays(data: bytes, rng: random.Random) -> bytes:
    arrays = {name: array.copy() for name, array in arrays_of(data).items()}
    frequencies = arrays["tables.frequencies"]
    name = rng.choice(list(KINDS))
    if name == "tables.frequencies" and len(frequencies) > 1:  # probability moves from one letter to another
        one = rng.randrange(len(frequencies) - 1)
        other = min(len(frequencies) - 1, one + rng.choice((1, 1, 2, 3)))
        pair = int(frequencies[one]) + int(frequencies[other])
        frequencies[other] = rng.randrange(min(pair, 2**32 - 1) + 1)
        frequencies[one] = max(0, pair - int(frequencies[other])) % 2**32
    elif name == "huffman.lengths" and len(arrays[name]) > 1:
        lengths = arrays[name]
        one, other = rng.randrange(len(lengths)), rng.randrange(len(lengths))
        lengths[one], lengths[other] = lengths[other], lengths[one]
        if rng.random() < 0.1:
            lengths[one] = rng.randrange(256)
    elif len(arrays[name]):
        at = rng.randrange(len(arrays[name]))
        wide = rng.random() < 0.3
        value = rng.choice((-(2**31), -(2**20), 2**20, 2**31 - 1)) if wide else rng.randrange(-8, 20)
        arrays[name][at] = np.array(value).astype(KINDS[name])
    return bytes_of(arrays)
