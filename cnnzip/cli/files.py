"""What every command that works through files does: read, write, tell, go on after a failure."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from cnnzip import limits
from cnnzip.errors import CnnzipError, FileError, OutputExistsError, UsageError
from cnnzip.files import read_bytes, write_atomic

STANDARD = "-"


def shown(name: str, standard: str = "standard input") -> str:
    """The name of a file for people, on one line; `standard` is what `-` is called."""
    if name == STANDARD:
        return standard
    return name if name.isprintable() else repr(name)


def read_input(name: str) -> bytes:
    """The bytes of the file `name`; of standard input for `-`.

    Raises:
        FileError: it cannot be read.
    """
    if name != STANDARD:
        return read_bytes(name)
    if sys.stdin is None:
        raise FileError("standard input is closed")
    data = sys.stdin.buffer.read(limits.MAX_FILE_BYTES + 1)
    if len(data) > limits.MAX_FILE_BYTES:
        raise FileError(f"standard input is longer than {limits.MAX_FILE_BYTES} bytes")
    return data


class Outputs:
    """Where the result of each input goes; refuses what can only be a slip before anything is done.

    Args:
        sources: the inputs.
        given: what -o says.
        suffix: of a result beside its input.
        force: overwrite what exists.
        mark: stands before that suffix.

    Raises:
        UsageError: -o with several inputs, binary data to a terminal, standard input named twice, an empty name.
        FileError: the data would go to standard output, which is closed.
    """

    def __init__(self, sources: list[str], given: str | None, suffix: str, *, force: bool, mark: str = "") -> None:
        if given is not None and len(sources) > 1:
            raise UsageError("-o/--output goes with a single input")
        if sources.count(STANDARD) > 1:
            raise UsageError("standard input can be read only once")
        if "" in (*sources, given):
            raise UsageError("the name of a file is empty")
        self.given = given
        self.ending = mark + suffix
        self.force = force
        self.written: set[Path] = set()
        self.use_stdout = STANDARD in map(self.of, sources)
        if self.use_stdout and sys.stdout is None:
            raise FileError("standard output is closed")
        if self.use_stdout and sys.stdout.isatty():
            raise UsageError("will not write binary data to a terminal; give -o FILE or a pipe")

    def of(self, source: str) -> str:
        """The output of `source`: what -o says, else beside it, for standard input standard output."""
        if self.given is not None:
            return self.given
        if source == STANDARD:
            return STANDARD
        path = Path(source)
        # "." and "/" have no name; `claim` refuses them, as all folders.
        return str(path.with_name(path.stem + self.ending) if path.name else path)

    def claim(self, source: str) -> str:
        """The output of `source`, after finding out, before the work, whether it could be written.

        Raises:
            FileError: input or output is a folder or no possible name, the output is the input, was written from
                another input in this run, or its folder is missing.
            OutputExistsError: it exists, and `force` is not set.
        """
        name = self.of(source)
        try:
            self._check(Path(source) if source != STANDARD else None, Path(name) if name != STANDARD else None)
        except OSError as error:  # a name that is too long, a folder that may not be searched
            raise FileError(f"{shown(str(error.filename))}: {str(error.strerror).lower()}") from error
        return name

    def _check(self, source: Path | None, target: Path | None) -> None:
        """What `claim` refuses; None is standard input or output."""
        if source and source.is_dir():
            raise FileError(f"{shown(str(source))}: is a directory")
        if not target:
            return
        name = shown(str(target))
        if target.is_dir():
            raise FileError(f"{name}: is a directory; -o takes the name of a file")
        if source and source.exists() and target.exists() and target.samefile(source):
            raise FileError(f"{name}: the output would replace the input; give -o FILE")
        if target.resolve() in self.written:
            raise FileError(f"{name}: already written from another input in this run")
        if target.is_file() and not self.force:
            raise OutputExistsError(f"{name}: exists; use --force to overwrite")
        if not target.parent.is_dir():
            raise FileError(f"{shown(str(target.parent))}: no such folder")

    def write(self, name: str, data: bytes) -> None:
        """Write `data` to the output `name`, whole or not at all.

        Raises:
            FileError: it cannot be written.
            OutputExistsError: it has come into being meanwhile, and `force` is not set.
        """
        if name != STANDARD:
            write_atomic(name, data, force=self.force)
            self.written.add(Path(name).resolve())
            return
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise FileError(f"standard output: {error.strerror}") from error


class Teller:
    """Says what became of each file: a line on standard error, or a JSON record on standard output.

    Where standard output carries the data itself, the records go to standard error.
    """

    def __init__(self, *, as_json: bool, quiet: bool, data_on_stdout: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.records = sys.stderr if data_on_stdout else sys.stdout

    def done(self, line: str, record: dict[str, Any]) -> None:
        """A file was done: `line` for people, `record` for scripts."""
        if self.as_json:
            self._record({"status": "ok", **record})
        elif not self.quiet:
            print(line, file=sys.stderr)

    def note(self, source: str, text: str) -> None:
        """Something was lost or converted; JSON has it in the file's record."""
        if not self.as_json and not self.quiet:
            print(f"cnnzip: {shown(source)}: note: {text}", file=sys.stderr)

    def failed(self, source: str, error: CnnzipError) -> None:
        """A file could not be done."""
        if self.as_json:
            kind = type(error).__name__
            self._record({"status": "error", "input": source, "error": kind, "message": str(error)})
        else:
            message = str(error)
            # Errors about files begin with the path already; those about contents do not.
            prefix = "" if isinstance(error, FileError) else f"{shown(source)}: "
            print(f"cnnzip: {prefix}{message}", file=sys.stderr)

    def _record(self, record: dict[str, Any]) -> None:
        print(json.dumps(record), file=self.records, flush=True)


def each(sources: list[str], teller: Teller, work: Callable[[str], None]) -> None:
    """Do `work` for every source; a failure is told and the rest still done, then the exit code is 1."""
    failures = 0
    for source in sources:
        try:
            work(source)
        except CnnzipError as error:
            teller.failed(source, error)
            failures += 1
        except MemoryError:
            teller.failed(source, FileError(f"{shown(source)}: not enough memory"))
            failures += 1
    if failures:
        raise typer.Exit(1)
