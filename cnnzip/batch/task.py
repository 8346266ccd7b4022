"""One file's way through a worker: load, work, store; whatever happens on it becomes a report."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from cnnzip.batch import storage
from cnnzip.batch.job import Job, Outcome
from cnnzip.batch.storage import Stamp, is_url, shown
from cnnzip.errors import CnnzipError, FileError, OutputExistsError

Status = Literal["ok", "skipped", "error", "other"]


@dataclass(frozen=True, slots=True)
class Task:
    """A file to be worked on."""

    source: str
    target: str | None
    stamp: Stamp
    """The source as it was found."""
    force: bool = False
    """A file under the target's name may be replaced."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a file."""

    source: str
    status: Status
    target: str | None = None
    line: str = ""
    """For people, behind the names; of a failure or a skipped file, the reason."""
    fields: dict[str, Any] = field(default_factory=dict)
    """For the record of `--json`."""
    notes: tuple[str, ...] = ()
    error: str = ""
    """The type of the error."""
    names_file: bool = False
    """The line of a failure begins with the path: errors about files do, those about contents do not."""
    stamp: Stamp | None = None
    """The source as it was read, where the work on it is done for good."""
    target_stamp: Stamp | None = None
    """The result as it was written."""


def failure(source: str, error: BaseException) -> Report:
    """The report of a file that could not be done."""
    if isinstance(error, MemoryError):
        error = FileError(f"{shown(source)}: not enough memory")
    elif isinstance(error, OSError):
        error = storage.file_error(source, error)
    elif not isinstance(error, CnnzipError):
        # One file that meets a fault of ours must not cost the others.
        reason = " ".join(str(error).split())[:200]
        return Report(source, "error", line=f"internal error: {type(error).__name__}: {reason}", error="InternalError")
    named = isinstance(error, FileError)
    return Report(source, "error", line=str(error), error=type(error).__name__, names_file=named)


@dataclass(frozen=True)
class Treatment:
    """What is done to every file of a batch; sent to every worker.

    Args:
        job: the job.
        threads: for the networks of one worker; 0 is all cores.
        remove: remove the source, after the result was read back, found sound, and is durable.
        keep_times: the result gets the times of the source.
        min_saving: a result that does not save this fraction of the source's bytes is not written.
    """

    job: Job
    threads: int = 0
    remove: bool = False
    keep_times: bool = False
    min_saving: float | None = None


class Worker:
    """Treats files, one after the other or, as an engine likes, three at a time in different steps.

    Raises:
        CnnzipError: the job cannot be opened here.
    """

    def __init__(self, treatment: Treatment) -> None:
        self.treatment = treatment
        self.work: Callable[[bytes], Outcome] = treatment.job.open(treatment.threads)

    def treat(self, task: Task) -> Report:
        """All steps."""
        loaded = self.load(task)
        coded = self.code(task, loaded) if isinstance(loaded, Loaded) else loaded
        return self.store(task, coded) if isinstance(coded, Coded) else coded

    def load(self, task: Task) -> "Loaded | Report":
        """Read the source."""
        start = time.perf_counter()
        try:
            stamp = storage.stamp(task.source)
            if stamp is None:
                return self._gone(task)
            return Loaded(storage.read(task.source), stamp, _times(task.source, self.treatment), _since(start))
        except Exception as error:
            return failure(task.source, error)

    def code(self, task: Task, loaded: "Loaded") -> "Coded | Report":
        """Do the job's work."""
        start = time.perf_counter()
        try:
            return Coded(self.work(loaded.data), loaded, loaded.seconds + _since(start))
        except Exception as error:
            return failure(task.source, error)

    def store(self, task: Task, coded: "Coded") -> Report:
        """Write the result, and remove the source where that is wanted."""
        start = time.perf_counter()
        outcome, loaded = coded.outcome, coded.loaded
        try:
            target_stamp = None
            if task.target is not None and outcome.data is not None:
                wanted = self.treatment.min_saving
                saving = 1 - len(outcome.data) / len(loaded.data)
                if wanted is not None and saving < wanted:
                    reason = f"would save {saving:.1%}, less than {wanted:.1%}"
                    return Report(
                        task.source, "skipped", None, reason, {"saving": round(saving, 5)}, stamp=loaded.stamp
                    )
                self._write(task, outcome.data, loaded)
                outcome.complain()
                target_stamp = storage.stamp(task.target)
                if self.treatment.remove:
                    self._remove(task.source, task.target, outcome.data, loaded.stamp)
        except Exception as error:
            return failure(task.source, error)
        spent = round(coded.seconds + _since(start), 4)
        fields = {**outcome.fields, "seconds": spent, "notes": list(outcome.notes)}
        return Report(
            task.source,
            "ok",
            task.target,
            outcome.line,
            fields,
            outcome.notes,
            stamp=loaded.stamp,
            target_stamp=target_stamp,
        )

    def _write(self, task: Task, data: bytes, loaded: "Loaded") -> None:
        assert task.target is not None
        try:
            storage.write(task.target, data, force=task.force, times_ns=loaded.times_ns)
        except OutputExistsError:
            # The name was free when the task was made, or the journal knows it: a worker or a run that died, and told
            # nobody, may have come to the end of this very task.
            if storage.read(task.target) != data:
                raise

    def _remove(self, source: str, target: str, data: bytes, stamp: Stamp) -> None:
        """Remove the source; raises CnnzipError where its result is not there as it was meant, or it has changed."""
        back = storage.read(target)
        if back != data:
            raise FileError(f"{shown(target)}: reads back otherwise than it was written; the source is kept")
        self.treatment.job.check(back)
        if storage.stamp(source) != stamp:
            raise FileError(f"{shown(source)}: changed while it was worked on, and is kept")
        storage.remove(source)

    def _gone(self, task: Task) -> Report:
        """The report where the source, which was there when the task was made, is not."""
        try:
            if self.treatment.remove and task.target is not None and storage.stamp(task.target):
                # An earlier worker at this task removed it, and died before it could say so.
                self.treatment.job.check(storage.read(task.target))
                return Report(
                    task.source,
                    "ok",
                    task.target,
                    "done before, and the source removed",
                    stamp=task.stamp,
                    target_stamp=storage.stamp(task.target),
                )
            raise FileError(f"{shown(task.source)}: no such file or directory")
        except Exception as error:
            return failure(task.source, error)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A source in memory."""

    data: bytes
    stamp: Stamp
    times_ns: tuple[int, int] | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Coded:
    """A result in memory, with its source; `seconds` were spent so far."""

    outcome: Outcome
    loaded: Loaded
    seconds: float


def _times(source: str, treatment: Treatment) -> tuple[int, int] | None:
    if not treatment.keep_times or is_url(source):
        return None
    status = os.stat(source)  # noqa: PTH116
    return status.st_atime_ns, status.st_mtime_ns


def _since(start: float) -> float:
    return time.perf_counter() - start
