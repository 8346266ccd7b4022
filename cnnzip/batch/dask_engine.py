"""The engine of many machines: the same treatment on a Dask cluster, which hands on what a lost worker had.

A worker process of the cluster keeps its model loaded and codes one file at a time; with a second thread
(`dask worker --nthreads 2`) it reads and writes others meanwhile. Sources, results and models must be there for every
worker: on shared or remote storage.

Whatever a worker dies with, any of it may have killed it. So what workers died with is done again with nothing beside
it in the whole cluster: it cannot take others with it any more, and has shown which file it is when the next one dies.
"""

import asyncio
import concurrent.futures
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from cnnzip.batch.dask_cluster import CENSUS_SECONDS, THREADS_A_WORKER, Cluster
from cnnzip.batch.feeder import Feeder
from cnnzip.batch.signals import Interrupts
from cnnzip.batch.storage import is_url, shown
from cnnzip.batch.task import Loaded, Report, Task, Treatment, Worker, failure
from cnnzip.codec.workers import usable_cores
from cnnzip.errors import BatchError, CnnzipError, FileError
from cnnzip.files import clear_stale

GRACE_SECONDS = 0.7
FETCH_SECONDS = 2.0
"""A report that takes longer to come is asked for again; its worker may have died with it."""
AHEAD = 2
"""Tasks in flight for each thread of the cluster: one at work, one on its way."""
MAX_DEATHS = 3
"""So many workers a file may cost, the last of them with nothing beside it, before it is named as failed."""

_opening, _coding = threading.Lock(), threading.Lock()


@lru_cache(maxsize=2)
def _worker(treatment: Treatment) -> Worker:
    return Worker(treatment)


def treat(treatment: Treatment, task: Task) -> Report:
    """What a worker of the cluster does."""
    with _opening:
        worker = _worker(treatment)
    loaded = worker.load(task)
    if not isinstance(loaded, Loaded):
        return loaded
    with _coding:
        coded = worker.code(task, loaded)
    return coded if isinstance(coded, Report) else worker.store(task, coded)


@dataclass(frozen=True, slots=True)
class _Flight:
    """A task that the cluster has, or is to have again."""

    task: Task
    deaths: int = 0
    """Workers that are known to have died with it."""
    alone: bool = False


class DaskEngine:
    """See `engine.Engine`.

    Args:
        treatment: what is done to every file; of the networks' threads, each worker takes one unless it says otherwise.
        jobs: worker processes of a local cluster.
        scheduler: the address of a scheduler; None for a cluster on this machine, which ends with the batch.

    Raises:
        BatchError: distributed is not installed.
    """

    def __init__(self, treatment: Treatment, jobs: int, scheduler: str | None) -> None:
        try:
            import distributed  # noqa: F401 - it takes its time, in which a signal is still heard at once
        except ImportError as error:
            raise BatchError(f"--engine dask needs more packages ({error.name}): pip install 'cnnzip[dask]'") from error
        threads = 1 if scheduler else max(1, usable_cores() // jobs)
        self.treatment = replace(treatment, threads=treatment.threads or threads)
        self.jobs = jobs
        self.scheduler = scheduler
        self._news: SimpleQueue[Any] = SimpleQueue()
        self._flying: dict[Any, _Flight] = {}
        self._suspects: deque[_Flight] = deque()
        self._folders: set[str] = set()

    def run(self, steps: Iterable[Task | Report]) -> Iterator[Report]:
        """See `Engine`. After an interrupt, workers elsewhere still finish the files that they have."""
        finished = False
        with Interrupts(lambda: self._news.put(None)) as interrupts:
            cluster = Cluster(self.scheduler, self.jobs, lambda: self._news.put(None))
            try:
                while not cluster.connected:
                    if interrupts.requested:
                        raise KeyboardInterrupt
                    self._news.get()
                ahead = 2 * AHEAD * THREADS_A_WORKER * self.jobs
                feeder = Feeder(steps, ahead, lambda: self._news.put(None))
                while not feeder.ended or self._flying or self._suspects:
                    if interrupts.requested:
                        yield from self._drain(cluster)
                        raise KeyboardInterrupt
                    yield from self._assign(feeder, cluster)
                    # Workers come and go without a word.
                    yield from self._hear(cluster, CENSUS_SECONDS)
                finished = True
            finally:
                if finished:
                    cluster.close()
                else:
                    cluster.drop(list(self._flying))
                # Nobody says which worker died with what in hand.
                for folder in self._folders:
                    clear_stale(folder)

    def _assign(self, feeder: Feeder, cluster: Cluster) -> Iterator[Report]:
        """Give the cluster what it has room for; hand on the reports among the steps."""
        if self._suspects:
            if not self._flying:
                self._submit(cluster, replace(self._suspects.popleft(), alone=True))
            return
        if any(flight.alone for flight in self._flying.values()):
            return
        room = AHEAD * max(1, cluster.threads) - len(self._flying)
        while room > 0 and (step := feeder.take()):
            if isinstance(step, Report):
                yield step
            else:
                self._submit(cluster, _Flight(step))
                room -= 1

    def _submit(self, cluster: Cluster, flight: _Flight) -> None:
        task = flight.task
        future = cluster.client.submit(treat, self.treatment, _from_anywhere(task), pure=False)
        self._flying[future] = flight
        if task.target is not None and not is_url(task.target):
            self._folders.add(str(Path(task.target).parent))
        future.add_done_callback(self._news.put)

    def _hear(self, cluster: Cluster, seconds: float) -> Iterator[Report]:
        """The next piece of news, where some comes in time."""
        try:
            future = self._news.get(timeout=seconds)
        except Empty:
            return
        # What was lost and done again may be told twice.
        if future is None or future not in self._flying:
            return
        flight = self._flying[future]
        try:
            report = _report(future, flight.task)
        except _WorkerDied as died:
            del self._flying[future]
            yield from self._died(replace(flight, deaths=flight.deaths + died.workers))
        except (TimeoutError, asyncio.CancelledError, concurrent.futures.CancelledError):
            yield from self._lost(cluster, future, flight)
        else:
            del self._flying[future]
            yield report

    def _lost(self, cluster: Cluster, future: Any, flight: _Flight) -> Iterator[Report]:
        """A task that was done, and whose report has not come."""
        if cluster.client.status != "running":
            raise BatchError("the Dask scheduler is gone")
        if future.status == "finished":
            # It is still there, as far as anybody knows.
            future.add_done_callback(self._news.put)
            return
        # It was lost with the worker that had it, and a second time does no harm.
        flight = replace(flight, deaths=flight.deaths + 1)
        if future.status == "pending" and flight.deaths < MAX_DEATHS:
            # The cluster is at it again.
            self._flying[future] = flight
            future.add_done_callback(self._news.put)
            return
        del self._flying[future]
        cluster.client.cancel([future], force=True)
        yield from self._died(flight)

    def _died(self, flight: _Flight) -> Iterator[Report]:
        """A task that workers died with: it is done again, alone, or named as failed."""
        if flight.alone and flight.deaths >= MAX_DEATHS:
            source = flight.task.source
            reason = f"{shown(source)}: its worker died, {flight.deaths} times; is there enough memory?"
            yield failure(source, FileError(reason))
        else:
            self._suspects.append(flight)

    def _drain(self, cluster: Cluster) -> Iterator[Report]:
        """After an interrupt: what comes to an end in time."""
        end = time.monotonic() + GRACE_SECONDS
        while self._flying and (left := end - time.monotonic()) > 0:
            yield from self._hear(cluster, left)


class _WorkerDied(Exception):  # noqa: N818 - it is news of a worker, not an error of ours
    """All workers died that a task was given to, and the scheduler gives it to no more; so many they were."""

    def __init__(self, workers: int) -> None:
        self.workers = workers


def _report(future: Any, task: Task) -> Report:
    """What became of a task that is done.

    Raises:
        CnnzipError: the batch cannot go on.
        _WorkerDied: it killed its workers, or another that they had did.
        TimeoutError, asyncio.CancelledError, concurrent.futures.CancelledError: nobody says.
    """
    from distributed import KilledWorker

    if future.cancelled() or future.status == "lost":
        raise asyncio.CancelledError
    try:
        report: Report = future.result(timeout=FETCH_SECONDS)
    except KilledWorker as error:
        raise _WorkerDied(error.allowed_failures + 1) from error
    except (CnnzipError, TimeoutError, concurrent.futures.CancelledError):
        raise
    except Exception as error:
        return failure(task.source, error)
    return replace(report, source=task.source, target=report.target and task.target)


def _from_anywhere(task: Task) -> Task:
    """The task with names that mean the same in whatever folder a worker runs."""
    target = task.target if task.target is None else _absolute(task.target)
    return replace(task, source=_absolute(task.source), target=target)


def _absolute(name: str) -> str:
    return name if is_url(name) else str(Path(name).absolute())
