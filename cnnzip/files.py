"""Reading whole files within a limit, and writing them so that a partial file never bears its final name."""

import os
import re
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from cnnzip import limits
from cnnzip.errors import FileError, OutputExistsError

StrPath = str | os.PathLike[str]
Content = bytes | memoryview | Callable[[BinaryIO], object]
"""What to write: bytes, or a function that writes them to the binary file that it is given."""

CHUNK_BYTES = 1 << 20
"""Read at a time from pipes and devices, whose size is unknown."""

TEMPORARY = re.compile(r"\.cnnzip-[0-9a-f]{16}\.tmp")
"""The names of temporary files. Their writers hold a lock on them, so that those of dead processes are known."""


def read_bytes(path: StrPath, limit: int = limits.MAX_FILE_BYTES) -> bytes:
    """The content of a file, pipe or device.

    Raises:
        FileError: missing, a directory, not permitted, longer than `limit` bytes, or unreadable.
    """
    try:
        with Path(path).open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            chunks: list[bytes] = []
            total = 0
            # A regular file comes as one chunk, which the join below hands on without another copy.
            while max(size, total) <= limit and (chunk := file.read(max(size - total, 0) + CHUNK_BYTES)):
                chunks.append(chunk)
                total += len(chunk)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise _file_error(path, error) from error
    if max(size, total) > limit:
        raise FileError(f"{_shown(path)}: larger than the limit of {limit:,} bytes")
    return b"".join(chunks)


def write_atomic(path: StrPath, data: Content, *, force: bool, times_ns: tuple[int, int] | None = None) -> None:
    """Write a file that appears under its name only when it is complete and on the disk.

    The bytes go to a temporary file in the same folder, which is synced and then renamed. Without `force` a
    file that is there, or appears meanwhile, is never replaced. With `force` it is, and keeps its
    permissions; of a symbolic link, as with `cp`, the file that it points to is replaced and the link stays.
    After any failure, interrupts included, there is neither a partial nor a temporary file.

    Pipes, devices and /dev/stdout are written directly, with or without `force`; a function as `data` must
    not seek in them. `times_ns` are the times of access and change that a regular file gets.

    Raises:
        OutputExistsError: the file exists and `force` is false.
        FileError: no such folder, a directory, not permitted, no space left, or another failure to write. An
            OSError that a function as `data` raises counts as one.
    """
    target = Path(path)
    try:
        status = _status(target)
        if status and stat.S_ISDIR(status.st_mode):
            raise FileError(f"{_shown(path)}: is a directory")
        if _is_descriptor(target) or (status and not stat.S_ISREG(status.st_mode)):
            # Appending, because /dev/stdout may be a file that the shell opened with >>.
            with target.open("ab") as file:
                _write(file, data)
        elif force:
            _write_regular(target.resolve(), data, status, times_ns, force=True)
        else:
            if os.path.lexists(target):
                raise _exists_error(target)
            _write_regular(target, data, None, times_ns, force=False)
    except OSError as error:
        raise _file_error(path, error) from error


def clear_stale(folder: StrPath) -> int:
    """Remove the temporary files that processes left in `folder` when they died; how many those were.

    What another process is writing now is left alone, and so is what cannot be removed.
    """
    cleared = 0
    with suppress(OSError):
        with os.scandir(folder) as entries:
            paths = [Path(entry) for entry in entries if TEMPORARY.fullmatch(entry.name)]
        for path in paths:
            with suppress(OSError), path.open("r+b") as file:
                if lock(file, wait=False):
                    path.unlink()
                    cleared += 1
    return cleared


def _write_regular(
    target: Path,
    data: Content,
    status: os.stat_result | None,
    times_ns: tuple[int, int] | None,
    *,
    force: bool,
) -> None:
    """Write by way of a temporary file; `status` is that of the file to be replaced."""
    folder = target.parent
    if not folder.is_dir():
        raise FileError(f"{_shown(target)}: the folder does not exist")
    with _temporary(folder) as (temporary, file):
        if status:
            temporary.chmod(status.st_mode & 0o777)
        _write(file, data)
        file.flush()
        if times_ns:
            os.utime(temporary, ns=times_ns)
        os.fsync(file.fileno())
        if force:
            temporary.replace(target)
        else:
            _rename_new(temporary, target)
    sync_folder(folder)


@contextmanager
def _temporary(folder: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """A new file in `folder` and its name, which is gone at the end; locked, so that `clear_stale` spares it."""
    gone = True
    while gone:
        path = folder / f".cnnzip-{secrets.token_hex(8)}.tmp"
        try:
            # Not tempfile, which gives mode 0600 instead of what the umask says.
            with path.open("xb") as file:
                lock(file, wait=True)
                # Between its creation and its lock, clear_stale may have taken it for a dead process's.
                gone = os.fstat(file.fileno()).st_nlink == 0
                if not gone:
                    yield path, file
        finally:
            with suppress(OSError):
                path.unlink()


def lock(file: BinaryIO, *, wait: bool) -> bool | None:
    """Lock a file until it is closed or its process ends; whether that was done, None where there are no locks."""
    try:
        from fcntl import LOCK_EX, LOCK_NB, flock

        flock(file, LOCK_EX if wait else LOCK_EX | LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        return None
    return True


def _rename_new(temporary: Path, target: Path) -> None:
    """Give the file its final name unless that is taken."""
    try:
        # Unlike a rename, a link never replaces a file, not even one that appeared a moment ago.
        target.hardlink_to(temporary)
    except FileExistsError as error:
        raise _exists_error(target) from error
    except OSError:  # FAT and some network file systems have no links
        if os.path.lexists(target):
            raise _exists_error(target) from None
        temporary.rename(target)


def _write(file: BinaryIO, data: Content) -> None:
    if isinstance(data, bytes | memoryview):
        file.write(data)
    else:
        data(file)


def sync_folder(folder: Path) -> None:
    """Make the new name outlast a power cut, where the system can; the file itself is safe already."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _status(path: Path) -> os.stat_result | None:
    """What is at `path`, links followed; None if nothing is."""
    try:
        return path.stat()
    except FileNotFoundError:
        return None
    except ValueError as error:  # a NUL in the name
        raise _file_error(path, error) from error


def _is_descriptor(path: Path) -> bool:
    """Whether the path names a file that this process has open, such as /dev/stdout."""
    absolute = path.absolute()
    return str(absolute) in ("/dev/stdout", "/dev/stderr") or str(absolute.parent) in (
        "/dev/fd",
        "/proc/self/fd",
    )


def _exists_error(path: Path) -> OutputExistsError:
    return OutputExistsError(f"{_shown(path)}: exists; use --force to overwrite")


def _file_error(path: StrPath, error: OSError | ValueError) -> FileError:
    """The one-line error for what the system said."""
    if isinstance(error, OSError) and error.errno:
        reason = os.strerror(error.errno)
        reason = reason[0].lower() + reason[1:]
    else:
        reason = " ".join(str(error).split())
    return FileError(f"{_shown(path)}: {reason}")


def _shown(path: StrPath) -> str:
    """The path on one line, whatever characters it holds."""
    name = os.fspath(path)
    return name if name.isprintable() else repr(name)
