"""What a batch works on: arguments, folders and lists of names → a stream of files, always in the same order.

Nothing is gathered: memory holds the names of the folders on the way down, whatever the number of files.
"""

import os
import posixpath
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from cnnzip.batch import storage
from cnnzip.batch.storage import Stamp, is_url, shown
from cnnzip.errors import CnnzipError, FileError
from cnnzip.image import HEAD_BYTES

HEADS_AHEAD = 32
"""Remote files whose first bytes are asked for at the same time: each is a round trip."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file to work on."""

    name: str
    """Its path or URL."""
    relative: str
    """Where its result goes below an output folder, with `/` between the parts."""
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Unusable:
    """A file or folder that was named or found, and cannot be worked on."""

    name: str
    error: CnnzipError
    relative: str | None = None
    """As of a Source, where a file was named that is not there."""


@dataclass(frozen=True, slots=True)
class Other:
    """A file in a folder that is none for this job."""

    name: str


@dataclass(frozen=True, slots=True)
class Made:
    """A file in a folder that is for this job, and whose name says that the job's command made it."""

    name: str


Found = Source | Unusable | Other | Made
Recognises = Callable[[bytes, str], bool]
"""Whether a file in a folder is one for the job, by its first bytes and its name."""


@dataclass(frozen=True)
class Selection:
    """What to work on.

    `include` and `exclude` are patterns as in a shell: with a `/` for the path below the folder that was named, without
    one for the last name. What `exclude` matches, folders too, is left out without a word; of files, `include` keeps
    those that one of its patterns matches. Both apply to what is found in folders and not to files that are named.
    """

    arguments: tuple[str, ...] = ()
    recursive: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    leave_out: str | None = None
    """A folder below which nothing is looked for: that of the results."""
    mark: str = ""
    """What the names of results end with, before the suffix, where they lie beside their sources."""

    def wants(self, relative: str) -> bool:
        """Whether the patterns let a file through."""
        return not self.without(relative) and (not self.include or _matches(relative, self.include))

    def without(self, relative: str) -> bool:
        """Whether a file or folder is excluded."""
        return _matches(relative, self.exclude)

    def judged(self, source: Source, head: bytes, recognises: Recognises) -> Source | Other | Made:
        """What a file in a folder is, by its first bytes."""
        if not recognises(head, source.name):
            return Other(source.name)
        made = self.mark and Path(source.relative).stem.endswith(self.mark)
        return Made(source.name) if made else source


def _matches(relative: str, patterns: tuple[str, ...]) -> bool:
    name = posixpath.basename(relative)
    return any(fnmatchcase(relative if "/" in pattern else name, pattern.strip("/")) for pattern in patterns)


def find(selection: Selection, listed: Iterable[str], recognises: Recognises) -> Iterator[Found]:
    """The files of the arguments, then those that are `listed`, each with what can be said of it before it is read.

    A folder is walked by name, its files before its folders; links to files are followed, links to folders are not,
    so that no loop does harm. A file in a folder is a Source where `recognises` says so of its first bytes and its
    name, unless the command made it. A file that was named is one always: if it is none for the job, that is the
    failure of a file.
    """
    for argument in selection.arguments:
        yield from _named(argument, _last_name(argument), selection, recognises)
    for name in listed:
        yield from _named(name, _as_listed(name), selection, recognises)


def names_in(file: BinaryIO, *, null: bool) -> Iterator[str]:
    """The names in a list, one a line or each with a NUL behind it, as they come in; empty ones are left out."""
    separator = b"\0" if null else b"\n"
    rest = b""
    while chunk := file.read(1 << 16):
        *names, rest = (rest + chunk).split(separator)
        yield from (os.fsdecode(name) for name in names if name)
    if rest:
        yield os.fsdecode(rest)


def count(selection: Selection) -> int:
    """How many files `find` will come to below the arguments of this machine; folders and files are not opened."""
    total = 0
    for argument in selection.arguments:
        if not is_url(argument) and selection.recursive and Path(argument).is_dir():
            total += sum(1 for _ in _walk(argument, selection))
        else:
            total += 1
    return total


def _named(name: str, relative: str, selection: Selection, recognises: Recognises) -> Iterator[Found]:
    try:
        if is_url(name):
            yield from _named_url(name, relative, selection, recognises)
        elif Path(name).is_dir():
            if not selection.recursive:
                raise FileError(f"{shown(name)}: is a directory; -r takes the files in it")
            for path, problem in _walk(name, selection):
                relative = os.path.relpath(path, name)
                yield Unusable(path, problem) if problem else _examined(path, relative, selection, recognises)
        else:
            found = storage.stamp(name)
            if not found:
                yield Unusable(name, FileError(f"{shown(name)}: no such file or directory"), relative)
            else:
                yield Source(name, relative, found)
    except CnnzipError as error:
        yield Unusable(name, error)
    except (OSError, ValueError) as error:
        yield Unusable(name, storage.file_error(name, error))


def _examined(path: str, relative: str, selection: Selection, recognises: Recognises) -> Found:
    """What a file in a folder is; only regular files are opened, for others may never end."""
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):
            return Other(path)
        source = Source(path, Path(relative).as_posix(), Stamp(status.st_size, str(status.st_mtime_ns)))
        return selection.judged(source, storage.read_head(path, HEAD_BYTES), recognises)
    except OSError as error:
        return Unusable(path, storage.file_error(path, error))
    except CnnzipError as error:
        return Unusable(path, error)


def _walk(root: str, selection: Selection) -> Iterator[tuple[str, FileError | None]]:
    """Every file below a folder that the patterns let through, and every folder that cannot be listed."""
    leave_out = _identity(selection.leave_out) if selection.leave_out and not is_url(selection.leave_out) else None
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        path = os.path.join(root, folder) if folder else root  # noqa: PTH118 - a million times
        try:
            if folder and leave_out and _identity(path) == leave_out:
                continue
            with os.scandir(path) as entries:
                listing = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
        except OSError as error:
            yield path, storage.file_error(path, error)
            continue
        below = []
        for name, is_folder in listing:
            relative = f"{folder}/{name}" if folder else name
            if is_folder:
                if not selection.without(relative):
                    below.append(relative)
            elif selection.wants(relative) and not name.startswith(OWN):
                yield os.path.join(root, relative), None  # noqa: PTH118
        # The last in is the first out.
        waiting += reversed(below)


OWN = ".cnnzip-"
"""How the names of our temporary files and journals begin."""


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _named_url(url: str, relative: str, selection: Selection, recognises: Recognises) -> Iterator[Found]:
    files, root = storage.remote(url)
    try:
        is_folder = files.isdir(root)
        if is_folder and not selection.recursive:
            raise FileError(f"{shown(url)}: is a directory; -r takes the files in it")
        if not is_folder:
            yield Source(url, relative, storage.stamp_of(files.info(root)))
            return
        yield from _in_order(_walk_url(files, url, root, selection), selection, recognises)
    except CnnzipError:
        raise
    except Exception as error:  # a file system across the network raises anything
        raise storage.file_error(url, error) from error


def _walk_url(files: object, url: str, root: str, selection: Selection) -> Iterator[Source]:
    leave_out = storage.remote(selection.leave_out)[1] if selection.leave_out and is_url(selection.leave_out) else None
    for folder, folders, entries in files.walk(root, detail=True, on_error="raise"):  # type: ignore[attr-defined]
        below = folder[len(root.rstrip("/")) :].strip("/")
        for name in sorted(folders):
            relative = posixpath.join(below, name)
            if selection.without(relative) or posixpath.join(folder, name) == leave_out:
                del folders[name]
        # fsspec walks the folders in the order that is left here.
        for name in sorted(folders):
            folders[name] = folders.pop(name)
        for name in sorted(entries):
            relative = posixpath.join(below, name)
            if name and selection.wants(relative) and not name.startswith(OWN):
                yield Source(storage.join(url, relative), relative, storage.stamp_of(entries[name]))


def _in_order(sources: Iterator[Source], selection: Selection, recognises: Recognises) -> Iterator[Found]:
    """Looks at the first bytes of several files at a time, and keeps their order."""

    def examined(source: Source) -> Found:
        try:
            head = storage.read_head(source.name, HEAD_BYTES)
        except CnnzipError as error:
            return Unusable(source.name, error)
        return selection.judged(source, head, recognises)

    ahead: deque[Future[Found]] = deque()
    with ThreadPoolExecutor(HEADS_AHEAD) as pool:
        for source in sources:
            ahead.append(pool.submit(examined, source))
            if len(ahead) == HEADS_AHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _last_name(name: str) -> str:
    return posixpath.basename(name.rstrip("/")) if is_url(name) else Path(name).name


def _as_listed(name: str) -> str:
    """The path of a listed file below the output folder: as it stands in the list, without what leads upwards."""
    path = name.partition("://")[2] if is_url(name) else name.replace(os.sep, "/")
    return "/".join(part for part in path.split("/") if part not in ("", ".", ".."))
