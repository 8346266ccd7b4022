"""What Pillow warns of while it reads a file, for the notes of the picture instead of standard error."""

import logging
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

_NO_LOG = logging.NullHandler()


class _Catcher:
    """Catches the warnings of PIL's modules, for each thread those of its own.

    `warnings.catch_warnings` changes the whole process, and threads that leave it in another order than they came would
    leave it changed: so it is entered with the first of them and left with the last.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._state: Any = None
        self._own = threading.local()

    @contextmanager
    def __call__(self) -> Iterator[list[str]]:
        caught: list[str] = []
        self._enter()
        self._own.caught = caught
        try:
            yield caught
        finally:
            self._own.caught = None
            self._leave()

    def _enter(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside > 1:
                return
            # What Pillow logs before it fails would be printed, too, where nobody has set up logging.
            logging.getLogger("PIL").addHandler(_NO_LOG)
            self._state = warnings.catch_warnings()
            self._state.__enter__()
            warnings.filterwarnings("always", module=r"PIL\.")
            show = warnings.showwarning

            def showwarning(message: Warning | str, *rest: Any, **options: Any) -> None:
                caught = getattr(self._own, "caught", None)
                if caught is None:
                    show(message, *rest, **options)  # another thread's
                else:
                    caught.append(" ".join(str(message).split()))

            warnings.showwarning = showwarning

    def _leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._state.__exit__(None, None, None)


_STDERR = 2
_PILLOWS_NAME = "tempfile.tif: "
_DIVERTED = threading.Lock()
_HEAD_BYTES = 4096
"""Of what libtiff says: a hostile file could make it say something of every row."""


@contextmanager
def libtiff_words(caught: list[str]) -> Iterator[None]:
    """Adds to `caught` the lines that libtiff prints of itself, which Pillow does not prevent.

    They are diverted where they come out, for the whole process: so only one thread at a time may be here, and only
    where libtiff works. What other threads print meanwhile is among the lines.
    """
    import tempfile

    with _DIVERTED:
        try:
            saved = os.dup(_STDERR)
        except OSError:  # there is no standard error
            yield
            return
        try:
            with tempfile.TemporaryFile() as said:
                os.dup2(said.fileno(), _STDERR)
                try:
                    yield
                finally:
                    os.dup2(saved, _STDERR)
                    with suppress(OSError):
                        said.seek(0)
                        lines = said.read(_HEAD_BYTES).decode(errors="replace").splitlines()
                        caught += (" ".join(line.removeprefix(_PILLOWS_NAME).split()) for line in lines)
        finally:
            os.close(saved)


pillow_warnings = _Catcher()
"""A context that gives a list, which fills with the warnings of this thread, each in one line."""
