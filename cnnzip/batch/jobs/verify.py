"""What `cnnzip verify` does to one file."""

from dataclasses import dataclass
from typing import ClassVar

from cnnzip.batch.job import Outcome, Work
from cnnzip.container import is_cnz


@dataclass(frozen=True)
class VerifyJob:
    """`cnnzip verify`."""

    limit_pixels: int = 0
    command: ClassVar[str] = "verify"
    suffix: ClassVar[str | None] = None
    mark: ClassVar[str] = ""

    def pinned(self) -> "VerifyJob":
        """Itself: the files name their models."""
        return self

    def recognises(self, head: bytes, name: str) -> bool:
        """See `Job`."""
        return is_cnz(head)

    def open(self, threads: int) -> Work:
        """See `Job`."""
        from cnnzip.codec.inspect import verify
        from cnnzip.codec.models import Models

        models = Models()

        def check(given: bytes) -> Outcome:
            digest = verify(given, self.limit_pixels, models)
            return Outcome(None, "ok", {"symbols_sha256": digest})

        return check

    def check(self, data: bytes) -> None:
        """Nothing is written, so there is nothing to read back."""
