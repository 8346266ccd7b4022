"""`cnnzip bench` of codecs, and `--compare`."""

import json
import math
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from cnnzip.cli.bench import CSV, REPORT, RESULTS, make, measured, names, tell
from cnnzip.cli.files import shown
from cnnzip.errors import BenchError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cnnzip.bench.codecs import Codec
    from cnnzip.bench.results import Results
    from cnnzip.bench.run import Request


def codecs_request(
    folder: Path,
    output: Path,
    codecs: str | None,
    commands: list[str] | None,
    qualities: list[str] | None,
    metrics: str | None,
    baseline: str,
    limit: int | None,
    jobs: int,
    fresh: bool,
) -> "Request":
    """What the options ask for; raises UsageError."""
    from cnnzip.bench import codecs as registry
    from cnnzip.bench import metrics as measures
    from cnnzip.bench.run import Request
    from cnnzip.codec.workers import usable_cores

    known = registry.every(usable_cores() if jobs == 1 else 1, commands or [])
    chosen, skipped = registry.choose(known, names(codecs))
    if not chosen:
        raise BenchError("; ".join(f"{name}: {reason}" for name, reason in skipped.items()))
    wanted, left_out = measures.choose(names(metrics))
    chosen_names = [codec.name for codec in chosen]
    if baseline not in [codec.name for codec in known]:
        raise UsageError(f"--baseline: no codec is called '{baseline}'")
    return Request(
        folder=folder,
        output=output,
        codecs=chosen,
        metrics=wanted,
        command=shlex.join(["cnnzip", *sys.argv[1:]]),
        qualities=_sweeps(qualities or [], chosen_names),
        limit=limit,
        jobs=jobs,
        baseline=baseline if baseline in chosen_names else chosen_names[0],
        fresh=fresh,
        skipped={**skipped, **left_out},
    )


def _sweeps(given: list[str], codecs: list[str]) -> dict[str, tuple[float, ...]]:
    """Qualities by codec: `10,50` is for all, `jpeg=10,50` for one and wins."""
    common, own = {}, {}
    for text in given:
        name, equals, numbers = text.rpartition("=")
        if equals and name not in codecs:
            raise UsageError(f"--qualities: '{name}' is not among the codecs: {', '.join(codecs)}")
        try:
            sweep = tuple(dict.fromkeys(float(number) for number in numbers.split(",")))
        except ValueError:
            sweep = ()
        if not sweep or not all(map(math.isfinite, sweep)):
            raise UsageError(f"--qualities takes [CODEC=]Q,Q,…, not '{text}'")
        if equals:
            own[name] = sweep
        else:
            common = dict.fromkeys(codecs, sweep)
    return {**common, **own}


def bench_codecs(request: "Request", *, cold: bool, report: bool, as_json: bool) -> None:
    """Measure, and write all that there is to write."""
    from cnnzip.bench.csv import write_csv
    from cnnzip.bench.plots import write_plots
    from cnnzip.bench.run import carry_out
    from cnnzip.bench.summary import summarise

    make(request.output)
    # In JSON all of this is in the record.
    say: Callable[[str], None] = (lambda line: None) if as_json else tell
    for name, reason in request.skipped.items():
        say(f"{name}: skipped: {reason}")
    results = measured(lambda progress: carry_out(request, progress), request.output)
    if not results.measurements:
        _tell_failures(results, tell)
        raise BenchError("nothing could be measured")
    if cold:
        _measure_cold(request, results, say)
    write_csv(results, request.output / CSV)
    write_plots(results, request.output)
    if report:
        from cnnzip.bench.report import write_report

        write_report(results, request.folder, request.output / REPORT, _Render(request.codecs))
    summary = summarise(results)
    if as_json:
        record = {
            "status": "error" if results.failures else "ok",
            "results": str(request.output / RESULTS),
            **summary.as_json(),
            "skipped": results.skipped,
            "failures": [vars(failure) for failure in results.failures],
            "cold": [vars(cold) for cold in results.cold],
            "notes": results.notes,
        }
        print(json.dumps(record))
    else:
        from rich.console import Console

        from cnnzip.bench.table import print_tables

        print_tables(results, summary, Console())
    for note in results.notes:
        say(f"note: {note}")
    _tell_failures(results, say)
    if results.failures:
        raise typer.Exit(1)


def _measure_cold(request: "Request", results: "Results", say: Callable[[str], None]) -> None:
    """Add the times of whole processes, unless they are there from an earlier run."""
    import os

    from cnnzip.bench.codecs.cnnzip import Cnnzip
    from cnnzip.bench.cold import measure_cold, tools
    from cnnzip.codec.workers import usable_cores

    if not hasattr(os, "wait4"):
        say("no cold times: this system cannot measure them")
        return
    models = [codec.model for codec in request.codecs if isinstance(codec, Cnnzip)]
    names = {codec.name for codec in results.codecs}
    chosen = [tool for tool in tools(models[0] if models else None) if tool.codec in names]
    if {tool.codec for tool in chosen if not tool.missing()} == {cold.codec for cold in results.cold}:
        return
    picture = request.folder / results.pictures[0]
    results.cold = measure_cold(picture, chosen, usable_cores(), say)
    results.write(request.output / RESULTS)


class _Render:
    """Codes and decodes a picture again, for the report to show."""

    def __init__(self, codecs: "list[Codec]") -> None:
        self.codecs = {codec.name: codec for codec in codecs}

    def __call__(self, codec: str, picture: Path, quality: float) -> "tuple[bytes, NDArray[np.uint8]]":
        """The coded file, and the picture (H, W, 3) in it; raises CnnzipError where `picture` cannot be read."""
        from cnnzip.bench.pictures import rgb

        data = self.codecs[codec].encode(rgb(picture), quality)
        return data, self.codecs[codec].decode(data)


def compare_results(before: Path, after: Path, tolerance: float, as_json: bool) -> None:
    """Print what changed from one benchmark to another; raises UsageError, FileError and BenchError."""
    from rich.console import Console

    from cnnzip.bench.compare import as_json as to_json
    from cnnzip.bench.compare import compare, table
    from cnnzip.bench.results import Results

    if not (math.isfinite(tolerance) and tolerance >= 0):
        raise UsageError(f"--tolerance is a number of per cent, 0 or more, not {tolerance:g}")
    results = Results.read(after)
    changes = compare(Results.read(before), results, tolerance)
    if as_json:
        record: dict[str, Any] = to_json(changes, tolerance)
        print(json.dumps(record))
    else:
        Console().print(table(changes, results, tolerance))
    if any(change.worse for change in changes):
        raise typer.Exit(1)


def _tell_failures(results: "Results", say: Callable[[str], None]) -> None:
    """A line for each codec and picture that failed; the qualities of one are counted."""
    counts: dict[tuple[str, str, str], int] = {}
    for failure in results.failures:
        key = (failure.codec, failure.picture, failure.message)
        counts[key] = counts.get(key, 0) + 1
    for (codec, picture, message), count in counts.items():
        times = f" ({count} qualities)" if count > 1 else ""
        say(": ".join(part for part in (shown(picture), codec, message) if part) + times)
