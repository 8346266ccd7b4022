"""Where the time of an encode and of a decode goes, cold and warm.

    python -m cnnzip.bench.profile PICTURE [--model NAME] [--threads N] [--repeat N] [--json]

Cold: whole processes, `cnnzip encode` to a file and `cnnzip decode` to a PNG, in turns. From the moment that a process
is started to the moment that it has ended, every instant belongs to one stage; what none explains is "other". Beside
the sum stands the time of the same command without a clock in it. Warm: from file to file in one process that has the
model loaded and has run once. All are medians, so stages need not add up to the totals. Where threads are in several
stages at once, these share the time. `trace.py` has the clock, and says what belongs to which stage.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from cnnzip.bench import trace
from cnnzip.bench.cold import installed_environment
from cnnzip.bench.machine import machine
from cnnzip.bench.start import median_ms
from cnnzip.bench.table import NONE, make_table
from cnnzip.codec.models import DEFAULT_MODEL
from cnnzip.errors import BenchError, CnnzipError
from cnnzip.image import read

STAGES = (
    *("start of Python", trace.IMPORTS, "model load", "sessions", "file reading", "picture decoding", "planes"),
    *("analysis", "prior", "entropy coding", "synthesis", "pixels", "picture encoding", "file writing"),
    *("other", "end of Python"),
)
"""In the order in which they are shown."""

Stages = dict[str, float]
"""Seconds by stage; all of them are the whole."""


@dataclass(frozen=True)
class Way:
    """Encoding or decoding, cold or warm; medians in milliseconds."""

    name: str
    total_ms: float
    stages_ms: dict[str, float]
    untraced_ms: float | None
    """The process without the clock; None where it is not about a process."""


def profile(picture: Path, model: str, threads: int, repeat: int) -> list[Way]:
    """The four ways.

    Args:
        picture: the file that is encoded.
        model: a name, or a bundle's folder.
        threads: for the networks; 0 is all cores.
        repeat: runs of each.

    Raises:
        BenchError: the command fails on it.
    """
    with tempfile.TemporaryDirectory(prefix="cnnzip-profile-") as scratch:
        coded, decoded, record = (Path(scratch, name) for name in ("x.cnz", "x.png", "trace"))
        common = ["--quiet", "--force", "--threads", str(threads)]
        files = {"encode": (picture, coded), "decode": (coded, decoded)}
        commands = {
            "encode": ["encode", "--model", model, *common, str(picture), "-o", str(coded)],
            "decode": ["decode", *common, str(coded), "-o", str(decoded)],
        }
        cold: dict[str, list[Stages]] = {what: [] for what in commands}
        untraced: dict[str, list[float]] = {what: [] for what in commands}
        for _ in range(repeat):
            for what, words in commands.items():
                cold[what] += _traced(record, ["cold", *words], whole=True)
                untraced[what].append(median_ms([sys.executable, "-m", "cnnzip", *words], runs=1))
        ways = [_way(f"cold {what}", cold[what], median(untraced[what])) for what in commands]
        for what, (source, target) in files.items():
            words = ["warm", what, str(source), str(target), model, str(threads), str(repeat)]
            ways.append(_way(f"warm {what}", _traced(record, words, whole=False), None))
    return ways


def _traced(record: Path, words: list[str], *, whole: bool) -> list[Stages]:
    """The stages of every run of a process of `trace.py`; with `whole` also its start and end."""
    start = time.monotonic()
    command = [sys.executable, "-P", trace.__file__, str(record), *words]
    done = subprocess.run(command, capture_output=True, env=installed_environment())
    end = time.monotonic()
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"]
        raise BenchError(lines[-1].removeprefix("cnnzip: "))
    text, ready = record.read_text(encoding="utf-8").splitlines()
    told = json.loads(text)
    found = []
    for run in told["runs"]:
        stages = stage_seconds(run["spans"])
        stages["other"] = run["stop"] - run["start"] - sum(stages.values())
        if whole:
            # Between "done" and "ready" the clock was writing.
            around = {"start of Python": told["first"] - start, "end of Python": end - float(ready)}
            stages |= around | {"other": stages["other"] + run["start"] - told["first"] + told["done"] - run["stop"]}
        found.append(stages)
    return found


def stage_seconds(spans: list[tuple[str, float, float]]) -> Stages:
    """The seconds of each stage; where several threads are busy at once, they share the time."""
    edges = [(at, step, stage) for stage, *span in spans for at, step in zip(span, (1, -1), strict=True)]
    found: Stages = {}
    busy: Counter[str] = Counter()
    before = 0.0
    for at, step, stage in sorted(edges):
        for one, threads in busy.items():
            if threads:
                found[one] = found.get(one, 0.0) + (at - before) * threads / busy.total()
        busy[stage] += step
        before = at
    return found


def _way(name: str, runs: list[Stages], untraced_ms: float | None) -> Way:
    names = [stage for stage in STAGES if any(stage in run for run in runs)]
    stages = {stage: 1e3 * median(run.get(stage, 0.0) for run in runs) for stage in names}
    return Way(name, 1e3 * median(sum(run.values()) for run in runs), stages, untraced_ms)


def tables(ways: list[Way]) -> Iterator[Table]:
    """Cold, and warm: a stage a row, milliseconds and share of each way, then the totals."""
    for kind in ("cold", "warm"):
        chosen = [way for way in ways if way.name.startswith(kind)]
        rows = []
        for stage in STAGES:
            times = [way.stages_ms.get(stage) for way in chosen]
            if any(time is not None for time in times):
                pairs = zip(times, chosen, strict=True)
                cells = [(NONE, "") if ms is None else _cells(ms, way.total_ms) for ms, way in pairs]
                rows.append([stage, *chain(*cells)])
        rows.append(["whole", *chain(*(_cells(way.total_ms, way.total_ms) for way in chosen))])
        untraced = [way.untraced_ms for way in chosen if way.untraced_ms is not None]
        if untraced:
            rows.append(["without the clock", *chain(*((f"{ms:.1f}", "") for ms in untraced))])
        yield from make_table(f"{kind.capitalize()}, ms", ["stage", "encode", "", "decode", ""], rows)


def _cells(ms: float, total_ms: float) -> tuple[str, str]:
    return f"{ms:.1f}", f"{100 * ms / total_ms:.0f} %"


def show(ways: list[Way], title: str) -> None:
    """Print the tables, and how much the prior and the entropy coding are together."""
    console = Console()
    console.print(title, markup=False, highlight=False)
    for table in tables(ways):
        console.print(table)
    for way in ways:
        coding = sum(way.stages_ms.get(stage, 0.0) for stage in ("prior", "entropy coding"))
        share = 100 * coding / way.total_ms
        console.print(f"{way.name}: prior and entropy coding are {share:.0f} % of it", highlight=False)


def main(words: list[str] | None = None) -> None:
    """Parse the command line and print the table, or the same as JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m cnnzip.bench.profile", description="Where the time of an encode and of a decode goes."
    )
    parser.add_argument("picture", type=Path)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--threads", type=int, default=0, help="for the networks; 0, the default, is all cores")
    parser.add_argument("--repeat", type=int, default=7, help="runs of each; by default 7")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(words)
    if options.repeat < 1:
        parser.error("--repeat: at least 1")
    try:
        shape = read(options.picture.read_bytes())
        ways = profile(options.picture, options.model, options.threads, options.repeat)
    except (CnnzipError, OSError, RuntimeError) as error:
        sys.exit(f"cnnzip.bench.profile: {error}")
    about: dict[str, Any] = {
        **{"picture": options.picture.name, "width": shape.width, "height": shape.height},
        **{"model": options.model, "threads": options.threads, "repeat": options.repeat},
    }
    if options.json:
        print(json.dumps({**about, "machine": machine(), "ways": [asdict(way) for way in ways]}))
    else:
        size = f"{shape.width}×{shape.height}"
        show(ways, f"{about['picture']}, {size}, model {options.model}, threads: {options.threads or 'all'}")


if __name__ == "__main__":
    main()
