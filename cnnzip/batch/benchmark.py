"""`python -m cnnzip.batch.benchmark PICTURE…`: pictures a second, and memory, of many small pictures in a folder.

Whole commands are timed, from their start to their end: `cnnzip encode -r` with one worker on one core, with two, with
Dask and two workers, and a shell loop that calls `cnnzip` for one picture after the other, of which the first `--loop`
are timed. Memory is the sum over all processes of the command of what each has for itself and its share of
what it shares (PSS), looked at ten times a second; the highest.
"""

import argparse
import os
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

from cnnzip.batch.samples import command, descendants, make_pictures

INTERVAL_SECONDS = 0.1


class Memory:
    """The peak memory, in bytes, of a process and all below it, while this context lasts."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.peak = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(INTERVAL_SECONDS):
            self.peak = max(self.peak, sum(map(_pss, [self.pid, *descendants(self.pid)])))


def _pss(pid: int) -> int:
    with suppress(OSError):  # it has ended
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) << 10
    return 0


def timed(words: list[str]) -> tuple[float, int]:
    """Seconds and peak bytes of a command; RuntimeError where it fails."""
    start = time.perf_counter()
    process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    with Memory(process.pid) as memory:
        _, told = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(words)}: {told.decode(errors='replace').strip()}")
    return time.perf_counter() - start, memory.peak


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m cnnzip.batch.benchmark", description=__doc__)
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--size", default="256x192", help="of a small picture")
    parser.add_argument("--model", default="photo")
    parser.add_argument("--loop", type=int, default=20, help="pictures of the shell loop")
    chosen = parser.parse_args()
    width, height = map(int, chosen.size.split("x"))
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch, "in")
        make_pictures(chosen.pictures, source, chosen.count, (width, height))
        size = sum(path.stat().st_size for path in source.rglob("*.png"))
        print(f"{chosen.count} pictures of {width}×{height}, {size / 1e6:.1f} MB; model {chosen.model}; ", end="")
        print(f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f} before")
        kinds = {
            "--jobs 1 --threads 1": ["--jobs", "1", "--threads", "1"],
            "--jobs 2": ["--jobs", "2", "--threads", "1"],
            "--engine dask --jobs 2": ["--engine", "dask", "--jobs", "2", "--threads", "1"],
        }
        rates = {}
        for number, (name, options) in enumerate(kinds.items()):
            out = Path(scratch, f"out{number}")
            words = command("encode", "-r", source, "--output-dir", out, "--quiet", "--model", chosen.model)
            seconds, peak = timed([*words, *options])
            rates[name] = chosen.count / seconds
            _print(name, rates[name], seconds, peak)
        loop = sorted(source.rglob("*.png"))[: chosen.loop]
        one = command("encode", "--quiet", "--threads", "1", "--model", chosen.model)
        script = f'for f do {" ".join(one)} "$f" -o "{scratch}/$(basename "$f").cnz" || exit 1; done'
        seconds, peak = timed(["sh", "-c", script, "sh", *map(str, loop)])
        _print(f"shell loop ({len(loop)} pictures)", len(loop) / seconds, seconds, peak)
        one_core, two_cores, *_ = rates.values()
        print(f"two cores are {two_cores / one_core:.2f} times as fast as one")


def _print(name: str, rate: float, seconds: float, peak: int) -> None:
    print(f"{name:<26} {rate:8.1f} pictures/s {seconds:8.1f} s {peak / 2**20:8.0f} MiB", flush=True)


if __name__ == "__main__":
    main()
