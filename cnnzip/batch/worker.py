"""A worker process of the pool: it reads the next file and writes the last one while it codes."""

import os
import signal
import threading
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from cnnzip.batch.task import Coded, Loaded, Report, Task, Treatment, Worker
from cnnzip.errors import CnnzipError

READY = "ready"
READ_AHEAD_BYTES = 64 << 20
"""A larger file is read when its turn has come, so that two large ones are not in memory at once."""


def serve(connection: "Connection[Any, Any]", treatment: Treatment) -> None:
    """Treat the tasks that come over the connection, numbered, until it is closed; the reports go back.

    First comes READY, or the error for which this machine cannot work at all.
    """
    # The starter of this process hears it, and decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        worker = Worker(treatment)
    except CnnzipError as error:
        connection.send(error)
        return
    connection.send(READY)
    loaded: SimpleQueue[tuple[int, Task, Loaded | Report | None]] = SimpleQueue()
    coded: SimpleQueue[tuple[int, Task, Coded | Report]] = SimpleQueue()
    threading.Thread(target=_load, args=(connection, worker, loaded), daemon=True).start()
    threading.Thread(target=_store, args=(connection, worker, coded), daemon=True).start()
    while True:
        number, task, content = loaded.get()
        content = content or worker.load(task)
        coded.put((number, task, worker.code(task, content) if isinstance(content, Loaded) else content))


def _load(
    connection: "Connection[Any, Any]",
    worker: Worker,
    loaded: "SimpleQueue[tuple[int, Task, Loaded | Report | None]]",
) -> None:
    while True:
        try:
            number, task = connection.recv()
        except (EOFError, OSError):
            # All is done, or the batch has died. Nothing here is needed any more, and what is being written is
            # known by its name and its lock.
            os._exit(0)
        loaded.put((number, task, worker.load(task) if task.stamp.size <= READ_AHEAD_BYTES else None))


def _store(
    connection: "Connection[Any, Any]", worker: Worker, coded: "SimpleQueue[tuple[int, Task, Coded | Report]]"
) -> None:
    while True:
        number, task, content = coded.get()
        report = worker.store(task, content) if isinstance(content, Coded) else content
        try:
            connection.send((number, report))
        except OSError:
            os._exit(0)
