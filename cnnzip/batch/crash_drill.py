"""`python -m cnnzip.batch.crash_drill PICTURE…`: kill batches at random moments, and look whether anything is lost.

A round starts a batch, the same as before where that was cut short, and kills -9 the whole of it, or one of its
workers, at a random moment. After every round no source may be lost, and under final names there may be nothing but
whole results. When a batch has come to its end, the tree has to be that of an undisturbed run, file for file and bit
for bit, and nothing else may be there. In every second tree the sources are removed (--rm). Then the same on a full
disk and with an output that is read-only, where this process may mount one.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cnnzip.batch.samples import command, descendants, make_pictures

SIZE = (64, 48)


@dataclass
class Drill:
    """A drill in a folder of its own.

    Args:
        pictures: real pictures, to make small ones of.
        folder: an empty folder.
        count: pictures in a tree.
        model: the model to code with.
        jobs: worker processes.
        seed: of the random moments.
    """

    pictures: list[Path]
    folder: Path
    count: int = 40
    model: str = "photo"
    jobs: int = 2
    seed: int = 0
    killed: int = 0
    finished: int = 0
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._originals = self.folder / "originals"
        make_pictures(self.pictures, self._originals, self.count, SIZE)
        self._sources = contents(self._originals)
        start = time.monotonic()
        code = self._run(self._originals, self.folder / "reference").wait()
        self._seconds = time.monotonic() - start
        self._reference = contents(self.folder / "reference")
        if code or len(self._reference) != self.count:
            self._problem(f"the undisturbed run ended with exit code {code}")

    def kill(self, rounds: int) -> None:
        """So many rounds, and as many more as it takes to come to an end."""
        while self.killed < rounds and not self.problems:
            remove = self.finished % 2 == 1
            work, output = self._fresh()
            ended = False
            while not ended and not self.problems:
                process = self._run(work, output, *["--rm"] * remove)
                struck = self.killed < rounds and self._strike(process)
                code = process.wait()
                self._check(work, output, remove=remove)
                if code and not struck:
                    self._problem(f"exit code {code}")
                # A batch removes its journal when all is done; one may be killed between that and its own end.
                ended = not any(output.glob(".cnnzip-journal-*")) and (not code or self._is_complete(output))
            self._check_end(work, output, remove=remove)
            self.finished += 1

    def full_disk(self) -> None:
        """A disk that fills up in the middle, and is then made larger."""
        work, output = self._fresh()
        half = sum(map(len, self._reference.values())) // 2
        with disk(output, max(half, 1 << 15)) as resize:
            code = self._run(work, output).wait()
            if code != 1:
                self._problem(f"on a full disk the exit code is {code}")
            self._check(work, output, remove=False)
            resize("size=64m")
            code = self._run(work, output).wait()
            if code:
                self._problem(f"after the disk was made larger the exit code is {code}")
            self._check_end(work, output, remove=False)

    def read_only(self) -> None:
        """An output that cannot be written at all."""
        work, output = self._fresh()
        with disk(output, 1 << 20) as remount:
            remount("ro")
            code = self._run(work, output, "--rm").wait()
            if code != 1:
                self._problem(f"with a read-only output the exit code is {code}")
            self._check(work, output, remove=False)

    def _fresh(self) -> tuple[Path, Path]:
        work, output = self.folder / "work", self.folder / "out"
        for tree in (work, output):
            shutil.rmtree(tree, ignore_errors=True)
        shutil.copytree(self._originals, work)
        return work, output

    def _run(self, work: Path, output: Path, *options: str) -> "subprocess.Popen[bytes]":
        words = command("encode", "-r", work, "--output-dir", output, "--model", self.model, "--quiet")
        words += ["--jobs", str(self.jobs), "--threads", "1", *options]
        with (self.folder / "stderr").open("ab") as stderr:
            return subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=stderr)

    def _strike(self, process: "subprocess.Popen[bytes]") -> bool:
        """Kill the batch or one of its processes, some time between its beginning and its end; whether it did."""
        with suppress(subprocess.TimeoutExpired):
            process.wait(self._random.uniform(0, self._seconds))
            return False
        victims = [process.pid]
        if self._random.random() < 0.5:
            victims = descendants(process.pid) or victims
        with suppress(ProcessLookupError):
            os.kill(self._random.choice(victims), signal.SIGKILL)
            self.killed += 1
        return True

    def _is_complete(self, output: Path) -> bool:
        return contents(output).keys() == self._reference.keys()

    def _check(self, work: Path, output: Path, *, remove: bool) -> None:
        """Nothing is lost, and what has a final name is whole."""
        sources, results = contents(work), contents(output)
        for name, data in results.items():
            if not Path(name).name.startswith(".cnnzip-") and self._reference.get(name) != data:
                self._problem(f"{name}: not what an undisturbed run writes")
        for name, data in self._sources.items():
            result = str(Path(name).with_suffix(".cnz"))
            if sources.get(name) != data and not (remove and results.get(result) == self._reference[result]):
                self._problem(f"{name}: the source is lost")

    def _check_end(self, work: Path, output: Path, *, remove: bool) -> None:
        """The same tree as after an undisturbed run, and nothing else."""
        results = contents(output)
        for name in results.keys() ^ self._reference.keys():
            self._problem(f"{name}: {'left behind' if name in results else 'missing'}")
        if remove and contents(work):
            self._problem("sources that should have been removed are there")

    def _problem(self, text: str) -> None:
        self.problems.append(f"kill {self.killed}, tree {self.finished}: {text}")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its name there."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@contextmanager
def disk(folder: Path, size: int) -> Iterator[Callable[[str], None]]:
    """A small file system at `folder`; gives what changes its options.

    Raises:
        OSError: this process may not mount one.
    """
    folder.mkdir(parents=True, exist_ok=True)

    def mount(*words: str) -> None:
        done = subprocess.run(["mount", *words, str(folder)], capture_output=True, check=False)
        if done.returncode:
            raise OSError(done.stderr.decode().strip())

    mount("-t", "tmpfs", "-o", f"size={size}", "cnnzip-drill")
    try:
        yield lambda options: mount("-o", f"remount,{options}")
    finally:
        subprocess.run(["umount", str(folder)], check=False)


def main() -> int:
    """The drill as a command; the exit code is 1 where anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m cnnzip.batch.crash_drill", description=__doc__)
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE")
    parser.add_argument("--rounds", type=int, default=200, help="processes to kill")
    parser.add_argument("--count", type=int, default=40, help="pictures in a tree")
    parser.add_argument("--model", default="photo")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        drill = Drill(chosen.pictures, Path(folder), chosen.count, chosen.model, chosen.jobs, chosen.seed)
        start = time.monotonic()
        drill.kill(chosen.rounds)
        print(f"{drill.killed} processes killed, {drill.finished} trees finished, {time.monotonic() - start:.0f} s")
        for name, part in {"full disk": drill.full_disk, "read-only output": drill.read_only}.items():
            try:
                part()
                print(f"{name}: done")
            except OSError as error:
                print(f"{name}: skipped: {error}")
        for problem in drill.problems:
            print(problem, file=sys.stderr)
        print("nothing lost" if not drill.problems else f"{len(drill.problems)} problems")
    return bool(drill.problems)


if __name__ == "__main__":
    sys.exit(main())
