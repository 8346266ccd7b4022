"""Work on many tasks, in one process or in several, kept as it goes."""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import get_context
from typing import Any, TypeVar

from cnnzip.errors import BenchError

SAVE_SECONDS = 5.0

T = TypeVar("T")
R = TypeVar("R")


def outcomes(
    tasks: Sequence[T],
    jobs: int,
    work: Callable[[T], R],
    prepare: Callable[..., None],
    setting: tuple[Any, ...],
    whose: Callable[[T], str],
) -> Iterator[tuple[T, R]]:
    """Every task with what came of it, as it comes.

    Args:
        tasks: what there is to do.
        jobs: processes; with 1 all is done in this one.
        work: does a task.
        prepare: sets a process up, once, given `setting`.
        setting: sent to the processes.
        whose: what a task measures, to be named where it kills its process.

    Raises:
        BenchError: a process died.
    """
    if jobs == 1:
        prepare(*setting)
        for task in tasks:
            yield task, work(task)
        return
    # Not forked: threads of the libraries would not survive it.
    context = get_context("spawn")
    with ProcessPoolExecutor(jobs, context, initializer=_prepare_worker, initargs=(prepare, setting)) as pool:
        waiting = iter(tasks)
        running: dict[Future[R], T] = {}
        try:
            while True:
                # A short queue, so that an interrupt has little to wait for.
                for task in islice(waiting, 2 * jobs - len(running)):
                    running[pool.submit(work, task)] = task
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    yield running.pop(future), future.result()
        except BrokenProcessPool as error:
            names = ", ".join(sorted({whose(task) for task in running.values()}))
            raise BenchError(f"a process that measured died, of lack of memory or in one of: {names}") from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _prepare_worker(prepare: Callable[..., None], setting: tuple[Any, ...]) -> None:
    # Ctrl-C goes to all processes of a terminal; the one that hands out the work ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prepare(*setting)


def keep_all(
    found: Iterator[tuple[T, R]],
    keep: Callable[[T, R], None],
    save: Callable[[], None],
    tell: Callable[[int], None],
) -> None:
    """Keep every outcome and save all now and then, at the end, and when the work is interrupted.

    Args:
        found: the outcomes.
        keep: takes one.
        save: writes all that was kept.
        tell: told how many were kept.
    """
    tell(0)
    saved = time.monotonic()
    try:
        for count, (task, outcome) in enumerate(found, start=1):
            keep(task, outcome)
            tell(count)
            if time.monotonic() - saved > SAVE_SECONDS:
                save()
                saved = time.monotonic()
    finally:
        save()
