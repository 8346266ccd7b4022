"""Every codec that there is, in the order in which they are shown."""

import shutil
import subprocess

from cnnzip.bench.codecs.cnnzip import Cnnzip
from cnnzip.bench.codecs.codec import Codec
from cnnzip.bench.codecs.command import Command
from cnnzip.bench.codecs.pillow import Avif, Avif444, AvifPsnr, Jpeg, Jpeg444, Jpeg2000, Jxl, Webp
from cnnzip.codec.model import Description
from cnnzip.errors import BadModelError, UsageError

WAYS = ("huffman", "onnx"), ("rans", "onnx"), ("huffman", "openvino")
"""Entropy coder and runtime of the codecs that each model makes."""


class JxlTools(Command):
    """JPEG XL by libjxl's programs, where Pillow's plugin is not installed."""

    qualities = Jxl.qualities

    def __init__(self, threads: int) -> None:
        # 0 is the calling thread alone.
        pool = f"--num_threads={threads if threads > 1 else 0}"
        super().__init__("jxl", f"cjxl {{in}} {{out}}.jxl -q {{q}} -e 7 {pool}", f"djxl {{in}} {{out}} {pool}", threads)
        self.label = Jxl.label

    @property
    def version(self) -> str:
        """What cjxl says."""
        done = subprocess.run(["cjxl", "--version"], capture_output=True, text=True, errors="replace")
        return (done.stdout or done.stderr).strip().splitlines()[0]


def every(threads: int, commands: list[str]) -> list[Codec]:
    """All codecs, whether or not they are available: those of cnnzip's models first.

    Args:
        threads: that each may use.
        commands: those of the user; see `Command.parse`.

    Raises:
        UsageError: a command is not understood, or its name is taken.
    """
    jxl = Jxl(threads)
    tools = JxlTools(threads)
    use_tools = jxl.available() is not None and shutil.which("cjxl") is not None
    others: list[Codec] = [
        Jpeg(threads),
        Jpeg444(threads),
        Webp(threads),
        Avif(threads),
        Avif444(threads),
        AvifPsnr(threads),
        Jpeg2000(threads),
        tools if use_tools else jxl,
        *map(Command.parse, commands),
    ]
    codecs = [*_models(threads), *others]
    names = [codec.name for codec in codecs]
    doubled = [name for name in names if names.count(name) > 1]
    if doubled:
        raise UsageError(f"two codecs are called '{doubled[0]}'")
    return codecs


def _models(threads: int) -> list[Codec]:
    """Every installed model that codes pictures, the default one first."""
    from cnnzip.codec.models import DEFAULT_MODEL, installed

    found: dict[str, Description | BadModelError] = {}
    for folder, description in installed():
        # Of two with the same name, the first is the one that encode takes.
        found.setdefault(folder.name, description)
    codes = [name for name, description in found.items() if isinstance(description, BadModelError) or description.codes]
    names = sorted(codes, key=lambda name: (name != DEFAULT_MODEL, name))
    return [Cnnzip(name, found[name], coder, runtime, threads) for name in names for coder, runtime in WAYS]


def choose(codecs: list[Codec], names: list[str] | None) -> tuple[list[Codec], dict[str, str]]:
    """Those to measure, and those that cannot be, with the reason.

    Args:
        codecs: as `every` gives them.
        names: what `--codecs` says; None chooses those that are measured by default.

    Raises:
        UsageError: there is no codec of that name.
    """
    known = {codec.name: codec for codec in codecs}
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise UsageError(f"no codec is called '{unknown[0]}'; there are {', '.join(known)}")
    chosen = [known[name] for name in dict.fromkeys(names)] if names else [c for c in codecs if c.by_default]
    skipped = {codec.name: reason for codec in chosen if (reason := codec.available())}
    return [codec for codec in chosen if codec.name not in skipped], skipped
