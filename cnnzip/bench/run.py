"""A whole run: every picture × codec × quality, in one process or several, saved as it goes and resumed.

What was measured is kept in results.json by the picture's SHA-256, the codec with its version, settings and threads,
and the quality. A later run into the same folder measures what is missing, and nothing twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from cnnzip.bench.codecs import Codec
from cnnzip.bench.codecs.codec import Pixels
from cnnzip.bench.machine import libraries, machine
from cnnzip.bench.measure import measure, warm_up
from cnnzip.bench.metrics import METRICS, Metric
from cnnzip.bench.pictures import Entry, Unusable, rgb, survey
from cnnzip.bench.results import Failure, Measurement, Results
from cnnzip.bench.workers import keep_all, outcomes
from cnnzip.errors import CnnzipError

RESULTS = "results.json"

Key = tuple[str, str, float]
"""(SHA-256 of the picture, fingerprint of the codec, quality)."""


@dataclass(frozen=True)
class Request:
    """What is to be measured."""

    folder: Path
    output: Path
    codecs: list[Codec]
    metrics: list[Metric]
    command: str
    qualities: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """Sweeps, by codec, in place of the codecs' own."""
    limit: int | None = None
    jobs: int = 1
    baseline: str = "jpeg"
    fresh: bool = False
    skipped: dict[str, str] = field(default_factory=dict)

    def sweep(self, codec: Codec) -> tuple[float, ...]:
        """The qualities of `codec`."""
        return self.qualities.get(codec.name, codec.qualities)


@dataclass(frozen=True)
class Task:
    """One point to measure."""

    entry: Entry
    codec: str
    quality: float


def carry_out(request: Request, progress: Callable[[int, int], None] = lambda done, of: None) -> Results:
    """Measure what is missing, save and return the results.

    Args:
        request: what to measure.
        progress: told, now and then, how many points of how many are done.

    Raises:
        FileError: no pictures, or the output cannot be written.
        BenchError: earlier results in the folder are damaged.
        UsageError: they were measured in another way.
        KeyboardInterrupt: what was measured until then is saved.
    """
    surveyed = survey(request.folder, request.limit)
    entries = [entry for entry in surveyed if isinstance(entry, Entry)]
    path = request.output / RESULTS
    earlier = None if request.fresh else Results.earlier(path, request.jobs)
    known = _known(earlier) if earlier else {}
    results = _blank(request)
    results.cold = earlier.cold if earlier else []
    unusable = [Failure("", e.name, None, e.reason) for e in surveyed if isinstance(e, Unusable)]
    results.notes = [f"{entry.name}: {entry.note}" for entry in entries if entry.note]
    tasks = [
        Task(entry, codec.name, quality)
        for entry in entries
        for codec in request.codecs
        for quality in request.sweep(codec)
    ]
    fingerprints = {codec.name: codec.fingerprint for codec in results.codecs}
    wanted = {metric.name for metric in request.metrics}
    keys = {task: (task.entry.sha256, fingerprints[task.codec], task.quality) for task in tasks}
    measured: dict[Task, Measurement] = {}
    for task, key in keys.items():
        found = known.get(key)
        if found and wanted & _possible(task.entry) <= found.metrics.keys():
            measured[task] = replace(found, picture=task.entry.name)
    missing = [task for task in tasks if task not in measured]
    covered = set(keys.values())
    results.kept = [found for key, found in known.items() if key not in covered]

    failed: dict[Task, Failure] = {}

    def save() -> None:
        results.measurements = [measured[task] for task in tasks if task in measured]
        results.failures = [*unusable, *(failed[task] for task in tasks if task in failed)]
        results.write(path)

    def keep(task: Task, outcome: Measurement | Failure) -> None:
        if isinstance(outcome, Failure):
            failed[task] = outcome
            return
        before = known.get(keys[task])
        metrics = {**(before.metrics if before else {}), **outcome.metrics}
        measured[task] = replace(outcome, fingerprint=fingerprints[task.codec], metrics=metrics)

    setting = (request.folder, request.codecs, request.metrics)
    found_now = outcomes(missing, request.jobs, _carry_out, _prepare, setting, lambda task: task.codec)
    there = len(measured)
    keep_all(found_now, keep, save, lambda count: progress(there + count, len(tasks)))
    return results


def _possible(entry: Entry) -> set[str]:
    """The metrics for which the picture is large enough."""
    side = min(entry.width, entry.height)
    return {metric.name for metric in METRICS.values() if side >= metric.min_side}


def _blank(request: Request) -> Results:
    """The results before anything is measured."""
    return Results(
        command=request.command,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine(),
        versions=libraries(),
        baseline=request.baseline,
        codecs=[codec.info for codec in request.codecs],
        metrics=[metric.info for metric in request.metrics],
        skipped=dict(request.skipped),
        jobs=request.jobs,
    )


def _known(earlier: Results) -> dict[Key, Measurement]:
    """What of it still holds: not the metrics of other versions of their libraries."""
    here = libraries()
    valid = {m.name for m in METRICS.values() if earlier.versions.get(m.package) == here.get(m.package)}
    known = {}
    for m in (*earlier.kept, *earlier.measurements):
        metrics = {name: value for name, value in m.metrics.items() if name in valid}
        known[m.picture_sha256, m.fingerprint, m.quality] = replace(m, metrics=metrics)
    return known


_codecs: dict[str, Codec] = {}
_metrics: list[Metric] = []
_folder = Path()


def _prepare(folder: Path, codecs: list[Codec], metrics: list[Metric]) -> None:
    """Set a process up, once: its codecs, warm."""
    global _codecs, _metrics, _folder
    _codecs, _metrics, _folder = {codec.name: codec for codec in codecs}, metrics, folder
    for codec in codecs:
        warm_up(codec)


@lru_cache(maxsize=1)
def _pixels(path: Path, sha256: str) -> Pixels:
    """The picture: tasks come picture by picture."""
    return rgb(path)


def _carry_out(task: Task) -> Measurement | Failure:
    entry = task.entry
    try:
        picture = _pixels(_folder / entry.name, entry.sha256)
        measured = measure(_codecs[task.codec], picture, task.quality, _metrics)
    except MemoryError:
        return Failure(task.codec, entry.name, task.quality, "not enough memory")
    except CnnzipError as error:
        return Failure(task.codec, entry.name, task.quality, str(error))
    return Measurement(
        codec=task.codec,
        picture=entry.name,
        quality=task.quality,
        bytes=measured.bytes,
        width=entry.width,
        height=entry.height,
        encode_seconds=measured.encode_seconds,
        decode_seconds=measured.decode_seconds,
        metrics=measured.metrics,
        picture_sha256=entry.sha256,
    )
