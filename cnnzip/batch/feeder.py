"""Takes steps ahead in a thread, so that looking for files and waiting for names cost the engine nothing."""

import threading
from collections import deque
from collections.abc import Callable, Iterable

from cnnzip.batch.task import Report, Task


class Feeder:
    """A few steps, ready to be taken.

    Args:
        steps: where they come from; used in the feeder's thread alone.
        ahead: so many are taken ahead at most.
        wake: called, in that thread, whenever there is news.
    """

    def __init__(self, steps: Iterable[Task | Report], ahead: int, wake: Callable[[], None]) -> None:
        self._ready: deque[Task | Report] = deque()
        self._room = threading.Semaphore(ahead)
        self._wake = wake
        self._error: BaseException | None = None
        self._ended = False
        # A daemon: it may wait for a name that never comes.
        threading.Thread(target=self._feed, args=(steps,), name="feeder", daemon=True).start()

    def take(self) -> Task | Report | None:
        """The next step, None where none is ready now; raises what went wrong where the steps come from."""
        if self._ready:
            self._room.release()
            return self._ready.popleft()
        if self._error and self._ended:
            raise self._error
        return None

    @property
    def ended(self) -> bool:
        """Whether all steps were taken."""
        return self._ended and not self._ready and not self._error

    def _feed(self, steps: Iterable[Task | Report]) -> None:
        try:
            for step in steps:
                self._room.acquire()
                self._ready.append(step)
                self._wake()
        except BaseException as error:
            self._error = error
        self._ended = True
        self._wake()
