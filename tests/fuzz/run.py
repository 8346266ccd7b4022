"""Fuzz one surface that strangers' bytes reach, guided by coverage, for any time:

    python tests/fuzz/run.py TARGET [--minutes M | --runs N] [--seed S] [--corpus DIR] [--findings DIR]
    python tests/fuzz/run.py TARGET --replay FILE ...

A target is a module of this folder that is named in `TARGETS`. It has

    EXPECTED: tuple[type[Exception], ...]      what `one` may raise; anything else is a finding
    SECONDS: float                             what an execution may take; more is a finding
    MEGABYTES: float                           memory that one may take; looked at whenever the peak has grown by that
    MAX_BYTES: int                             no longer inputs than that
    seeds() -> Iterable[bytes]                 inputs to begin with; each is run once before the clock starts
    one(data: bytes) -> None                   one execution; asserts what must hold of a success

and perhaps

    mutate(data: bytes, rng: random.Random) -> bytes     a mutation that knows the structure; half of all are of it

and it imports what it needs of `cnnzip` at its top, so that it is instrumented. Whatever else an input needs, such as a
folder for a bundle's files, is the target's own affair, and made when the module is imported.

A finding is told by its kind and the place that raised it, the first input of each is written to `--findings`, and the
run goes on; the exit code is 1 if there were any. An execution over `SECONDS` counts only if it is so twice more, for a
busy machine is slow. Warnings count as errors, and what ends the process (a crash of a library, 60 seconds without
an end) is left to libFuzzer, which writes the input there, too.
"""

import argparse
import contextlib
import importlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from hashlib import sha256
from pathlib import Path
from types import ModuleType

os.environ.setdefault("OMP_NUM_THREADS", "1")

TARGETS = ("container", "huffman", "rans", "decode", "bundle")

HANG_SECONDS = 60

STATUS, CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak_megabytes() -> float:
    """The most resident memory that this process has had, since that was last forgotten."""
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


class Watch:
    """Runs a target and keeps what there is to tell."""

    def __init__(self, target: ModuleType, findings: Path) -> None:
        self.target = target
        self.findings = findings
        self.found: dict[str, Path] = {}
        self.start()

    def __call__(self, data: bytes) -> None:
        """One execution, with what went wrong kept."""
        self.executions += 1
        before = time.perf_counter()
        try:
            self.target.one(data)
            self.accepted += 1
        except self.target.EXPECTED:
            pass
        except Exception as error:
            self._keep(f"{type(error).__name__} at {_place(error)}: {error}", data)
        took = time.perf_counter() - before
        if took > self.slowest:
            if took > self.target.SECONDS:
                took = min(took, self._again(data), self._again(data))
            if took > self.target.SECONDS:
                self._keep(f"{took:.1f} seconds", data)
            self.slowest = max(took, self.slowest)
        peak = peak_megabytes()
        if peak > self._allowed:
            # Over millions of executions memory also gathers in the fuzzer itself: what counts is what this one takes.
            more = self._megabytes(data)
            if more > self.target.MEGABYTES:
                self._keep(f"{more:.0f} MB more than before it", data)
            self._allowed = peak + self.target.MEGABYTES

    def start(self) -> None:
        """Forget what the seeds cost."""
        self.executions, self.accepted, self.slowest = 0, 0, 0.0
        self.began, self._cpu = time.perf_counter(), time.process_time()
        self.base = peak_megabytes()
        self._allowed = self.base + self.target.MEGABYTES

    def tell(self) -> None:
        """The counts, and every finding."""
        seconds, cpu = time.perf_counter() - self.began, time.process_time() - self._cpu
        print(
            f"{self.target.__name__}: {self.executions:,} executions in {seconds:.0f} s, "
            f"{self.executions / seconds:,.0f}/s ({self.executions / cpu:,.0f} a second of CPU time), "
            f"{self.accepted:,} accepted; slowest {1000 * self.slowest:.0f} ms; "
            f"peak memory {peak_megabytes():.0f} MB, {peak_megabytes() - self.base:.0f} MB of it since the seeds; "
            f"{len(self.found)} findings"
        )
        for what, path in self.found.items():
            print(f"  {what}\n    {path}")
        sys.stdout.flush()

    def _again(self, data: bytes) -> float:
        before = time.perf_counter()
        with contextlib.suppress(Exception):
            self.target.one(data)
        return time.perf_counter() - before

    def _megabytes(self, data: bytes) -> float:
        """What an execution adds to the resident memory at its highest."""
        CLEAR_REFS.write_text("5")  # the kernel forgets the peak
        before = peak_megabytes()
        with contextlib.suppress(Exception):
            self.target.one(data)
        return peak_megabytes() - before

    def _keep(self, what: str, data: bytes) -> None:
        kind = what.partition(":")[0] if " at " in what else what.split(" ", 1)[-1]
        if any(other.startswith(kind) or other.endswith(kind) for other in self.found):
            return
        self.findings.mkdir(parents=True, exist_ok=True)
        path = self.findings / f"{self.target.__name__}-{sha256(data).hexdigest()[:12]}"
        path.write_bytes(data)
        self.found[what] = path
        print(f"finding: {what}\n  {path}", flush=True)


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "cnnzip" in frame.filename or "fuzz" in frame.filename]
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}"


def fuzz(target: ModuleType, watch: Watch, options: argparse.Namespace, folder: str) -> None:
    """Run libFuzzer, with `folder` for what is not kept; does not come back."""
    import atheris

    rng = random.Random(options.seed)
    end = time.perf_counter() + 60 * options.minutes if options.minutes else None
    structured = getattr(target, "mutate", None)

    def mutator(data: bytes, max_size: int, _seed: int) -> bytes:
        if structured is not None and rng.random() < 0.5:
            return structured(data, rng)[:max_size]
        return atheris.Mutate(data, max_size)

    interrupted = False

    def interrupt(*_: object) -> None:
        nonlocal interrupted
        interrupted = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)

    def one(data: bytes) -> None:
        watch(data)
        if interrupted or watch.executions == options.runs or (end is not None and time.perf_counter() > end):
            watch.tell()
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(1 if watch.found else 0)  # libFuzzer would end without a word to Python

    corpus, seeds = options.corpus or Path(folder, "corpus"), Path(folder, "seeds")
    for place in (corpus, seeds, options.findings):
        place.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (seeds / f"{number:04}").write_bytes(seed)
    flags = (f"-seed={options.seed}", f"-max_len={target.MAX_BYTES}", "-len_control=0", "-verbosity=0")
    signals = ("-handle_int=0", "-handle_term=0")  # Ctrl-C ends with the counts, too
    limits = (f"-timeout={HANG_SECONDS}", "-rss_limit_mb=0", f"-artifact_prefix={options.findings}/")
    atheris.Setup([sys.argv[0], *flags, *signals, *limits, str(corpus), str(seeds)], one, custom_mutator=mutator)
    watch.start()
    atheris.Fuzz()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Fuzz one surface, guided by coverage.")
    parser.add_argument("target", choices=TARGETS)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, default=0)
    length.add_argument("--runs", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", type=Path, help="inputs of earlier runs; new ones are added")
    parser.add_argument("--findings", type=Path, default=Path(tempfile.gettempdir(), "cnnzip-fuzz"))
    parser.add_argument("--replay", type=Path, nargs="+", help="run these files instead, with tracebacks")
    options = parser.parse_args()
    if options.replay:
        target = importlib.import_module(options.target)
        for path in options.replay:
            before = time.perf_counter()
            try:
                target.one(path.read_bytes())
                outcome = "accepted"
            except Exception as error:
                if not isinstance(error, target.EXPECTED):
                    traceback.print_exc()
                outcome = f"{type(error).__name__}: {error}"
            print(f"{path}: {outcome} ({time.perf_counter() - before:.3f} s)")
        return
    if not (options.minutes or options.runs):
        options.minutes = 1.0
    try:
        import atheris
    except ImportError:
        sys.exit("fuzzing needs atheris: pip install 'cnnzip[dev]'")
    tempfile.tempdir = tempfile.mkdtemp(prefix="cnnzip-fuzz-")  # also what the target makes there is removed at the end
    with atheris.instrument_imports(include=["cnnzip"], enable_loader_override=False):
        target = importlib.import_module(options.target)
    warnings.simplefilter("error")
    watch = Watch(target, options.findings)
    for seed in target.seeds():
        watch(seed)
    if not watch.accepted:
        sys.exit(f"{options.target}: none of the seeds is accepted, so nothing behind the first check would be reached")
    fuzz(target, watch, options, tempfile.tempdir)


if __name__ == "__main__":
    main()
