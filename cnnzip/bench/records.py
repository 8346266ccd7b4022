"""Dataclasses as JSON files: how the results of every benchmark are kept."""

import json
import math
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, ClassVar, Self

from cnnzip.bench.machine import machine
from cnnzip.errors import BenchError, UsageError
from cnnzip.files import read_bytes, write_atomic

MAX_RESULTS_BYTES = 1 << 30

METRICS = dict[str, float]
"""The type of a field of metrics by name. An infinite one is null in JSON, which has no infinity."""

_PLAIN: dict[type, tuple[type, ...]] = {str: (str,), int: (int,), float: (int, float), bool: (bool,)}


class Record:
    """The base of dataclasses that are kept as JSON; they say what their lists hold."""

    machine: dict[str, str]
    """On what was measured: processor, cores, memory, system."""
    jobs: int
    """Processes that measured at the same time."""

    FORMAT: ClassVar[int | str]
    """What the file says it is; another one is refused."""
    LISTS: ClassVar[dict[str, type]]
    """The fields that are lists of dataclasses, and of which."""

    def to_json(self) -> str:
        """The text of the file."""
        values = asdict(self)  # type: ignore[call-overload]
        for name, kind in self.LISTS.items():
            for metrics in (field.name for field in fields(kind) if field.type == METRICS):
                for entry in values[name]:
                    entry[metrics] = {key: one if math.isfinite(one) else None for key, one in entry[metrics].items()}
        return json.dumps({"format": self.FORMAT, **values}, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """The record that `to_json` wrote.

        Raises:
            BenchError: this is no such file, or one of another format.
        """
        try:
            values = json.loads(text)
            if values.pop("format") != cls.FORMAT:
                raise BenchError("results of another task or version of cnnzip bench")
            for name, kind in cls.LISTS.items():
                values[name] = [kind(**_checked(kind, entry)) for entry in values[name]]
            return cls(**_checked(cls, values))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise BenchError(f"no results of cnnzip bench ({error})") from error

    @classmethod
    def earlier(cls, path: Path, jobs: int) -> Self | None:
        """The results of earlier runs into the same file; None where there are none.

        Raises:
            FileError, BenchError: as for `read`.
            UsageError: they were measured in another way than by `jobs` processes on this machine.
        """
        if not path.exists():
            return None
        found = cls.read(path)
        here = machine()
        if found.jobs != jobs or found.machine != here:
            how = f"--jobs {found.jobs}" if found.machine == here else "another machine or Python"
            raise UsageError(f"{path}: was measured with {how}, and times do not mix; give --fresh, or another -o")
        return found

    def write(self, path: Path) -> None:
        """Write the file, whole; raises FileError."""
        write_atomic(path, self.to_json().encode(), force=True)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file.

        Raises:
            FileError: it cannot be read.
            BenchError: this is no such file.
        """
        try:
            return cls.from_json(read_bytes(path, MAX_RESULTS_BYTES))
        except BenchError as error:
            raise BenchError(f"{path}: {error}") from error


def _checked(kind: type, entry: dict[str, Any]) -> dict[str, Any]:
    """The fields of a `kind`, of the types that it declares where these are plain; raises TypeError."""
    for field in fields(kind):
        value = entry.get(field.name)
        allowed = _PLAIN.get(field.type) if isinstance(field.type, type) else None
        if field.name in entry and allowed and not isinstance(value, allowed):
            raise TypeError(f"{field.name}: {value!r}")
        if field.type == METRICS:
            values = entry[field.name].items()
            entry[field.name] = {name: math.inf if one is None else float(one) for name, one in values}
    return entry
