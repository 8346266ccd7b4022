"""The extremes, there and back through the command line, with little memory."""

import subprocess
import sys
from pathlib import Path


def test_extremes_come_back_or_give_one_line(tmp_path: Path) -> None:
    words = [Path(__file__).with_name("run.py"), tmp_path, "--extremes", "--memory", "1"]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "ESCAPE" not in done.stdout


def test_an_escape_is_told(tmp_path: Path) -> None:
    words = [Path(__file__).with_name("run.py"), tmp_path, tmp_path / "none.png"]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "none.png: encode gave FileError" in done.stdout
