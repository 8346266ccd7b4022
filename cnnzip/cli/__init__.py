"""The command line: one file a command, and what they share."""

import atexit
import gc
import os
import sys
from contextlib import suppress


def main() -> None:
    """The process `cnnzip`; in other processes call `app.run`.

    After all clean-ups it ends at once, unless it had workers: taking apart the interpreter and its libraries would be
    for nothing, and takes longer than many a command.
    """
    code = 1

    def leave() -> None:
        if "multiprocessing" in sys.modules:
            # Semaphores must be given back. What is left is not searched for cycles: for Dask alone that would take
            # longer than all clean-ups.
            gc.freeze()
            return
        for stream in (sys.stdout, sys.stderr):
            with suppress(AttributeError, OSError, ValueError):  # there is none, or it is closed
                stream.flush()
        os._exit(code)

    # The first to be registered is the last to run.
    atexit.register(leave)
    from cnnzip.cli.app import run

    try:
        run()
    except SystemExit as end:
        code = int(end.code or 0)  # `run` leaves with no other
        raise


__all__ = ["main"]
