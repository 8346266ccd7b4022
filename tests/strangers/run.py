"""Take pictures that nobody here made through `cnnzip encode` and `cnnzip decode`, and see that none escapes:

    python tests/strangers/run.py FOLDER [FILE…]

Without FILEs they are those of other projects' tests: PngSuite, what Pillow, libtiff, gdk-pixbuf, exiv2 and others test
with, fetched from Debian and PyPI into FOLDER where they are not there yet (`fetch.py`), and some extremes, made
here (`extremes.py`). Each must come back with the right size, channels and brightness, or give one line with an error
that is a PictureError, and leave nothing behind; what Pillow reads may not be refused as damaged. An escape is anything
else: another exception, words on standard error, a process that dies, that takes longer than --seconds of the
processor, or more memory than --memory.
What became of each file is in FOLDER/results.jsonl. The exit code is 1 if there was an escape.
"""

import argparse
import json
import os
import select
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from extremes import Extreme, make_extremes
from fetch import fetch

ROOT = Path(__file__).parents[2]
PATIENCE = 12
"""How many times as long as the processor's time a file may take on a busy machine, before its process is killed."""


class Worker:
    """A process that codes files for as long as it lives."""

    def __init__(self, scratch: Path, memory: int, limit_pixels: int) -> None:
        (scratch / "work").mkdir(parents=True, exist_ok=True)
        self._scratch = scratch
        self._words = [sys.executable, Path(__file__).with_name("worker.py"), scratch, str(memory), str(limit_pixels)]
        self._process: subprocess.Popen[bytes] | None = None
        self._answers: IO[bytes] | None = None

    def code(self, file: Path, seconds: float) -> dict[str, Any]:
        """What became of a file; a process that did not answer is not used again."""
        if self._process is None:
            self._start()
        assert self._process and self._process.stdin and self._answers
        self._process.stdin.write(os.fsencode(file.resolve()) + b"\n")
        self._process.stdin.flush()
        ready, _, _ = select.select([self._answers], [], [], PATIENCE * seconds)
        line = self._answers.readline() if ready else b""
        if line:
            answer: dict[str, Any] = json.loads(line)
            if answer["seconds"] > seconds:
                answer["message"] = f"took {answer['seconds']:.1f} s; {answer['outcome']}: {answer['message']}"
                answer["outcome"] = "ESCAPE"
            return answer
        code = self.stop()
        why = f"the process died with code {code}" if ready else f"no answer in {PATIENCE * seconds:g} s"
        return {"outcome": "ESCAPE", "message": why, "seconds": seconds, "peak": 0}

    def _start(self) -> None:
        read, write = os.pipe()
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "CNNZIP_MODELS": str(ROOT / "tests" / "golden" / "models"),
        }

        # The answers go through descriptor 3: 1 and 2 are what is watched.
        def pipe_to_3() -> None:
            os.dup2(write, 3)

        # What the worker prints beside the commands is libtiff's, when Pillow alone is asked for its judgement.
        with (self._scratch / "stderr").open("ab") as stderr:
            self._process = subprocess.Popen(
                self._words,
                stdin=subprocess.PIPE,
                stderr=stderr,
                env=environment,
                pass_fds=(write, 3),
                preexec_fn=pipe_to_3,
            )
        os.close(write)
        self._answers = os.fdopen(read, "rb", buffering=0)

    def stop(self) -> int | None:
        """End the process; its exit code."""
        if self._process is None or self._answers is None:
            return None
        self._process.kill()
        code = self._process.wait()
        self._answers.close()
        self._process = None
        return code


def groups(folder: Path) -> Iterator[tuple[str, list[Path]]]:
    """(name, pictures) of each project."""
    for project in sorted((folder / "pictures").iterdir()):
        if project.suffix != ".part":
            yield project.name, sorted(path for path in project.rglob("*") if path.is_file())


def judged(answer: dict[str, Any], extreme: Extreme) -> dict[str, Any]:
    """The answer to an extreme; an escape where it is not the one that is due."""
    if answer["outcome"] == extreme.outcome and extreme.words in answer["message"]:
        return answer
    due = f"{extreme.outcome} with '{extreme.words}'"
    return {**answer, "outcome": "ESCAPE", "message": f"{answer['outcome']}: {answer['message']}; due was {due}"}


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--extremes", action="store_true", help="only the extremes")
    parser.add_argument("--no-fetch", action="store_true", help="take what is in the folder")
    parser.add_argument("--seconds", type=float, default=10, help="of the processor's time, for a file there and back")
    parser.add_argument("--memory", type=float, default=4, help="GiB of address space")
    parser.add_argument("--limit-pixels", type=int, default=4_000_000, help="larger pictures must be refused")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    if not (options.files or options.no_fetch or options.extremes):
        for line in fetch(options.folder):
            print(f"strangers: {line}", file=sys.stderr)
    extremes = {} if options.files else make_extremes(options.folder / "extremes")
    work = [("given", options.files)] if options.files else [("extremes", list(extremes))]
    if not (options.files or options.extremes):
        work += groups(options.folder)
    worker = Worker(options.folder / "scratch", int(options.memory * 2**30), options.limit_pixels)
    total: Counter[str] = Counter()
    peak, slowest, escapes = 0, (0.0, ""), []
    with (options.folder / "results.jsonl").open("w", encoding="utf-8") as results:
        for name, files in work:
            counts: Counter[str] = Counter()
            for file in files:
                answer = worker.code(file, options.seconds)
                if file in extremes:
                    answer = judged(answer, extremes[file])
                counts[answer["outcome"]] += 1
                peak, slowest = max(peak, answer["peak"]), max(slowest, (answer["seconds"], str(file)))
                if answer["outcome"] == "ESCAPE":
                    escapes.append(f"{file}: {answer['message']}")
                print(json.dumps({"file": str(file), **answer}), file=results, flush=True)
            total += counts
            print(f"{name:<22} {row(counts)}", flush=True)
    worker.stop()
    print(f"{'all':<22} {row(total)}")
    print(f"slowest {slowest[0]:.1f} s: {slowest[1]}; peak memory {peak} MiB")
    for escape in escapes:
        print(f"ESCAPE {escape}")
    return bool(escapes)


def row(counts: "Counter[str]") -> str:
    """A line of the table."""
    kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
    return f"{counts.total():>5} files: {kinds}"


if __name__ == "__main__":
    sys.exit(main())
