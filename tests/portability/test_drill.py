"""The drill sees what differs; that nothing does is what the drill itself and tests/golden/test_golden.py say."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_other_symbols_and_other_pixels_are_told(tmp_path: Path) -> None:
    index = {}
    (tmp_path / "good").mkdir()
    (tmp_path / "models").symlink_to(TESTS / "golden" / "models")
    original = json.loads((TESTS / "golden" / "good" / "index.json").read_text())
    for name in ("one-row", "one-pixel", "hyper-one-pixel"):
        index[name] = original[name]
        for suffix in (".cnz", ".png"):
            shutil.copy(TESTS / "golden" / "good" / f"{name}{suffix}", tmp_path / "good")
    index["one-pixel"]["symbols_sha256"] = index["one-row"]["symbols_sha256"]
    shutil.copy(tmp_path / "good" / "one-pixel.png", tmp_path / "good" / "hyper-one-pixel.png")
    (tmp_path / "good" / "index.json").write_text(json.dumps(index))
    words = [TESTS / "portability" / "drill.py", "--golden", tmp_path, "--here", "--threads", "1", "--runtimes", "onnx"]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.endswith("2 differences\n")
    where = "installed, 1 threads, onnx:"
    told = sorted(done.stderr.splitlines())
    assert told[0].startswith(f"{where} a pixel of hyper-one-pixel is off by ")
    assert told[1].startswith(f"{where} one-pixel has other symbols: ")
