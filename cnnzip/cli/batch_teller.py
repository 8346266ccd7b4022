"""What a batch says: failures always, every file with --verbose, a bar on a terminal, and the sum at the end."""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cnnzip.cli.files import shown

if TYPE_CHECKING:
    from cnnzip.batch.summary import Summary
    from cnnzip.batch.task import Report, Task


class BatchTeller:
    """Lines for people on standard error, or records on standard output; what is planned goes to standard output."""

    def __init__(self, *, as_json: bool, quiet: bool, verbose: bool) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.verbose = verbose and not quiet
        self.failures = 0
        self._advance: Callable[[], None] = lambda: None

    def tell(self, report: "Report") -> None:
        """What became of a file."""
        self.failures += report.status == "error"
        if self.as_json:
            self._record(report)
        else:
            self._line(report)
        self._advance()

    def planned(self, task: "Task") -> None:
        """What would be done to a file."""
        if self.as_json:
            target = {} if task.target is None else {"output": task.target}
            print(json.dumps({"status": "planned", "input": task.source, **target}))
        else:
            print(_heading(task.source, task.target))

    def close(self, summary: "Summary") -> None:
        """The sum of it all."""
        if self.as_json:
            print(json.dumps(summary.as_json()), file=sys.stderr)
        elif not self.quiet:
            print(f"cnnzip: {summary}", file=sys.stderr)

    @contextmanager
    def progress(self, total: Callable[[], int] | None) -> Iterator[None]:
        """A bar with rate and time left, where people can see it; `total` is counted meanwhile."""
        if self.quiet or self.as_json or not sys.stderr.isatty():
            yield
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        rate = TextColumn("{task.fields[rate]}")
        columns = (BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
        # What is printed meanwhile is shown above the bar.
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("", total=None, rate="")

            def advance() -> None:
                bar.advance(task)
                speed = bar.tasks[0].speed
                bar.update(task, rate=f"{speed:.1f}/s" if speed else "")

            self._advance = advance
            if total:
                count = total
                threading.Thread(target=lambda: bar.update(task, total=count()), daemon=True).start()
            try:
                yield
            finally:
                self._advance = lambda: None

    def _record(self, report: "Report") -> None:
        if report.status == "other":
            return
        record: dict[str, Any] = {"status": report.status, "input": report.source}
        if report.status == "error":
            record |= {"error": report.error, "message": report.line}
        else:
            if report.target is not None:
                record["output"] = report.target
            if report.status == "skipped":
                record["reason"] = report.line
            record |= report.fields
        print(json.dumps(record), flush=True)

    def _line(self, report: "Report") -> None:
        source = shown(report.source)
        if report.status == "error":
            prefix = "" if report.names_file else f"{source}: "
            print(f"cnnzip: {prefix}{report.line}", file=sys.stderr)
        elif self.verbose and report.status == "other":
            print(f"{source}: left alone: not a file for this command", file=sys.stderr)
        elif self.verbose and report.status == "skipped":
            print(f"{source}: skipped: {report.line}", file=sys.stderr)
        elif self.verbose:
            for note in report.notes:
                print(f"cnnzip: {source}: note: {note}", file=sys.stderr)
            print(f"{_heading(report.source, report.target)}: {report.line}", file=sys.stderr)


def _heading(source: str, target: str | None) -> str:
    return shown(source) if target is None else f"{shown(source)} → {shown(target)}"
