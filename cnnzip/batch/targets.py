"""Where results go, and what is refused before any work is done: two sources for one name, a name that is taken."""

import hashlib
import os
import posixpath
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from cnnzip.batch import storage
from cnnzip.batch.sources import Source
from cnnzip.batch.storage import is_url, shown
from cnnzip.errors import FileError
from cnnzip.files import clear_stale

FOLDERS_KEPT = 1000
"""So many folders are remembered to be there and clear."""


@dataclass(frozen=True)
class Naming:
    """How a result is named.

    With `output`, that is its name; with `folder`, it lies below it where its source lies below what was named; else
    beside its source. The suffix is exchanged, but in `output`; in the folder of the source, `mark` stands before it.
    """

    suffix: str
    output: str | None = None
    folder: str | None = None
    mark: str = ""

    def of(self, source: Source) -> str:
        """The path or URL of the result of `source`."""
        if self.output is not None:
            return self.output
        if self.folder is not None:
            target = storage.join(self.folder, _renamed(source.relative, self.suffix))
            if not self.mark or _folder(target) != _folder(source.name):
                return target
            return storage.join(self.folder, _renamed(source.relative, self.mark + self.suffix))
        if is_url(source.name):
            return _renamed(source.name, self.mark + self.suffix)
        path = Path(source.name)
        return str(path.with_name(path.stem + self.mark + self.suffix))


def _renamed(name: str, ending: str) -> str:
    head, _, last = name.rpartition("/")
    path = Path(last)
    return posixpath.join(head, str(path.with_name(path.stem + ending)))


def _folder(name: str) -> str:
    """The folder of a file, links resolved."""
    return name.rpartition("/")[0] if is_url(name) else os.path.realpath(os.path.dirname(name))  # noqa: PTH120


class Names:
    """The names that were given away in this run: on disk, so that a million of them need no memory."""

    def __init__(self) -> None:
        # An empty name is a database of its own in a temporary file; nothing of it need outlive a crash.
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("CREATE TABLE names (name BLOB PRIMARY KEY) WITHOUT ROWID")

    def take(self, name: str) -> bool:
        """Whether `name` was free; from now on it is not."""
        digest = hashlib.blake2b(os.fsencode(name), digest_size=16).digest()
        return self._database.execute("INSERT OR IGNORE INTO names VALUES (?)", (digest,)).rowcount == 1


class Targets:
    """Gives every source its name, and sees to the folders.

    Args:
        naming: how results are named.
        touch: folders are made where they are missing, and cleared of what dead processes left in them.
    """

    def __init__(self, naming: Naming, *, touch: bool = True) -> None:
        self.naming = naming
        self.touch = touch
        self._names = Names()
        self._folders: dict[str, str] = {}

    def claim(self, source: Source) -> tuple[str, bool]:
        """The name of the result of `source`, and whether there is a file of that name now.

        Raises:
            FileError: the result would replace its source or that of another source in this run, or its folder
                cannot be.
        """
        target = self.naming.of(source)
        if not self._names.take(self._canonical(target)):
            raise FileError(f"{shown(target)}: already the output of another input in this run")
        if is_url(target):
            exists = storage.stamp(target) is not None
            same = target == source.name
        else:
            path = Path(target)
            if path.is_dir():
                raise FileError(f"{shown(target)}: is a directory")
            exists = os.path.lexists(path)
            same = exists and not is_url(source.name) and path.exists() and path.samefile(source.name)
        if same:
            raise FileError(f"{shown(target)}: the output would replace the input")
        return target, exists

    def _canonical(self, target: str) -> str:
        """The name by which a result is known, links resolved; its folder is made and cleared on the way."""
        if is_url(target):
            folder = target.rpartition("/")[0]
            if self.touch and folder not in self._folders and not folder.endswith("/"):
                storage.make_folder(folder)
            self._remember(folder, folder)
            return target
        folder, name = os.path.split(target)
        if folder not in self._folders:
            if self.touch:
                if self.naming.folder is not None:
                    storage.make_folder(folder)
                clear_stale(folder or ".")
            self._remember(folder, os.path.realpath(folder))
        return f"{self._folders[folder]}/{name}"

    def _remember(self, folder: str, resolved: str) -> None:
        if len(self._folders) >= FOLDERS_KEPT:
            self._folders.clear()
        self._folders[folder] = resolved
