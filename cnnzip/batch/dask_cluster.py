"""A Dask cluster while a batch uses it: one that is there, or one on this machine that ends with the batch."""

import logging
import multiprocessing
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from cnnzip.batch.signals import deaf
from cnnzip.errors import BatchError

CONNECT_SECONDS = 20
START_SECONDS = 60
"""A local cluster without any worker for so long will have none."""
CENSUS_SECONDS = 2.0
"""So often the cluster is asked how many threads it has."""
THREADS_A_WORKER = 2


class Cluster:
    """A cluster to which a connection is being made, in a thread: a signal must not have to wait for it.

    Args:
        scheduler: the address of its scheduler; None for a cluster on this machine.
        jobs: worker processes of a cluster on this machine.
        wake: called, in that thread, when it is done.
    """

    def __init__(self, scheduler: str | None, jobs: int, wake: Callable[[], None]) -> None:
        self._scheduler = scheduler
        self._jobs = jobs
        self._wake = wake
        self._local: Any = None
        self._opened: Future[Any] = Future()
        self._counted, self._census, self._seen = 0, 0.0, time.monotonic()
        self._others = set(multiprocessing.active_children())
        for name in ("distributed", "distributed.client", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        with deaf():
            threading.Thread(target=self._open, name="dask", daemon=True).start()

    @property
    def connected(self) -> bool:
        """Whether there is a connection; raises BatchError where there cannot be one."""
        return self._opened.done() and bool(self.client)

    @property
    def client(self) -> Any:
        """The connection, once there is one; raises BatchError where there cannot be one."""
        try:
            return self._opened.result()
        except (OSError, ValueError, RuntimeError) as error:
            where = self._scheduler or "a local cluster"
            reason = " ".join(str(error).split())[:200]
            raise BatchError(f"{where}: no Dask scheduler answers ({reason})") from error

    @property
    def threads(self) -> int:
        """How many threads the workers have, or will have; raises BatchError where they do not start."""
        now = time.monotonic()
        if now - self._census > CENSUS_SECONDS:
            with suppress(OSError):
                self._counted = sum(self.client.nthreads().values())
            self._census = now
            if self._counted:
                self._seen = now
            elif self._local and now - self._seen > START_SECONDS:
                raise BatchError("the workers of the local cluster do not start")
        return self._jobs * THREADS_A_WORKER if self._local else self._counted

    def close(self) -> None:
        """End what was started here, when nothing is left to do."""
        with suppress(Exception):  # the scheduler may be the one that is gone
            self.client.close(timeout=1)
            if self._local:
                self._local.close(timeout=5)

    def drop(self, futures: list[Any]) -> None:
        """Leave in a hurry: take back what is not yet begun, and kill the workers that were started here.

        A regular end takes its time, but for a cluster whose workers are dead.
        """
        with suppress(Exception):  # the scheduler may be the one that is gone
            if self._local:
                for nanny in self._local.workers.values():
                    nanny.close_gracefully()  # else it would start another worker
            elif self._opened.done():
                self.client.cancel(futures, force=True)
                self.client.close(timeout=1)
        # Those that are only just being started end by themselves, when they find that this process is gone.
        workers = [child for child in multiprocessing.active_children() if child not in self._others]
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.join(1)
        if self._local:
            # Its thread is about to give back their semaphores, and the process must not end between two of its steps.
            with suppress(Exception):
                self._local.close(timeout=1)

    def _open(self) -> None:
        import dask
        import distributed

        try:
            if self._scheduler is None:
                # So long after a worker's death Dask gives its place up for good, if by chance another one is just
                # being started in it.
                dask.config.set({"distributed.deploy.lost-worker-timeout": "365 days"})
                self._local = distributed.LocalCluster(
                    n_workers=0,
                    threads_per_worker=THREADS_A_WORKER,
                    dashboard_address=None,
                    silence_logs=logging.CRITICAL,
                    scheduler_kwargs={
                        # Tasks whose worker died come back at once; the engine finds out which of them is to blame.
                        "allowed_failures": 0,
                        # Else every cluster of a machine wants the same port, and warns where another one has it.
                        "dashboard_address": "127.0.0.1:0",
                    },
                )
                self._local.shutdown_on_close = False
                self._local.scale(self._jobs)
            where = self._local or self._scheduler
            self._opened.set_result(distributed.Client(where, timeout=CONNECT_SECONDS, set_as_default=False))
        except Exception as error:
            self._opened.set_exception(error)
        self._wake()
