"""Small files with large claims: what each gives, how long it takes, and in how much memory.

    python tests/fuzz/bombs.py

Each is decoded whole, in part and as far as it is sound, verified and described, under a limit on the address space of
`MEGABYTES` above what the models take. A line ends with WRONG if one of these is neither sound nor a `CnzError`, or a
bad file was decoded, and with SLOW if one took more than a second of CPU time; the exit code is 1 if there is such a
line.
"""

import resource
import struct
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import decode
import numpy as np
from sections import Parts, build, golden, section, split

from cnnzip import limits
from cnnzip.codec.decode import decode_picture
from cnnzip.codec.header import Header
from cnnzip.codec.inspect import describe, verify
from cnnzip.codec.partial import decode_partial
from cnnzip.codec.tiling import grid
from cnnzip.container import MAX_SECTIONS, SectionType
from cnnzip.entropy import CODERS
from cnnzip.errors import CnzError

MEGABYTES = 256
HEADER, HYPER, LATENT, ALPHA = SectionType.HEADER, SectionType.HYPER_LATENT, SectionType.LATENT, SectionType.ALPHA
METADATA = SectionType.ICC, SectionType.EXIF, SectionType.XMP
LARGE = 1 << 29
HARMLESS = "all metadata of 8 MB"
SIDE = int(limits.MAX_PIXELS**0.5)
OPTIONS = {**decode.OPTIONS, "limit_pixels": limits.MAX_PIXELS}


def header(model_name: str = "tiny", **fields: Any) -> tuple[int, bytes]:
    """The header of a plain picture of 16×16, with fields changed."""
    (model_id,) = (key for key, model in decode.INSTALLED.items() if model.description.name == model_name)
    plain = Header(16, 16, 3, 8, False, model_name, model_id, 5000, "huffman")
    return HEADER, Header(**{**vars(plain), **fields}).pack()


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of these chunks."""
    made = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(made)


@cache
def zeros(size: int) -> bytes:
    """So many zeros, deflated."""
    packer = zlib.compressobj()
    return b"".join(packer.compress(bytes(min(1 << 20, size - at))) for at in range(0, size, 1 << 20)) + packer.flush()


def bombs() -> Iterator[tuple[str, bytes]]:
    """(name, file)."""
    rng = np.random.default_rng(1)
    streams = {"empty": b"", "20 zeros": bytes(20), "20 ones": b"\xff" * 20, "60 random": rng.bytes(59) + b"\1"}
    for name in ("tiny", "tiny-photo"):
        for coder in CODERS:
            for width, height in ((SIDE, SIDE), (limits.MAX_SIDE, limits.MAX_PIXELS // limits.MAX_SIDE)):
                for kind, stream in streams.items():
                    parts = [header(name, coder=coder, width=width, height=height), (LATENT, stream)]
                    yield f"{name}, {coder}, {width}×{height} in one piece, {kind}", build(parts)
            for tiling in (4, 8):
                yield (
                    f"{name}, {coder}, {SIDE}×{SIDE} in tiles of 2^{tiling}",
                    build(tiled(name, coder, tiling, streams["20 ones"])),
                )
    one = split(golden()["unknown-optional-section"])[:2]
    for kind in METADATA:
        yield f"{kind.name} of {LARGE >> 20} MB", build([*one, (kind, zeros(LARGE))])
    yield HARMLESS, build([*one, *((kind, zeros(limits.MAX_METADATA_BYTES)) for kind in METADATA)])
    claims = struct.pack(">IIBBBBB", 16, 16, 8, 0, 0, 0, 0), struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    for what, alpha in {
        "larger than the picture": png((b"IHDR", claims[1]), (b"IDAT", zeros(SIDE * (SIDE + 1))), (b"IEND", b"")),
        f"of {LARGE >> 20} MB": png((b"IHDR", claims[0]), (b"IDAT", zeros(LARGE)), (b"IEND", b"")),
        "of 500,000 chunks": png((b"IHDR", claims[0]), *[(b"IDAT", b"")] * 500_000, (b"IEND", b"")),
    }.items():
        yield f"alpha {what}", build([header(alpha=True, quality_units=7500), *one[1:], (ALPHA, alpha)])
    huge = header(alpha=True, width=SIDE, height=SIDE)
    yield "alpha of a huge picture that has no latent", build([huge, (LATENT, b""), (ALPHA, alpha)])
    yield "as many sections as there may be", build([*one[:1], *[(0x90, b"")] * (MAX_SECTIONS - 2)])
    yield "one more", build([*one, *[(0x90, b"")] * (MAX_SECTIONS - 2)])
    body = section(LATENT, b"", b"\xff\xff\xff\xff\x7f")
    yield "a length of 2^35 − 1", build(one[:1])[:-6] + body + b"\0\0\0\0"
    yield "2,816 tiles claimed, one there", build([header(width=SIDE, height=SIDE, tiling=4), *one[1:]])
    for coder in CODERS:
        yield f"escapes, {coder}", build([header(coder=coder, width=2000, height=2000), (LATENT, b"\xff" * 9999)])


def tiled(name: str, coder: str, tiling: int, stream: bytes) -> Parts:
    """A huge picture with all of its tiles, each of a few bytes."""
    (model,) = (model for model in decode.INSTALLED.values() if model.description.name == name)
    count = len(grid(*model.latent_shape(SIDE, SIDE)[1:], tiling))
    hyper = [(HYPER, stream)] if model.prior.hyper_shape(1, 1)[0] else []
    return [header(name, coder=coder, width=SIDE, height=SIDE, tiling=tiling), *hyper, *[(LATENT, stream)] * count]


def outcome(work: Callable[[], object]) -> str:
    """The error's name; "sound" where there is none."""
    try:
        work()
    except CnzError as error:
        return type(error).__name__
    except MemoryError:
        return "MemoryError"
    return "sound"


def limit_memory() -> None:
    """No more address space than `MEGABYTES` above what there is now."""
    for name in ("huffman", "rans"):  # constriction and what else is loaded when it is first needed
        decode.one(golden()[f"hyper-{name}"])
    with open("/proc/self/statm") as file:  # noqa: PTH123
        used = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (MEGABYTES << 20),) * 2)


def main() -> None:
    """Go through all of them."""
    failures = 0
    files = list(bombs())
    limit_memory()
    for name, data in files:
        ways = {
            "describe": lambda data=data: describe(data),
            "verify": lambda data=data: verify(data, find_model=decode.find_model),
            "decode": lambda data=data: decode_picture(data, **OPTIONS),
            "partial": lambda data=data: decode_partial(data, **OPTIONS),
        }
        found, seconds = {}, 0.0
        for way, work in ways.items():
            before = time.process_time()
            found[way] = outcome(work)
            seconds = max(seconds, time.process_time() - before)
        wrong = "MemoryError" in found.values() or (found["decode"] == "sound") != (name == HARMLESS)
        mark = "  WRONG" if wrong else "  SLOW" if seconds > 1 else ""
        failures += bool(mark)
        told = ", ".join(f"{way} {kind}" for way, kind in found.items())
        print(f"{len(data):>10,} bytes {seconds:6.3f} s  {name}: {told}{mark}", flush=True)
    print(f"{len(files)} files, {failures} failures")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
