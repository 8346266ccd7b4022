"""How long whole processes take, beside the bare interpreter.

    python -m cnnzip.bench.start PICTURE [--runs 9]

Every command runs in a fresh process, warm file cache; the median of the runs, in milliseconds.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from cnnzip.bench.cold import installed_environment


def median_ms(command: list[str], runs: int) -> float:
    """Median wall time of `command`, in milliseconds; RuntimeError where it fails."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        result = subprocess.run(command, capture_output=True, env=installed_environment())
        times.append(1e3 * (time.perf_counter() - start))
        if result.returncode:
            raise RuntimeError(f"{' '.join(command)}: {result.stderr.decode(errors='replace').strip()}")
    return statistics.median(times)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Cold times of whole processes.")
    parser.add_argument("picture", type=Path)
    parser.add_argument("--runs", type=int, default=9)
    arguments = parser.parse_args()
    cnnzip = [sys.executable, "-m", "cnnzip"]
    with tempfile.TemporaryDirectory() as scratch:
        coded, decoded = f"{scratch}/x.cnz", f"{scratch}/x.png"
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "import torch": [sys.executable, "-c", "import torch"],
            "cnnzip --help": [*cnnzip, "--help"],
            "cnnzip encode": [*cnnzip, "encode", "--force", str(arguments.picture), "-o", coded],
            "cnnzip info": [*cnnzip, "info", coded],
            "cnnzip verify": [*cnnzip, "verify", coded],
            "cnnzip decode": [*cnnzip, "decode", "--force", coded, "-o", decoded],
        }
        for name, command in commands.items():
            try:
                print(f"{name:<16} {median_ms(command, arguments.runs):7.0f} ms")
            except RuntimeError as error:
                print(f"{name:<16} {error}")


if __name__ == "__main__":
    main()
