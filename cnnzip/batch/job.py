"""What is done to one file, as a value that can be sent to another process or machine.

A job says what to do, and `open` gives the function that does it: it is called once in every worker, and what it loads
serves all files of that worker. A further command is a further class in `jobs/`; nothing else of the room knows what a
job does.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from cnnzip.errors import PartialError


@dataclass(frozen=True)
class Outcome:
    """What a job made of one file."""

    data: bytes | None
    """What is to be written; None where the job writes nothing."""
    line: str
    """For people, behind the names of the files."""
    fields: dict[str, Any] = field(default_factory=dict)
    """For the record of `--json`."""
    notes: tuple[str, ...] = ()
    """What was lost or converted."""
    preview: bytes | None = None
    """A picture of what was done, where the job was asked for one."""
    lost: tuple[str, ...] = ()
    """What of a damaged file is not in `data`, which is written all the same; the file counts as failed."""

    def complain(self) -> None:
        """Raise PartialError where something is lost; for when `data` is written."""
        if self.lost:
            raise PartialError(f"damaged; decoded without {'; '.join(self.lost)}")


Work = Callable[[bytes], Outcome]
"""The bytes of a file → what becomes of it; raises CnnzipError where that is impossible."""


class Job(Protocol):
    """One command with its options. Implementations are frozen dataclasses, so that their `repr` tells them apart."""

    command: ClassVar[str]
    """What the command is called."""

    @property
    def suffix(self) -> str | None:
        """The suffix of a result; None where the job writes nothing."""

    @property
    def mark(self) -> str:
        """What a result beside its source has before its suffix: by it, a file in a folder is known for a result."""

    def pinned(self) -> "Job":
        """The same job, with what this machine decides (such as the model behind a name) fixed for all workers."""

    def recognises(self, head: bytes, name: str) -> bool:
        """Whether a file in a folder, with these first bytes, is one for this job."""

    def open(self, threads: int) -> Work:
        """Load what the work needs; `threads` for the networks, 0 for all cores."""

    def check(self, data: bytes) -> None:
        """Raise CnnzipError unless `data`, read back from a result, is sound."""
