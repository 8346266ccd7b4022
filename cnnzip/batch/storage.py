"""Where files lie: paths of this machine, or URLs of whatever `fsspec` knows (`s3://`, `gs://`, `sftp://` …).

A local file is written by `files.write_atomic`. An object store shows an object when all of it is there, so it is
written under its own name; any other remote file gets a temporary name first and is then moved.
"""

import os
import posixpath
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnzip import limits
from cnnzip.errors import BatchError, CnnzipError, FileError, OutputExistsError
from cnnzip.files import read_bytes, sync_folder, write_atomic

URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
CONDITIONAL = {"s3", "s3a", "gs", "gcs", "memory"}
"""Object stores that can be told to create an object and not to replace one."""
OBJECT_STORES = CONDITIONAL | {"az", "abfs", "abfss", "adl", "oss"}


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells one version of a file from another: its bytes, and its time or tag."""

    size: int
    version: str


def is_url(name: str) -> bool:
    """Whether `name` is a URL; of a local file with such a name, `./` in front makes a path."""
    return URL.match(name) is not None


def shown(name: str) -> str:
    """The name on one line, whatever characters it holds."""
    return name if name.isprintable() else repr(name)


def join(folder: str, relative: str) -> str:
    """The name of `relative`, which has `/` between its parts, below a folder or URL."""
    return f"{folder.rstrip('/')}/{relative}" if is_url(folder) else str(Path(folder, *relative.split("/")))


def stamp(name: str) -> Stamp | None:
    """The stamp of a regular file or object, links followed; None where there is none.

    Raises:
        FileError: nobody can say.
    """
    if is_url(name):
        with _errors(name):
            files, path = remote(name)
            try:
                return stamp_of(files.info(path))
            except FileNotFoundError:
                return None
    try:
        status = os.stat(name)  # noqa: PTH116 - a million times, and names that are no str of Path's liking
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise file_error(name, error) from error
    return Stamp(status.st_size, str(status.st_mtime_ns))


def stamp_of(info: dict[str, Any]) -> Stamp:
    """The stamp in what fsspec says of a file."""
    version = next((info[key] for key in ("ETag", "etag", "mtime", "LastModified", "updated") if info.get(key)), "")
    return Stamp(int(info.get("size") or 0), str(version))


def read(name: str) -> bytes:
    """All of a file; raises FileError."""
    if not is_url(name):
        return read_bytes(name)
    with _errors(name):
        files, path = remote(name)
        if (files.size(path) or 0) > limits.MAX_FILE_BYTES:
            raise FileError(f"{shown(name)}: larger than the limit of {limits.MAX_FILE_BYTES:,} bytes")
        data: bytes = files.cat_file(path)
        return data


def read_head(name: str, size: int) -> bytes:
    """The first `size` bytes of a file, or all of it where that is less; raises FileError."""
    with _errors(name):
        if is_url(name):
            files, path = remote(name)
            data: bytes = files.cat_file(path, start=0, end=size)
            return data
        with Path(name).open("rb", buffering=0) as file:
            return file.read(size)


def write(name: str, data: bytes, *, force: bool, times_ns: tuple[int, int] | None = None) -> None:
    """Write a file that is there whole or not at all.

    Raises:
        OutputExistsError: it exists and `force` is false.
        FileError: it cannot be written.
    """
    if not is_url(name):
        write_atomic(name, data, force=force, times_ns=times_ns)
        return
    with _errors(name):
        files, path = remote(name)
        protocol = _protocol(name)
        if not force and protocol in CONDITIONAL:
            files.pipe_file(path, data, mode="create")
            return
        if not force and files.exists(path):
            raise FileExistsError
        if protocol in OBJECT_STORES:
            files.pipe_file(path, data)
            return
        temporary = posixpath.join(posixpath.dirname(path), f".cnnzip-{secrets.token_hex(8)}.tmp")
        try:
            files.pipe_file(temporary, data)
            files.mv(temporary, path)
        finally:
            with suppress(Exception):
                files.rm_file(temporary)


def remove(name: str) -> None:
    """Remove a file for good: its folder is synced, too; raises FileError."""
    with _errors(name):
        if is_url(name):
            files, path = remote(name)
            files.rm_file(path)
        else:
            Path(name).unlink()
            sync_folder(Path(name).parent)


def make_folder(name: str) -> None:
    """Make a folder and those above it, where they are missing; raises FileError. Object stores have none."""
    with _errors(name):
        if not is_url(name):
            try:
                Path(name).mkdir(parents=True, exist_ok=True)
            except FileExistsError as error:
                raise FileError(f"{shown(name)}: not a directory") from error
        elif _protocol(name) not in OBJECT_STORES:
            files, path = remote(name)
            files.makedirs(path, exist_ok=True)


def remote(url: str) -> tuple[Any, str]:
    """The fsspec file system of a URL, and the path in it.

    Raises:
        BatchError: fsspec, or what it needs for this kind of URL, is not installed.
        FileError: no such kind of URL is known.
    """
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise BatchError("URLs need more packages: pip install 'cnnzip[dask]'") from error
    try:
        # Listings must not come from a cache: this batch, and others, write while it runs.
        files, path = url_to_fs(url, use_listings_cache=False)
    except ImportError as error:
        raise BatchError(f"{url}: {_one_line(error)}") from error
    except ValueError as error:
        raise FileError(f"{shown(url)}: {_one_line(error)}") from error
    return files, path


def _protocol(url: str) -> str:
    return url.partition("://")[0].lower()


@contextmanager
def _errors(name: str) -> Iterator[None]:
    """Turns what a file system raises into one line; remote ones raise anything."""
    try:
        yield
    except CnnzipError:
        raise
    except MemoryError:
        raise
    except FileExistsError as error:
        raise OutputExistsError(f"{shown(name)}: exists; use --force to overwrite") from error
    except Exception as error:
        raise file_error(name, error) from error


def file_error(name: str, error: Exception) -> FileError:
    """The one-line error for what a file system raised."""
    if isinstance(error, OSError) and error.errno and not is_url(name):
        reason = os.strerror(error.errno)
        return FileError(f"{shown(name)}: {reason[0].lower()}{reason[1:]}")
    if isinstance(error, FileNotFoundError):
        return FileError(f"{shown(name)}: no such file or directory")
    return FileError(f"{shown(name)}: {_one_line(error)}")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
