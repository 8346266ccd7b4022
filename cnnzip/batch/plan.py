"""Sources → tasks, or reports where there is nothing to do: done before, there already, refused."""

from collections.abc import Iterable, Iterator

from cnnzip.batch import storage
from cnnzip.batch.journal import Entry, Journal
from cnnzip.batch.sources import Found, Made, Other, Source, Unusable
from cnnzip.batch.storage import Stamp, shown
from cnnzip.batch.targets import Targets
from cnnzip.batch.task import Report, Task, failure
from cnnzip.errors import CnnzipError, OutputExistsError

BEGUN_AT_A_TIME = 32
"""Tasks that the journal notes with one sync."""


class Plan:
    """Decides what is to be done for each file that was found.

    Args:
        targets: names the results; None for a job that writes nothing.
        force: results replace what is there.
        skip_existing: a file whose result is there is skipped.
        remove: sources are removed, so one that the journal knows may be gone.
        journal: what was done before, if anything is noted.
        at_once: how many tasks are noted in the journal together. While these are gathered nothing is worked on, so it
            has to be 1 where files are found slowly.
    """

    def __init__(
        self,
        targets: Targets | None,
        *,
        force: bool = False,
        skip_existing: bool = False,
        remove: bool = False,
        journal: Journal | None = None,
        at_once: int = BEGUN_AT_A_TIME,
    ) -> None:
        self.targets = targets
        self.force = force
        self.skip_existing = skip_existing
        self.remove = remove
        self.journal = journal
        self.at_once = at_once

    def steps(self, found: Iterable[Found]) -> Iterator[Task | Report]:
        """A task or a report for each file; a task is handed out when the journal knows that it was begun."""
        waiting: list[Task | Report] = []
        for each in found:
            waiting.append(self.step(each))
            if len(waiting) >= self.at_once:
                yield from self._noted(waiting)
                waiting = []
        yield from self._noted(waiting)

    def _noted(self, steps: list[Task | Report]) -> list[Task | Report]:
        begun = [step.source for step in steps if isinstance(step, Task)]
        if self.journal and begun:
            self.journal.begin(begun)
        return steps

    def step(self, found: Found) -> Task | Report:
        """What is to be done for one file."""
        if isinstance(found, Other):
            return Report(found.name, "other")
        if isinstance(found, Made):
            return Report(found.name, "skipped", line="a result already, as its name says")
        entry = self.journal.look_up(found.name) if self.journal else None
        try:
            if isinstance(found, Source):
                return self._task(found, entry)
            return self._task_of_a_gone_source(found, entry)
        except (CnnzipError, OSError, ValueError) as error:
            return failure(found.name, error)

    def _task(self, source: Source, entry: Entry | None) -> Task | Report:
        if not self.targets:
            if entry and entry.source == source.stamp:
                return _done_before(source.name, None)
            return Task(source.name, None, source.stamp)
        target, exists = self.targets.claim(source)
        noted = exists and entry and entry.target and entry.target == storage.stamp(target)
        if entry and entry.source == source.stamp and (noted or entry.target is None):
            return _done_before(source.name, target if noted else None)
        # What the journal noted is the batch's own, and of an earlier version of the source.
        force = self.force or bool(noted)
        if exists and not entry:
            if self.skip_existing:
                return Report(source.name, "skipped", target, "the output exists")
            if not self.force:
                raise OutputExistsError(f"{shown(target)}: exists; use --force to overwrite")
        return Task(source.name, target, source.stamp, force)

    def _task_of_a_gone_source(self, found: Unusable, entry: Entry | None) -> Task | Report:
        """For one that this batch may have removed itself, a task that looks at the result; else the failure."""
        if not (entry and self.remove and self.targets and found.relative is not None):
            return failure(found.name, found.error)
        nothing = Stamp(0, "")
        target, _ = self.targets.claim(Source(found.name, found.relative, nothing))
        if entry.done:
            return _done_before(found.name, target)
        return Task(found.name, target, nothing)


def _done_before(source: str, target: str | None) -> Report:
    return Report(source, "skipped", target, "done before", {"done_before": True})
