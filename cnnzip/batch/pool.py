"""The engine of this machine: processes that each load the model once, and that may die without harm.

Every worker has at most `DEPTH` tasks, so that it reads the next file and writes the last one while it codes; nothing
is queued beyond that, and memory does not grow with the number of files. When a worker dies, another takes its place,
and what it had goes to workers that have nothing else: one that dies, too, has shown which file it is.
"""

import multiprocessing
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from cnnzip.batch.feeder import Feeder
from cnnzip.batch.signals import Interrupts, deaf
from cnnzip.batch.storage import is_url, shown
from cnnzip.batch.task import Report, Task, Treatment, failure
from cnnzip.batch.worker import READY, serve
from cnnzip.errors import BatchError, CnnzipError, FileError
from cnnzip.files import clear_stale

DEPTH = 2
GRACE_SECONDS = 0.7
"""What is in flight may take this long after an interrupt."""
MAX_FAILED_STARTS = 3
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(eq=False)
class _Hand:
    """A worker, seen from here."""

    process: SpawnProcess
    connection: "Connection[Any, Any]"
    tasks: dict[int, Task] = field(default_factory=dict)
    ready: bool = False
    alone: bool = False
    """It has one task that another worker died with, and gets no second one."""


class PoolEngine:
    """See `engine.Engine`.

    Args:
        treatment: what is done to every file.
        jobs: how many worker processes.
    """

    def __init__(self, treatment: Treatment, jobs: int) -> None:
        self.treatment = treatment
        self.jobs = jobs
        self._hands: list[_Hand] = []
        self._suspects: deque[Task] = deque()
        self._sent = 0
        self._failed_starts = 0

    def run(self, steps: Iterable[Task | Report]) -> Iterator[Report]:
        """See `Engine`."""
        woken, waker = os.pipe()
        os.set_blocking(waker, False)

        def wake() -> None:
            with suppress(OSError):  # full: then it wakes anyway; closed: then nobody sleeps
                os.write(waker, b"!")

        try:
            with Interrupts(wake) as interrupts:
                self._hands = [self._start() for _ in range(self.jobs)]
                feeder = Feeder(steps, self.jobs * DEPTH, wake)
                while not feeder.ended or self._suspects or self._in_flight():
                    if interrupts.requested:
                        yield from self._drain()
                        raise KeyboardInterrupt
                    yield from self._assign(feeder)
                    ready = wait([*(hand.connection for hand in self._hands), woken])
                    if woken in ready:
                        os.read(woken, 1 << 16)
                    yield from self._hear(ready)
        finally:
            self._end()
            os.close(waker)
            os.close(woken)

    def _in_flight(self) -> bool:
        return any(hand.tasks for hand in self._hands)

    def _assign(self, feeder: Feeder) -> Iterator[Report]:
        """Give tasks to the workers that have room, the idlest first; hand on the reports among the steps."""
        for hand in self._hands:
            if self._suspects and not hand.tasks:
                hand.alone = True
                self._send(hand, self._suspects.popleft())
        # While a suspect waits for an idle worker, nobody gets anything else.
        while not self._suspects:
            free = [hand for hand in self._hands if len(hand.tasks) < DEPTH and not hand.alone]
            step = feeder.take() if free else None
            if step is None:
                return
            if isinstance(step, Report):
                yield step
            else:
                self._send(min(free, key=lambda hand: len(hand.tasks)), step)

    def _send(self, hand: _Hand, task: Task) -> None:
        self._sent += 1
        hand.tasks[self._sent] = task
        with suppress(OSError):  # it has died; `_hear` will learn of it
            hand.connection.send((self._sent, task))

    def _hear(self, ready: Iterable[object], *, replace: bool = True) -> Iterator[Report]:
        """What the workers say; one that says nothing any more is replaced."""
        for hand in [hand for hand in self._hands if hand.connection in ready]:
            try:
                message = hand.connection.recv()
            except (EOFError, OSError):
                yield from self._bury(hand, replace=replace)
                continue
            if isinstance(message, CnnzipError):
                raise message
            if message == READY:
                hand.ready = True
                self._failed_starts = 0
                continue
            number, report = message
            del hand.tasks[number]
            hand.alone = False
            yield report

    def _bury(self, hand: _Hand, *, replace: bool) -> Iterator[Report]:
        """A worker has died: what it had is tried once more."""
        self._hands.remove(hand)
        hand.connection.close()
        hand.process.join()
        code = hand.process.exitcode
        how = f"killed by signal {-code}" if code is not None and code < 0 else f"ended with code {code}"
        self._clear(hand)
        for task in hand.tasks.values():
            if hand.alone:
                reason = f"{shown(task.source)}: its worker was {how}, twice; is there enough memory?"
                yield failure(task.source, FileError(reason))
            else:
                self._suspects.append(task)
        if not replace:
            return
        self._failed_starts += not hand.ready
        if self._failed_starts == MAX_FAILED_STARTS:
            raise BatchError(f"workers do not start: the last one was {how}")
        self._hands.append(self._start())

    def _drain(self) -> Iterator[Report]:
        """After an interrupt: what comes to an end in time."""
        end = time.monotonic() + GRACE_SECONDS
        while (left := end - time.monotonic()) > 0:
            busy = [hand.connection for hand in self._hands if hand.tasks and hand.ready]
            if not busy:
                return
            yield from self._hear(wait(busy, left), replace=False)

    def _end(self) -> None:
        """Leave no worker behind, nor what one was writing."""
        for hand in self._hands:
            if hand.tasks or not hand.ready:
                hand.process.kill()
            # One that waits for tasks ends when nobody can send any more.
            hand.connection.close()
        for hand in self._hands:
            hand.process.join()
            self._clear(hand)
        self._hands = []

    def _clear(self, hand: _Hand) -> None:
        """Clear away what a worker that died was writing."""
        targets = [task.target for task in hand.tasks.values() if task.target is not None]
        for folder in {Path(target).parent for target in targets if not is_url(target)}:
            clear_stale(folder)

    def _start(self) -> _Hand:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        with deaf(), _threads_of_libraries(self.treatment.threads):
            process = context.Process(target=serve, args=(theirs, self.treatment), daemon=True)
            process.start()
        # Else the end of the process would not be the end of the connection.
        theirs.close()
        return _Hand(process, ours)


@contextmanager
def _threads_of_libraries(threads: int) -> Iterator[None]:
    """What is started in this context has libraries that take so many threads, unless the user has said how many."""
    variables = {name: str(threads) for name in THREAD_VARIABLES if threads and name not in os.environ}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]
