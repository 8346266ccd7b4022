"""Decode the golden files in many ways, and see that the symbols are the same in all of them:

    python tests/portability/drill.py [--environments FOLDER] [--with 'numpy==2.2.* onnxruntime==1.22.*']

On 1, 2 and 8 threads; with every runtime that is installed here, and on a GPU where torch has one; then in fresh
virtual environments with the oldest versions of what decoding needs that `pyproject.toml` admits, with the newest, and
with those of `--with`. Every hash of symbols must be the one in `tests/golden/good/index.json`, and no pixel may be
further than 1 from the PNG there (OpenVINO rounds to bfloat16 where the CPU does: its distance is told and not judged).
The exit code is 1 where anything differs. `--here` leaves out the environments, which pip fills from its index.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
THREADS = (1, 2, 8)
RUNTIMES = ("onnx", "torch", "openvino", "cuda")
TOLERANCE = 1.0
DECODING = ("numpy", "pillow", "onnxruntime", "safetensors", "constriction", "dahuffman")
"""Dependencies that files and bundles are read with."""


@dataclass
class Drill:
    """What was seen so far of the golden files in a folder."""

    golden: Path
    problems: list[str] = field(default_factory=list)
    agreeing: "Counter[str]" = field(default_factory=Counter)
    named: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        index = json.loads((self.golden / "good" / "index.json").read_text(encoding="utf-8"))
        self.expected: dict[str, str] = {name: entry["symbols_sha256"] for name, entry in index.items()}

    def try_out(self, name: str, python: str, threads: int, runtimes: Sequence[str]) -> None:
        """Decode all with one interpreter, and print a line for each runtime."""
        report = probe(python, self.golden, threads, runtimes)
        told = ", ".join(f"{package} {version}" for package, version in report["versions"].items())
        if name not in self.named:
            self.named.add(name)
            print(f"{name}: {report['machine']}, {told}")
        for runtime, files in report["runtimes"].items():
            where = f"{name}, {threads} threads, {runtime}"
            if isinstance(files, str):
                print(f"  {runtime:<8} {threads} threads: {files}")
                continue
            self._judge(where, runtime, files)
            same = sum(self.expected.get(file) == one["symbols_sha256"] for file, one in files.items())
            furthest = max(one["difference"] for one in files.values())
            print(
                f"  {runtime:<8} {threads} threads: {same} of {len(self.expected)} hashes, pixels within {furthest:g}"
            )

    def _judge(self, where: str, runtime: str, files: dict[str, Any]) -> None:
        for file in self.expected.keys() ^ files.keys():
            self.problems.append(f"{where}: {file} is in only one of the folder and its index")
        for file in self.expected.keys() & files.keys():
            one = files[file]
            if one["symbols_sha256"] == self.expected[file]:
                self.agreeing[file] += 1
            else:
                self.problems.append(f"{where}: {file} has other symbols: {one['symbols_sha256']}")
            if one["difference"] > TOLERANCE and runtime != "openvino":
                self.problems.append(f"{where}: a pixel of {file} is off by {one['difference']:g}")


def probe(python: str, golden: Path, threads: int, runtimes: Sequence[str]) -> dict[str, Any]:
    """What `probe.py` says, run by an interpreter of some environment, with this checkout of cnnzip.

    Raises:
        subprocess.CalledProcessError: it failed, and has said why on standard error.
    """
    words = [python, Path(__file__).with_name("probe.py"), golden, str(threads), *runtimes]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def requirements() -> tuple[list[str], list[str]]:
    """The base dependencies of `pyproject.toml`: with the oldest versions of what decoding needs, and with any."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    admitted: list[str] = project["dependencies"]
    oldest = [re.sub(r">=([\d.]+).*", r"==\1", one) if name_of(one) in DECODING else one for one in admitted]
    return oldest, admitted


def name_of(requirement: str) -> str:
    """The package in `numpy>=2.0`."""
    return re.split(r"[=<>~!]", requirement)[0]


def environments(folder: Path, chosen: str | None) -> Iterator[tuple[str, str]]:
    """(name, interpreter) of fresh environments, made one by one in a folder; those that are there are used again.

    Raises:
        subprocess.CalledProcessError: pip could not fill one, and has said why.
    """
    oldest, admitted = requirements()
    wanted = {"oldest": oldest, "newest": admitted}
    if chosen:
        own = chosen.split()
        names = [name_of(one) for one in own]
        wanted["chosen"] = [*own, *(one for one in admitted if name_of(one) not in names)]
    for name, packages in wanted.items():
        python = folder / name / "bin" / "python"
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", folder / name], check=True)
        words = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", *packages]
        subprocess.run(words, check=True)
        yield name, str(python)


def main() -> int:
    """The drill as a command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--golden", type=Path, default=ROOT / "tests" / "golden", help="the folder of the golden files")
    parser.add_argument("--here", action="store_true", help="only in the environment that runs this")
    parser.add_argument("--threads", type=int, nargs="+", default=THREADS)
    parser.add_argument("--runtimes", nargs="+", default=RUNTIMES, choices=RUNTIMES)
    parser.add_argument("--environments", type=Path, help="where to make the environments, and to keep them")
    parser.add_argument("--with", dest="chosen", metavar="PACKAGES", help="one more environment, with these versions")
    options = parser.parse_args()
    drill = Drill(options.golden)
    for threads in options.threads:
        # The threads are the CPU's.
        runtimes = [one for one in options.runtimes if one != "cuda" or threads == options.threads[0]]
        drill.try_out("installed", sys.executable, threads, runtimes)
    if not options.here:
        with tempfile.TemporaryDirectory() as scratch:
            for name, python in environments(options.environments or Path(scratch), options.chosen):
                for threads in options.threads:
                    drill.try_out(name, python, threads, ["onnx"])
    for file, digest in drill.expected.items():
        print(f"{digest}  {file}: {drill.agreeing[file]} times")
    for problem in drill.problems:
        print(problem, file=sys.stderr)
    print(f"{len(drill.problems)} differences" if drill.problems else "no difference")
    return bool(drill.problems)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"drill: {error}")
