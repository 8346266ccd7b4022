"""A whole run: every picture × noise × denoiser, in one process or several, saved as it goes and resumed.

What was measured is kept in results.json by the picture's SHA-256, the noise, and the denoiser with its version,
settings and threads. A later run into the same folder measures what is missing, and nothing twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from cnnzip.bench.denoising.denoiser import Denoiser
from cnnzip.bench.denoising.measure import MEASURES, measure, warm_up
from cnnzip.bench.denoising.noise import SIGMAS, Noise, Pixels, Samples, add_noise, noises
from cnnzip.bench.denoising.results import DenoisingResults, Failure, Measurement
from cnnzip.bench.machine import libraries, machine
from cnnzip.bench.pictures import Entry, Unusable, rgb, survey
from cnnzip.bench.run import RESULTS
from cnnzip.bench.workers import keep_all, outcomes
from cnnzip.errors import CnnzipError

Key = tuple[str, Noise, str]
"""(SHA-256 of the picture, noise, fingerprint of the denoiser)."""


@dataclass(frozen=True)
class Request:
    """What is to be measured."""

    folder: Path
    output: Path
    denoisers: list[Denoiser]
    command: str
    sigmas: tuple[float, ...] = SIGMAS
    limit: int | None = None
    jobs: int = 1
    fresh: bool = False
    skipped: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """One point to measure."""

    entry: Entry
    noise: Noise
    denoiser: str


def carry_out(request: Request, progress: Callable[[int, int], None] = lambda done, of: None) -> DenoisingResults:
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
    results = _blank(request)
    results.notes = [f"{entry.name}: {entry.note}" for entry in entries if entry.note]
    unusable = [Failure("", e.name, None, None, e.reason) for e in surveyed if isinstance(e, Unusable)]
    tasks = [
        Task(entry, noise, denoiser.name)
        for entry in entries
        for noise in noises(request.sigmas)
        for denoiser in request.denoisers
        if denoiser.takes(noise)
    ]
    fingerprints = {denoiser.name: denoiser.fingerprint for denoiser in results.denoisers}
    keys = {task: (task.entry.sha256, task.noise, fingerprints[task.denoiser]) for task in tasks}
    known = {} if request.fresh else _known(path, results)
    covered = set(keys.values())
    results.kept = [found for key, found in known.items() if key not in covered]
    measured = {task: replace(known[key], picture=task.entry.name) for task, key in keys.items() if key in known}
    failed: dict[Task, Failure] = {}

    def keep(task: Task, outcome: Measurement | Failure) -> None:
        if isinstance(outcome, Failure):
            failed[task] = outcome
        else:
            measured[task] = replace(outcome, fingerprint=fingerprints[task.denoiser])

    def save() -> None:
        results.measurements = [measured[task] for task in tasks if task in measured]
        results.failures = [*unusable, *(failed[task] for task in tasks if task in failed)]
        results.write(path)

    there = len(measured)
    missing = [task for task in tasks if task not in measured]
    setting = (request.folder, request.denoisers)
    found = outcomes(missing, request.jobs, _carry_out, _prepare, setting, lambda task: task.denoiser)
    keep_all(found, keep, save, lambda count: progress(there + count, len(tasks)))
    return results


def _blank(request: Request) -> DenoisingResults:
    """The results before anything is measured."""
    return DenoisingResults(
        command=request.command,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine(),
        versions=libraries(),
        denoisers=[denoiser.info for denoiser in request.denoisers],
        metrics=[metric.info for metric in MEASURES],
        skipped=dict(request.skipped),
        jobs=request.jobs,
    )


def _known(path: Path, here: DenoisingResults) -> dict[Key, Measurement]:
    """What of earlier results still holds: nothing, where another version of a library measured it."""
    earlier = DenoisingResults.earlier(path, here.jobs)
    if earlier is None or earlier.metrics != here.metrics:
        return {}
    return {(m.picture_sha256, m.noise, m.fingerprint): m for m in (*earlier.kept, *earlier.measurements)}


_denoisers: dict[str, Denoiser] = {}
_folder = Path()


def _prepare(folder: Path, denoisers: list[Denoiser]) -> None:
    """Set a process up, once: its denoisers, warm."""
    global _denoisers, _folder
    _denoisers, _folder = {denoiser.name: denoiser for denoiser in denoisers}, folder
    for denoiser in denoisers:
        warm_up(denoiser)


@lru_cache(maxsize=1)
def _pictures(path: Path, sha256: str, noise: Noise) -> tuple[Pixels, Samples]:
    """The clean picture and the noisy one: tasks come picture by picture and noise by noise."""
    clean = rgb(path)
    return clean, add_noise(clean, noise)


def _carry_out(task: Task) -> Measurement | Failure:
    entry, noise = task.entry, task.noise
    try:
        pictures = _pictures(_folder / entry.name, entry.sha256, noise)
        measured = measure(_denoisers[task.denoiser], *pictures, noise)
    except MemoryError:
        return Failure(task.denoiser, entry.name, noise.sigma, noise.eight_bit, "not enough memory")
    except CnnzipError as error:
        return Failure(task.denoiser, entry.name, noise.sigma, noise.eight_bit, str(error))
    return Measurement(
        denoiser=task.denoiser,
        picture=entry.name,
        sigma=noise.sigma,
        eight_bit=noise.eight_bit,
        width=entry.width,
        height=entry.height,
        seconds=measured.seconds,
        metrics=measured.metrics,
        level=measured.level,
        picture_sha256=entry.sha256,
    )
