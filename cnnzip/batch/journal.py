"""What a batch has begun and done, on disk, so that the same batch started again does the rest.

A file of JSON lines, to which is only appended. `{"begun": [SOURCE, …]}` is synced before any of these is worked on, so
that after a crash a result of theirs that is there, under a name that was free before, is known for the batch's own.
`{"done": SOURCE, …}` follows when a file's result is durable, and is synced in groups: what a power cut takes of them
is only done twice. A line that a crash cut off is passed over. The lock on the file keeps a second process away.
"""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from cnnzip.batch.storage import Stamp, shown
from cnnzip.errors import BatchError, FileError
from cnnzip.files import lock, sync_folder

SYNC_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Entry:
    """What the journal knows of a source."""

    source: Stamp | None = None
    """The source as it was when it was done; None if it was only begun."""
    target: Stamp | None = None
    """The result that was written; None if the file was done without one."""

    @property
    def done(self) -> bool:
        """Whether the file was done."""
        return self.source is not None


class Journal:
    """The journal of one batch; its methods may be called from any thread.

    Args:
        path: the file, made where it is missing.
        request: what the batch is, as a text; the journal of another one is refused.

    Raises:
        BatchError: another process works on this batch, or the journal is another batch's.
        FileError: it cannot be read or written.
    """

    def __init__(self, path: Path, request: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._synced = time.monotonic()
        self._known = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._known.execute("PRAGMA journal_mode = OFF")
        self._known.execute("CREATE TABLE known (source TEXT PRIMARY KEY, entry TEXT) WITHOUT ROWID")
        try:
            self._file: BinaryIO = path.open("a+b")
            if lock(self._file, wait=False) is False:
                self._file.close()
                raise BatchError(f"{shown(str(path))}: another cnnzip is working on this batch")
            self._known.execute("BEGIN")
            self._read(request)
            self._known.execute("COMMIT")
            sync_folder(path.parent)
        except OSError as error:
            raise self._error(error) from error

    @property
    def resumed(self) -> bool:
        """Whether the batch was begun before."""
        return self._resumed

    def look_up(self, source: str) -> Entry | None:
        """What is known of a source; None where it was never begun."""
        with self._lock:
            row = self._known.execute("SELECT entry FROM known WHERE source = ?", (_key(source),)).fetchone()
        if row is None:
            return None
        parts = json.loads(row[0])
        return Entry(*(None if part is None else Stamp(*part) for part in parts))

    def begin(self, sources: Sequence[str]) -> None:
        """Note, durably, that these sources are about to be worked on; raises FileError."""
        self._append({"begun": list(sources)}, sync=True)

    def done(self, source: str, stamp: Stamp, target: Stamp | None) -> None:
        """Note that a source is done, with the stamp of its result if there is one; raises FileError."""
        parts = [_parts(stamp), _parts(target)]
        self._append({"done": source, "stamps": parts}, sync=time.monotonic() - self._synced > SYNC_SECONDS)

    def close(self, *, finished: bool) -> None:
        """Close the journal, and remove it where nothing is left to do."""
        with self._lock, suppress(OSError):
            if finished:
                # Before the lock goes, so that it cannot be another process's by then.
                self.path.unlink(missing_ok=True)
            else:
                os.fsync(self._file.fileno())
        with suppress(OSError):
            self._file.close()

    def _append(self, record: dict[str, Any], *, sync: bool) -> None:
        with self._lock:
            try:
                self._file.write(_line(record))
                self._file.flush()
                if sync:
                    os.fsync(self._file.fileno())
                    self._synced = time.monotonic()
            except OSError as error:
                raise self._error(error) from error

    def _read(self, request: str) -> None:
        """Learn what the file says; begin it where it is empty or was cut off in its first line."""
        head = _line({"request": request})
        self._file.seek(0)
        first = self._file.readline()
        self._resumed = first == head
        if not self._resumed:
            # Whatever else it is, it is not ours to change.
            if not head.startswith(first):
                other = first.startswith(b'{"request":')
                what = "the journal of another batch; remove it or name another" if other else "is no journal of cnnzip"
                raise BatchError(f"{shown(str(self.path))}: {what}")
            self._file.truncate(0)
            self._append({"request": request}, sync=True)
            return
        last = head
        for last in self._file:
            with suppress(ValueError):  # cut off
                self._learn(json.loads(last))
        if not last.endswith(b"\n"):
            self._file.write(b"\n")

    def _learn(self, record: dict[str, Any]) -> None:
        rows = [(_key(source), "[null,null]") for source in record.get("begun", ())]
        # What was done stays so, though it was begun again in a run that got no further.
        self._known.executemany("INSERT OR IGNORE INTO known VALUES (?, ?)", rows)
        if "done" in record:
            row = _key(record["done"]), json.dumps(record["stamps"])
            self._known.execute("INSERT OR REPLACE INTO known VALUES (?, ?)", row)

    def _error(self, error: OSError) -> FileError:
        return FileError(f"{shown(str(self.path))}: {str(error.strerror).lower()}")


def _line(record: dict[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def _parts(stamp: Stamp | None) -> list[int | str] | None:
    return None if stamp is None else [stamp.size, stamp.version]


def _key(source: str) -> str:
    """The name in characters that SQLite can store: those of names that are no Unicode are escaped."""
    return source.encode("utf-8", "surrogatepass").decode("utf-8", "backslashreplace")
