"""What a batch came to, in figures."""

import time
from dataclasses import dataclass, field
from typing import Any

from cnnzip.batch.task import Report


@dataclass
class Summary:
    """Counts, bytes and seconds; `add` takes every report."""

    done: int = 0
    done_before: int = 0
    skipped: int = 0
    failed: int = 0
    other: int = 0
    with_notes: int = 0
    input_bytes: int = 0
    bytes: int = 0
    started: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0

    def add(self, report: Report) -> None:
        """Count a file."""
        self.done += report.status == "ok"
        self.failed += report.status == "error"
        self.other += report.status == "other"
        before = bool(report.fields.get("done_before"))
        self.done_before += before
        self.skipped += report.status == "skipped" and not before
        self.with_notes += bool(report.notes)
        if report.status == "ok":
            self.input_bytes += report.fields.get("input_bytes", 0)
            self.bytes += report.fields.get("bytes", 0)
        self.seconds = time.perf_counter() - self.started

    @property
    def files(self) -> int:
        """All that were named or found and are for the job."""
        return self.done + self.done_before + self.skipped + self.failed

    def as_json(self) -> dict[str, Any]:
        """The record of the whole."""
        saving = 1 - self.bytes / self.input_bytes if self.input_bytes and self.bytes else None
        return {
            "status": "summary",
            "files": self.files,
            "done": self.done,
            "done_before": self.done_before,
            "skipped": self.skipped,
            "failed": self.failed,
            "other": self.other,
            "input_bytes": self.input_bytes,
            "bytes": self.bytes,
            "saving": None if saving is None else round(saving, 5),
            "seconds": round(self.seconds, 3),
        }

    def __str__(self) -> str:
        parts = [f"{self.done:,} of {self.files:,} files done"]
        parts += [f"{self.done_before:,} were done before"] * bool(self.done_before)
        parts += [f"{self.skipped:,} skipped"] * bool(self.skipped)
        parts += [f"{self.failed:,} failed"] * bool(self.failed)
        parts += [f"{self.other:,} other files left alone"] * bool(self.other)
        line = ", ".join(parts) + f", in {self.seconds:.1f} s"
        if self.done and self.seconds:
            line += f" ({self.done / self.seconds:.3g} a second)"
        if self.bytes and self.input_bytes:
            saving = 1 - self.bytes / self.input_bytes
            change = f"{saving:.1%} saved" if saving >= 0 else f"{-saving:.1%} larger"
            line += f"; {self.input_bytes:,} → {self.bytes:,} bytes, {change}"
        if self.with_notes:
            line += f"; {self.with_notes:,} with notes, which --verbose tells"
        return line
