"""A short, seeded part of the fuzzing; `run.py` runs for any time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RUNS = {"container": 4000, "huffman": 1000, "rans": 1000, "decode": 500, "bundle": 100}


@pytest.mark.parametrize("target", RUNS)
def test_no_findings(target: str, tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="fuzzing needs atheris, of the extra dev")
    command = [sys.executable, HERE / "run.py", target, f"--runs={RUNS[target]}", f"--findings={tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{target}: {RUNS[target]:,} executions in " in done.stdout
    assert "0 findings" in done.stdout


def test_bombs() -> None:
    """Small files with large claims, under a limit on the address space."""
    done = subprocess.run([sys.executable, HERE / "bombs.py"], capture_output=True, text=True, check=False)
    assert "WRONG" not in done.stdout, done.stdout
    assert done.stdout.splitlines()[-1].startswith("54 files, "), done.stderr


def test_short_of_memory() -> None:
    """Commands that are left too little memory, then more, until it is enough."""
    done = subprocess.run([sys.executable, HERE / "short_of_memory.py"], capture_output=True, text=True, check=False)
    *lines, last = done.stdout.splitlines()
    assert last == "5 commands, 0 failures", done.stdout + done.stderr
    assert sum(": 1 " in line for line in lines) >= 8
