"""Any two commands as a codec: `name=ENC {in} {out} {q} ;; DEC {in} {out}`."""

import hashlib
import re
import shlex
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image

from cnnzip.bench.codecs.codec import Codec, Pixels
from cnnzip.errors import BenchError, UsageError

TIMEOUT_SECONDS = 600
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PLACE = re.compile(r"\{(in|out|q)\}(\.\w+)?")


class Command(Codec):
    """Two programs, each run as a process of its own, without a shell.

    `{in}` is the input's file and `{out}` the output's, `{q}` the quality. A suffix written behind them, such as
    `{out}.avif` or `{in}.ppm`, is the file's; else pictures are PNG, and the coded file has none.
    """

    qualities: ClassVar[tuple[float, ...]] = (10, 25, 40, 55, 70, 80, 90, 95)

    def __init__(self, name: str, encoder: str, decoder: str, threads: int = 0) -> None:
        super().__init__(threads)
        self.name = self.label = name
        self.settings = f"{encoder} ;; {decoder}"
        self.encoder, self.decoder = shlex.split(encoder), shlex.split(decoder)

    @classmethod
    def parse(cls, text: str) -> "Command":
        """The codec that the option `--codec` describes.

        Raises:
            UsageError: it is not of the form `name=ENC … ;; DEC …` with `{in}` and `{out}` in both.
        """
        name, _, commands = text.partition("=")
        encoder, _, decoder = commands.partition(";;")
        try:
            codec = cls(name.strip(), encoder.strip(), decoder.strip())
        except ValueError as error:
            raise UsageError(f"--codec {name}: {str(error).lower()}") from error
        complete = all(f"{{{place}}}" in half for half in (encoder, decoder) for place in ("in", "out"))
        if not (NAME.fullmatch(codec.name) and complete and "{q}" in encoder):
            raise UsageError(
                f"--codec takes 'NAME=ENCODER {{in}} {{out}} {{q}} ;; DECODER {{in}} {{out}}', not '{text}'"
            )
        return codec

    @property
    def version(self) -> str:
        """The programs by their content: they have no common way to tell their version."""
        programs = dict.fromkeys((self.encoder[0], self.decoder[0]))
        return ", ".join(f"{Path(program).name} ({_digest(program)})" for program in programs)

    @property
    def used_threads(self) -> int:
        """Only the commands know."""
        return self.threads

    def available(self) -> str | None:
        """Which program is missing."""
        missing = [program for program in (self.encoder[0], self.decoder[0]) if not shutil.which(program)]
        return f"{missing[0]} is not installed" if missing else None

    def encode(self, picture: Pixels, quality: float) -> bytes:
        """The file that the encoder makes of a PNG."""
        return self.timed_encode(picture, quality)[0]

    def decode(self, data: bytes) -> Pixels:
        """The picture that the decoder makes of `data`."""
        return self.timed_decode(data)[0]

    def timed_encode(self, picture: Pixels, quality: float) -> tuple[bytes, float]:
        """The file, and the seconds that the process took; not those in which its input was written."""
        with tempfile.TemporaryDirectory(prefix="cnnzip-bench-") as folder:
            command, source, target = self._fill(self.encoder, Path(folder), (".png", ""), f"{quality:g}")
            Image.fromarray(picture).save(source, compress_level=1)
            seconds = _run(command)
            return _read(command, target), seconds

    def timed_decode(self, data: bytes) -> tuple[Pixels, float]:
        """The picture, and the seconds that the process took."""
        with tempfile.TemporaryDirectory(prefix="cnnzip-bench-") as folder:
            # A decoder goes by the suffix that its encoder's output had.
            coded = self._fill(self.encoder, Path(folder), (".png", ""), "0")[2].suffix
            command, source, target = self._fill(self.decoder, Path(folder), (coded, ".png"), "")
            source.write_bytes(data)
            seconds = _run(command)
            _read(command, target)
            try:
                with Image.open(target) as image:
                    return np.asarray(image.convert("RGB")), seconds
            except (OSError, SyntaxError) as error:  # Pillow's ways to say that it cannot be read
                raise BenchError(f"{command[0]}: wrote no picture") from error

    def _fill(
        self, words: list[str], folder: Path, suffixes: tuple[str, str], quality: str
    ) -> tuple[list[str], Path, Path]:
        """The command with its files in `folder`; the input and the output file."""
        files = {"in": folder / f"in{suffixes[0]}", "out": folder / f"out{suffixes[1]}"}

        def fill(match: re.Match[str]) -> str:
            place, suffix = match[1], match[2] or ""
            if place == "q":
                return quality + suffix
            if suffix:
                files[place] = folder / (place + suffix)
            return str(files[place])

        command = [_PLACE.sub(fill, word) for word in words]
        return command, files["in"], files["out"]


def _digest(program: str) -> str:
    """The first digits of the SHA-256 of the program's file."""
    found = shutil.which(program)
    return hashlib.sha256(Path(found).read_bytes()).hexdigest()[:12] if found else "not installed"


def _run(command: list[str]) -> float:
    """Seconds that the command took; BenchError where it failed."""
    start = time.perf_counter()
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{command[0]}: not done after {TIMEOUT_SECONDS} s") from error
    seconds = time.perf_counter() - start
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise BenchError(f"{command[0]}: exit code {done.returncode}" + (f": {lines[-1]}" if lines else ""))
    return seconds


def _read(command: list[str], path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BenchError(f"{command[0]}: wrote no file") from error
