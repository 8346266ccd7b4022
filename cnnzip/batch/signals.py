"""Ctrl-C and SIGTERM as a wish to end soon, where an exception at any moment would leave things behind."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """While this context lasts, the first signal calls `wake` and sets `requested`, and a second one interrupts."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self.requested = False
        self._wake = wake
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "Interrupts":
        # Only the main thread may; elsewhere nobody is interrupted anyway.
        if threading.current_thread() is threading.main_thread():
            # A signal that is ignored, as in a background job of a shell, stays so.
            caught = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
            self._before = {number: signal.signal(number, self._handle) for number in caught}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
        self._wake()


@contextmanager
def deaf() -> Iterator[None]:
    """What is started in this context does not hear Ctrl-C, which a terminal sends to all: its starter ends it."""
    from multiprocessing.resource_tracker import ensure_running

    # Else it would be started with the first process, and let that one hear.
    ensure_running()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
