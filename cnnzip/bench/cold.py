"""Whole processes: how long a command line takes that codes one picture, or decodes it, and how much memory.

The programs run in turns, so that whatever else the machine does falls on all of them; medians of five. The file
cache is warm. Each is started by a small process of its own, because Linux counts the memory of the process that
starts another as that other's; what takes less than that small one (about 9 MB) shows as that much.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from PIL import Image

from cnnzip.bench.pictures import rgb
from cnnzip.bench.results import ColdTime
from cnnzip.errors import BenchError

RUNS = 5
TIMEOUT_SECONDS = 600

_STARTER = """
import json, os, sys, time
null = os.open(os.devnull, os.O_RDWR)
files = [(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)]
start = time.perf_counter()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=files)
_, status, usage = os.wait4(pid, 0)
seconds = time.perf_counter() - start
print(json.dumps([os.waitstatus_to_exitcode(status), seconds, usage.ru_maxrss]))
"""
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Tool:
    """Two programs, their words separated by blanks.

    `{in}`, `{out}`, `{q}`, `{threads}` and `{python}` stand for the files, the quality, the number of threads and this
    interpreter; `{cq}` for the quantiser 0…63 that libavif 1.x makes of the quality, which older versions take too.
    """

    codec: str
    quality: float
    source: str
    """Suffix of the picture that the encoder reads."""
    coded: str
    decoded: str
    encoder: str
    decoder: str
    version: str
    threaded: bool = False

    def missing(self) -> str | None:
        """The first of its programs that is not installed."""
        programs = (_filled(command, {})[0] for command in (self.encoder, self.decoder))
        return next((program for program in programs if not shutil.which(program)), None)


TOOLS = (
    Tool(
        codec="jpeg",
        quality=75,
        source=".ppm",
        coded=".jpg",
        decoded=".ppm",
        encoder="cjpeg -quality {q} -optimize -outfile {out} {in}",
        decoder="djpeg -outfile {out} {in}",
        version="cjpeg -version",
    ),
    Tool(
        codec="webp",
        quality=75,
        source=".png",
        coded=".webp",
        decoded=".png",
        encoder="cwebp -quiet -q {q} -m 6 {in} -o {out}",
        decoder="dwebp -quiet {in} -o {out}",
        version="cwebp -version",
    ),
    Tool(
        codec="avif",
        quality=60,
        source=".png",
        coded=".avif",
        decoded=".png",
        encoder="avifenc -s 6 -j {threads} --min 0 --max 63 -a end-usage=q -a cq-level={cq} -y 420 {in} {out}",
        decoder="avifdec -j {threads} {in} {out}",
        version="avifenc --version",
        threaded=True,
    ),
    Tool(
        codec="jxl",
        quality=85,
        source=".png",
        coded=".jxl",
        decoded=".png",
        encoder="cjxl {in} {out} -q {q} -e 7 --num_threads={threads}",
        decoder="djxl {in} {out} --num_threads={threads}",
        version="cjxl --version",
        threaded=True,
    ),
)


def tools(model: str | None) -> list[Tool]:
    """The programs that are compared: cnnzip with `model`, if any, and those of the other codecs."""
    if model is None:
        return list(TOOLS)
    ours = Tool(
        codec=f"cnnzip-{model}",
        quality=75,
        source=".png",
        coded=".cnz",
        decoded=".png",
        encoder=f"{{python}} -m cnnzip encode -q {{q}} --model {model} --threads {{threads}} {{in}} -o {{out}}",
        decoder="{python} -m cnnzip decode --threads {threads} {in} -o {out}",
        version="{python} -m cnnzip --version",
        threaded=True,
    )
    return [ours, *TOOLS]


def measure_cold(
    picture: Path, chosen: list[Tool], threads: int, told: Callable[[str], None] = lambda line: None
) -> list[ColdTime]:
    """Times and memory of the installed ones among the tools, run in turns.

    Args:
        picture: the file to code.
        chosen: as `tools` gives them.
        threads: for those that are threaded.
        told: is given a line about each that is missing or fails.

    Raises:
        FileError, PictureError: the picture cannot be read.
    """
    times: dict[str, list[tuple[float, int, float, int]]] = {}
    with tempfile.TemporaryDirectory(prefix="cnnzip-bench-") as scratch:
        folder = Path(scratch)
        pixels = Image.fromarray(rgb(picture))
        for suffix in (".png", ".ppm"):
            pixels.save(folder / f"in{suffix}")
        running = []
        for tool in chosen:
            if missing := tool.missing():
                told(f"{tool.codec}: no cold times: {missing} is not installed")
            else:
                running.append(tool)
        for _ in range(RUNS):
            for tool in list(running):
                try:
                    times.setdefault(tool.codec, []).append(turn(tool, folder, threads))
                except BenchError as error:
                    told(f"{tool.codec}: no cold times: {error}")
                    running.remove(tool)
    return [_cold(tool, times[tool.codec], picture.name, threads) for tool in running]


def turn(tool: Tool, folder: Path, threads: int, source: Path | None = None) -> tuple[float, int, float, int]:
    """Code and decode a picture once: seconds and peak bytes of the encoder, and of the decoder.

    Args:
        tool: the programs.
        folder: where the results are left: `x` with the suffix of the coded file, `y` with that of the decoded one.
        threads: for those that are threaded.
        source: the picture; by default `in` in the folder, with the suffix that the tool reads.

    Raises:
        BenchError: a program fails, or writes no file.
    """
    coded, decoded = folder / f"x{tool.coded}", folder / f"y{tool.decoded}"
    coded.unlink(missing_ok=True)
    decoded.unlink(missing_ok=True)
    places = {
        "{q}": f"{tool.quality:g}",
        "{cq}": f"{((100 - tool.quality) * 63 + 50) // 100:.0f}",
        "{threads}": str(threads),
    }
    given = str(source or folder / f"in{tool.source}")
    encoding = run_process(_filled(tool.encoder, {**places, "{in}": given, "{out}": str(coded)}))
    decoding = run_process(_filled(tool.decoder, {**places, "{in}": str(coded), "{out}": str(decoded)}))
    if not decoded.is_file():
        raise BenchError(f"{tool.decoder.split()[0]}: wrote no file")
    return (*encoding, *decoding)


def _filled(command: str, places: dict[str, str]) -> list[str]:
    words = command.split()
    for place, value in {**places, "{python}": sys.executable}.items():
        words = [word.replace(place, value) for word in words]
    return words


def installed_environment() -> dict[str, str]:
    """That of this process, but with leave to keep bytecode: pip makes it for what it installs."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def run_process(command: list[str]) -> tuple[float, int]:
    """Seconds, and resident memory at its peak in bytes, of a process of its own; raises BenchError where it fails."""
    starter = [sys.executable, "-I", "-S", "-c", _STARTER, *command]
    try:
        done = subprocess.run(
            starter, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, env=installed_environment()
        )
        code, seconds, peak = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise BenchError(f"{command[0]}: could not be run") from error
    if code:
        raise BenchError(f"{command[0]}: exit code {code}")
    return seconds, peak * _RSS_UNIT


def _cold(tool: Tool, turns: list[tuple[float, int, float, int]], picture: str, threads: int) -> ColdTime:
    encode, encode_peak, decode, decode_peak = (median(column) for column in zip(*turns, strict=True))
    return ColdTime(
        codec=tool.codec,
        encode_seconds=encode,
        decode_seconds=decode,
        encode_peak_bytes=round(encode_peak),
        decode_peak_bytes=round(decode_peak),
        picture=picture,
        quality=tool.quality,
        tool=_version(tool),
        threads=threads if tool.threaded else 1,
    )


def _version(tool: Tool) -> str:
    """The program and its version."""
    command = _filled(tool.version, {})
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL)
    lines = (done.stdout + done.stderr).strip().splitlines()
    name = "cnnzip" if command[0] == sys.executable else command[0]
    number = re.search(r"\d+(\.\d+)+", lines[0]) if lines else None
    return f"{name} {number[0] if number else '(version unknown)'}"
