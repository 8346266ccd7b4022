"""What carries tasks out: this process here, processes of this machine in `pool`, a cluster in `dask_engine`."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from cnnzip.batch.task import Report, Task, Treatment, Worker


class Engine(Protocol):
    """Carries out a treatment."""

    def run(self, steps: Iterable[Task | Report]) -> Iterator[Report]:
        """A report for every step, in the order in which they come to an end; reports among the steps pass through.

        Of the steps only so many are taken ahead as there are workers to do them. On Ctrl-C and SIGTERM it takes no
        more, gives what is in flight a second, drops the rest of it, and raises KeyboardInterrupt.

        Raises:
            CnnzipError: the batch cannot go on.
        """


class InlineEngine:
    """One file after the other in this process: for so few that workers are not worth their start."""

    def __init__(self, treatment: Treatment) -> None:
        self.treatment = treatment

    def run(self, steps: Iterable[Task | Report]) -> Iterator[Report]:
        """See `Engine`."""
        worker = None
        for step in steps:
            if isinstance(step, Report):
                yield step
            else:
                worker = worker or Worker(self.treatment)
                yield worker.treat(step)
