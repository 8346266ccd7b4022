"""The engine of many machines: the same treatment on a Dask cluster, which hands on what a lost worker had.

A worker process of the cluster keeps its model loaded and codes one file at a time; with a second thread
(`dask worker --nthreads 2`) it reads and writes others meanwhile. Sources, results and models must be there for every
worker: on shared or remote storage.
"""

import asyncio
import concurrent.futures
import logging
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from cnnzip.batch.engine import usable_cores
from cnnzip.batch.feeder import Feeder
from cnnzip.batch.signals import Interrupts, deaf
from cnnzip.batch.storage import is_url, shown
from cnnzip.batch.task import Loaded, Report, Task, Treatment, Worker, failure
from cnnzip.errors import BatchError, CnnzipError, FileError
from cnnzip.files import clear_stale

GRACE_SECONDS = 0.7
CONNECT_SECONDS = 20
CENSUS_SECONDS = 2.0
"""So often the cluster is asked how many threads it has."""
AHEAD = 2
"""Tasks in flight for each thread of the cluster: one at work, one on its way."""
THREADS_A_WORKER = 2

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
            import distributed
        except ImportError as error:
            raise BatchError(f"--engine dask needs more packages ({error.name}): pip install 'cnnzip[dask]'") from error
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        self._distributed = distributed
        threads = 1 if scheduler else max(1, usable_cores() // jobs)
        self.treatment = replace(treatment, threads=treatment.threads or threads)
        self.jobs = jobs
        self.scheduler = scheduler
        self._folders: set[str] = set()

    def run(self, steps: Iterable[Task | Report]) -> Iterator[Report]:
        """See `Engine`. After an interrupt, workers elsewhere still finish the files that they have."""
        news: SimpleQueue[Any] = SimpleQueue()
        flying: dict[Any, Task] = {}
        with Interrupts(lambda: news.put(None)) as interrupts:
            with deaf():
                cluster, client = self._connect()
            try:
                feeder = Feeder(steps, 2 * AHEAD * THREADS_A_WORKER * self.jobs, lambda: news.put(None))
                while not feeder.ended or flying:
                    if interrupts.requested:
                        yield from self._drain(client, news, flying)
                        raise KeyboardInterrupt
                    room = AHEAD * max(1, self._threads(client)) - len(flying)
                    while room > 0 and (step := feeder.take()):
                        if isinstance(step, Report):
                            yield step
                            continue
                        self._submit(client, step, flying, news)
                        room -= 1
                    # Workers come and go without a word.
                    yield from self._hear(client, news, flying, CENSUS_SECONDS)
            finally:
                self._end(cluster, client, flying)
                # Nobody says which worker died with what in hand.
                for folder in self._folders:
                    clear_stale(folder)

    def _connect(self) -> tuple[Any, Any]:
        """The local cluster, if it is one, and a client of the cluster."""
        distributed = self._distributed
        cluster = None
        try:
            if not self.scheduler:
                cluster = distributed.LocalCluster(
                    n_workers=self.jobs,
                    threads_per_worker=THREADS_A_WORKER,
                    dashboard_address=None,
                    silence_logs=logging.CRITICAL,
                )
            client = distributed.Client(cluster or self.scheduler, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, RuntimeError) as error:
            where = self.scheduler or "a local cluster"
            raise BatchError(f"{where}: no Dask scheduler answers ({_one_line(error)})") from error
        self._counted, self._census = 0, 0.0
        return cluster, client

    def _threads(self, client: Any) -> int:
        """How many threads the cluster has."""
        if time.monotonic() - self._census > CENSUS_SECONDS:
            with suppress(OSError):
                self._counted = sum(client.nthreads().values())
            self._census = time.monotonic()
        return self._counted

    def _submit(self, client: Any, task: Task, flying: dict[Any, Task], news: "SimpleQueue[Any]") -> None:
        future = client.submit(treat, self.treatment, _from_anywhere(task), pure=False)
        flying[future] = task
        if task.target is not None and not is_url(task.target):
            self._folders.add(str(Path(task.target).parent))
        future.add_done_callback(news.put)

    def _hear(self, client: Any, news: "SimpleQueue[Any]", flying: dict[Any, Task], seconds: float) -> Iterator[Report]:
        """The next piece of news, where some comes in time."""
        try:
            future = news.get(timeout=seconds)
        except Empty:
            return
        # What was lost and done again may be told twice.
        if future is None or future not in flying:
            return
        if future.cancelled() or future.status == "lost":
            if client.status != "running":
                raise BatchError("the Dask scheduler is gone")
            # Its report was lost with the worker that had it; a second time does no harm.
            self._submit(client, flying.pop(future), flying, news)
            return
        try:
            report = self._report(future, flying[future], seconds)
        except (TimeoutError, asyncio.CancelledError, concurrent.futures.CancelledError):
            # The worker died after it was done and before it could be asked.
            future.add_done_callback(news.put)
            return
        del flying[future]
        yield report

    def _report(self, future: Any, task: Task, seconds: float) -> Report:
        """What became of a task; raises CnnzipError where the batch cannot go on, TimeoutError where nobody says."""
        error = future.exception(timeout=seconds)
        if error is None:
            report: Report = future.result(timeout=seconds)
            return replace(report, source=task.source, target=report.target and task.target)
        if isinstance(error, CnnzipError):
            raise error
        if isinstance(error, self._distributed.KilledWorker):
            error = FileError(f"{shown(task.source)}: every worker that had it died; is there enough memory?")
        return failure(task.source, error)

    def _drain(self, client: Any, news: "SimpleQueue[Any]", flying: dict[Any, Task]) -> Iterator[Report]:
        """After an interrupt: what comes to an end in time."""
        end = time.monotonic() + GRACE_SECONDS
        while flying and (left := end - time.monotonic()) > 0:
            yield from self._hear(client, news, flying, left)

    def _end(self, cluster: Any, client: Any, flying: dict[Any, Task]) -> None:
        """Take back what was not begun, and end what was started here."""
        with suppress(Exception):  # the scheduler may be the one that is gone
            if cluster and flying:
                # All of it but the workers lives in this process and ends with it; a regular end takes its time.
                cluster.shutdown_on_close = False
                for nanny in cluster.workers.values():
                    nanny.close_gracefully()  # else it would start another worker
                    nanny.process.process.kill()
                return
            if flying:
                client.cancel(list(flying), force=True)
            client.close(timeout=1)
            if cluster:
                cluster.close(timeout=5)


def _from_anywhere(task: Task) -> Task:
    """The task with names that mean the same in whatever folder a worker runs."""
    target = task.target if task.target is None else _absolute(task.target)
    return replace(task, source=_absolute(task.source), target=target)


def _absolute(name: str) -> str:
    return name if is_url(name) else str(Path(name).absolute())


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
