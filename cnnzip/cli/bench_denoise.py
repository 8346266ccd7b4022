"""`cnnzip bench --task denoise`."""

import json
import math
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cnnzip.cli.bench import CSV, REPORT, RESULTS, make, measured, tell
from cnnzip.cli.files import shown
from cnnzip.errors import BenchError, UsageError

if TYPE_CHECKING:
    from cnnzip.bench.denoising.results import DenoisingResults
    from cnnzip.bench.denoising.run import Request


def denoise_request(
    folder: Path, output: Path, sigma: str, names: list[str] | None, limit: int | None, jobs: int, fresh: bool
) -> "Request":
    """What the options ask for; raises UsageError."""
    from cnnzip.bench.denoising.registry import choose, every
    from cnnzip.bench.denoising.run import Request
    from cnnzip.codec.workers import usable_cores

    sigmas = _sigmas(sigma)
    chosen, skipped = choose(every(usable_cores() if jobs == 1 else 1), names)
    command = shlex.join(["cnnzip", *sys.argv[1:]])
    return Request(folder, output, chosen, command, sigmas, limit=limit, jobs=jobs, fresh=fresh, skipped=skipped)


def _sigmas(text: str) -> tuple[float, ...]:
    from cnnzip.bench.denoising.noise import LARGEST_SIGMA

    try:
        sigmas = tuple(dict.fromkeys(float(number) for number in text.split(",")))
    except ValueError:
        sigmas = ()
    if not sigmas or not all(math.isfinite(sigma) and 0 <= sigma <= LARGEST_SIGMA for sigma in sigmas):
        raise UsageError(f"--sigma takes S,S,… of 0 to {LARGEST_SIGMA:g}, not '{text}'")
    return sigmas


def bench_denoise(request: "Request", *, report: bool, as_json: bool) -> None:
    """Measure, and write all that there is to write."""
    from cnnzip.bench.denoising.outputs import write_csv, write_plots
    from cnnzip.bench.denoising.run import carry_out
    from cnnzip.bench.denoising.summary import summarise

    make(request.output)
    # In JSON all of this is in the record.
    say: Callable[[str], None] = (lambda line: None) if as_json else tell
    for name, reason in request.skipped.items():
        say(f"{name}: skipped: {reason}")
    results = measured(lambda progress: carry_out(request, progress), request.output)
    if not results.measurements:
        _tell_failures(results, tell)
        raise BenchError("nothing could be measured")
    summary = summarise(results)
    write_csv(results, request.output / CSV)
    write_plots(results, summary, request.output)
    if report:
        from cnnzip.bench.denoising.report import write_report

        write_report(results, summary, request.folder, request.output / REPORT, request.denoisers)
    if as_json:
        record = {
            "status": "error" if results.failures else "ok",
            "results": str(request.output / RESULTS),
            **summary.as_json(),
            "skipped": results.skipped,
            "failures": [vars(failure) for failure in results.failures],
            "notes": results.notes,
        }
        print(json.dumps(record))
    else:
        from rich.console import Console

        from cnnzip.bench.denoising.table import print_tables

        print_tables(results, summary, Console())
    for note in results.notes:
        say(f"note: {note}")
    _tell_failures(results, say)
    if results.failures:
        raise typer.Exit(1)


def _tell_failures(results: "DenoisingResults", say: Callable[[str], None]) -> None:
    """A line for each denoiser and picture that failed; the noises of one are counted."""
    counts: dict[tuple[str, str, str], int] = {}
    for failure in results.failures:
        key = (failure.picture, failure.denoiser, failure.message)
        counts[key] = counts.get(key, 0) + 1
    for (picture, denoiser, message), count in counts.items():
        times = f" ({count} noises)" if count > 1 else ""
        say(": ".join(part for part in (shown(picture), denoiser, message) if part) + times)
