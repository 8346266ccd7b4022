"""A batch from beginning to end: find, plan, carry out, note, count."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from types import TracebackType

from cnnzip.batch.engine import Engine, InlineEngine
from cnnzip.batch.journal import Journal
from cnnzip.batch.plan import BEGUN_AT_A_TIME, Plan
from cnnzip.batch.sources import OWN, Found, Selection, Source, find
from cnnzip.batch.storage import is_url, make_folder
from cnnzip.batch.summary import Summary
from cnnzip.batch.targets import Naming, Targets
from cnnzip.batch.task import Report, Task, Treatment
from cnnzip.codec.workers import usable_cores

FEW_FILES, FEW_BYTES = 4, 4 << 20
"""Fewer and smaller than this, and workers cost more to start than they bring."""


@dataclass(frozen=True)
class Batch:
    """What is to be done.

    Args:
        selection: the arguments, and how folders are searched.
        treatment: what is done to every file; its threads are chosen here where they are 0.
        naming: what results are called; None where nothing is written.
        listed: names of further files, as they come in.
        listed_at: where those come from, as a part of what the batch is known by; None where there are none.
        jobs: worker processes; None for as many as there are cores, or none for very few files.
        engine: "local" or "dask".
        scheduler: the address of a Dask scheduler.
        force: results replace what is there.
        skip_existing: a file whose result is there is skipped.
        journal: its path; None for `default_journal`.
    """

    selection: Selection
    treatment: Treatment
    naming: Naming | None
    listed: Iterable[str] = ()
    listed_at: str | None = None
    jobs: int | None = None
    engine: str = "local"
    scheduler: str | None = None
    force: bool = False
    skip_existing: bool = False
    journal: Path | None = None

    @property
    def request(self) -> str:
        """What tells this batch from others: all on which its results depend, and nothing else."""
        parts = {
            "job": repr(self.treatment.job),
            "at": str(Path.cwd()),
            "selection": repr(self.selection),
            "list": self.listed_at,
            "naming": repr(self.naming),
            "remove": self.treatment.remove,
            "keep_times": self.treatment.keep_times,
            "min_saving": self.treatment.min_saving,
            "force": self.force,
            "skip_existing": self.skip_existing,
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def default_journal(self) -> Path | None:
        """Where the journal lies if nothing else is said; None where there is none.

        In the folder of the results if that is of this machine, else in the first folder that is searched, else among
        the user's state. Files that are named one by one, and batches that write nothing, have no journal.
        """
        if self.naming is None or self.naming.output is not None:
            return None
        folder = self.naming.folder
        searched = [name for name in self.selection.arguments if not is_url(name) and Path(name).is_dir()]
        if folder is not None and not is_url(folder):
            place = Path(folder)
        elif folder is None and self.selection.recursive and searched:
            place = Path(searched[0])
        elif folder is not None or self.selection.recursive or self.listed_at is not None:
            place = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state", "cnnzip")
        else:
            return None
        return place / f"{OWN}journal-{self.request[:16]}.jsonl"


def preview(batch: Batch) -> Iterator[Task | Report]:
    """What a `Run` would do; nothing is touched."""
    batch = _pinned(batch)
    path = batch.journal or batch.default_journal()
    journal = Journal(path, batch.request) if path and path.exists() else None
    targets = Targets(batch.naming, touch=False) if batch.naming else None
    found = find(batch.selection, batch.listed, batch.treatment.job.recognises)
    plan = Plan(
        targets, force=batch.force, skip_existing=batch.skip_existing, remove=batch.treatment.remove, journal=journal
    )
    yield from map(plan.step, found)
    if journal:
        journal.close(finished=False)


class Run:
    """A batch under way: a context that holds its journal, which goes last of all.

    Until then the batch, killed and started again, knows what was done; so whatever is to be said of its end belongs
    into the context. The journal stays where the context is left by an exception, or a file has failed.

    Raises:
        CnnzipError: the batch cannot begin.
    """

    def __init__(self, batch: Batch) -> None:
        self.batch = _pinned(batch)
        self.summary = Summary()
        self._journal: Journal | None = None

    def __enter__(self) -> "Run":
        path = self.batch.journal or self.batch.default_journal()
        if path:
            make_folder(str(path.parent))
            self._journal = Journal(path, self.batch.request)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._journal:
            self._journal.close(finished=kind is None and not self.summary.failed)

    def carry_out(self, tell: Callable[[Report], None]) -> Summary:
        """Do all of it; `tell` hears of every file.

        Raises:
            CnnzipError: the batch cannot go on. What was done until then is done.
            KeyboardInterrupt: it was interrupted; the message says how to go on.
        """
        batch, journal, summary = self.batch, self._journal, self.summary
        try:
            found, engine = _engine(batch, find(batch.selection, batch.listed, batch.treatment.job.recognises))
            plan = Plan(
                Targets(batch.naming) if batch.naming else None,
                force=batch.force,
                skip_existing=batch.skip_existing,
                remove=batch.treatment.remove,
                journal=journal,
                # The next name of a list may be long in coming.
                at_once=BEGUN_AT_A_TIME if batch.listed_at is None else 1,
            )
            for report in engine.run(plan.steps(found)):
                if journal and report.stamp:
                    journal.done(report.source, report.stamp, report.target_stamp)
                summary.add(report)
                tell(report)
        except KeyboardInterrupt as error:
            again = "" if journal else "with --skip-existing, "
            done = f"{summary.done:,} files are done"
            raise KeyboardInterrupt(f"interrupted; {done}, and {again}the same command does the rest") from error
        return summary


def _pinned(batch: Batch) -> Batch:
    return replace(batch, treatment=replace(batch.treatment, job=batch.treatment.job.pinned()))


def _engine(batch: Batch, found: Iterator[Found]) -> tuple[Iterator[Found], Engine]:
    """The engine that fits, and all that is found."""
    threads = batch.treatment.threads
    if batch.engine == "dask":
        from cnnzip.batch.dask_engine import DaskEngine

        return found, DaskEngine(batch.treatment, batch.jobs or usable_cores(), batch.scheduler)
    jobs = batch.jobs or usable_cores()
    if batch.jobs is None and batch.listed_at is None:
        first = list(islice(found, max(jobs, FEW_FILES)))
        found = chain(first, found)
        sources = [each for each in first if isinstance(each, Source)]
        if len(first) < FEW_FILES and sum(source.stamp.size for source in sources) < FEW_BYTES:
            return found, InlineEngine(batch.treatment)
        if len(first) < jobs:
            jobs = max(1, len(sources))
    from cnnzip.batch.pool import PoolEngine

    return found, PoolEngine(replace(batch.treatment, threads=threads or max(1, usable_cores() // jobs)), jobs)
