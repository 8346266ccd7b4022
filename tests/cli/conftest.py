"""The command line, run within this process; tests/cli/test_process.py runs it as one of its own."""

import io
import json
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cnnzip.cli.app import run as run_app


@dataclass(frozen=True)
class Result:
    code: int
    stdout: bytes
    stderr: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """The JSON records on standard output."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def error(self) -> str:
        """The one line that an error may take."""
        assert self.stderr.startswith("cnnzip: ")
        assert self.stderr.count("\n") == 1
        return self.stderr.removeprefix("cnnzip: ").removesuffix("\n")


Cnnzip = Callable[..., Result]


@pytest.fixture
def cnnzip(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Iterator[Cnnzip]:
    """Runs `cnnzip` with arguments, and `stdin` as its standard input."""
    handler = signal.getsignal(signal.SIGTERM)

    def call(*arguments: str | Path, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "argv", ["cnnzip", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            run_app()
        captured = capsysbinary.readouterr()
        return Result(ended.value.code, captured.out, captured.err.decode())

    yield call
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def work(installed_tiny: Path, tmp_path: Path, photo_file: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: `photo.png`, and nothing else; the model `tiny` is installed."""
    shutil.copy(photo_file, tmp_path / "photo.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def encoded(cnnzip: Cnnzip, work: Path) -> Path:
    """`photo.cnz`, the only file in the current folder."""
    assert cnnzip("encode", "--model", "tiny", "--quiet", "photo.png").code == 0
    (work / "photo.png").unlink()
    return work / "photo.cnz"


@pytest.fixture
def contents(work: Path) -> Callable[[], dict[str, bytes]]:
    """Every file below the current folder, temporary and hidden ones included, with its bytes."""
    return lambda: {str(f.relative_to(work)): f.read_bytes() for f in sorted(work.rglob("*")) if f.is_file()}
