"""What only a process of its own shows: signals, pipes that break, full disks, other encodings."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cnnzip.batch.samples import descendants

Start = Callable[..., "subprocess.Popen[bytes]"]
ROOT = Path(__file__).parents[2]


def environment() -> dict[str, str]:
    # Buffered, as for a user: only then is there something left to write at the end.
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""}


def default_interrupt() -> None:
    # Where the tests run in the background, the shell has told them, and so their children, to ignore it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def start(work: Path) -> Start:
    """Starts `python -m cnnzip` with arguments in the current folder."""

    def call(*arguments: str, **options: object) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "cnnzip", *arguments]
        variables = environment() | options.pop("env", {})
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL} | options
        return subprocess.Popen(command, env=variables, preexec_fn=default_interrupt, **options)

    return call


def end(process: "subprocess.Popen[bytes]") -> tuple[int, bytes, str]:
    stdout, stderr = process.communicate(timeout=60)
    return process.returncode, stdout or b"", stderr.decode()


def is_worker(pid: int) -> bool:
    """Whether there is a process of this number that another one has spawned."""
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt(number: signal.Signals, start, work, contents) -> None:
    os.mkfifo("slow.png")
    # Open both ways, so that neither side waits for the other to open it.
    pipe = os.open("slow.png", os.O_RDWR)
    process = start("encode", "--model", "tiny", "photo.png", "slow.png")
    # The first picture is done, and the process waits for the second, or is about to.
    assert process.stderr.readline().decode().startswith("photo.png → photo.cnz: ")
    process.send_signal(number)
    # Where the signal came just before the read began, this ends the read.
    os.write(pipe, b"x")
    code, _, stderr = end(process)
    os.close(pipe)
    assert (code, stderr) == (130, "cnnzip: interrupted\n")
    assert set(contents()) == {"photo.png", "photo.cnz"}


@pytest.mark.parametrize("engine", ["local", "dask"])
def test_interrupt_of_a_batch(engine: str, start, work, contents, cnnzip) -> None:
    """What is in flight is dropped, no worker is left, and the same command does the rest."""
    if engine == "dask":
        pytest.importorskip("distributed", reason="the extra 'dask' is not installed")
    os.mkfifo("slow.png")
    arguments = ("encode", "--model", "tiny", "--jobs", "2", "--journal", "journal", "photo.png", "slow.png")
    process = start(*arguments, "--verbose", "--engine", engine)
    assert process.stderr.readline().decode().startswith("photo.png → photo.cnz: ")
    started = descendants(process.pid)
    process.send_signal(signal.SIGINT)
    code, _, stderr = end(process)
    assert [pid for pid in started if is_worker(pid)] == []
    assert (code, stderr) == (130, "cnnzip: interrupted; 1 files are done, and the same command does the rest\n")
    assert set(contents()) == {"photo.png", "photo.cnz", "journal"}
    Path("slow.png").unlink()
    shutil.copy("photo.png", "slow.png")
    done = cnnzip(*arguments)
    assert done.code == 0
    assert done.stderr.startswith("cnnzip: 1 of 2 files done, 1 were done before, in ")
    assert set(contents()) == {"photo.png", "photo.cnz", "slow.png", "slow.cnz"}
    assert (work / "photo.cnz").read_bytes() == (work / "slow.cnz").read_bytes()


@pytest.mark.parametrize("command", ["decode", "info", "models", "--help"])
def test_the_reader_has_left(command: str, start, encoded) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    arguments = {"decode": ["photo.cnz", "-o", "-"], "info": ["photo.cnz"]}.get(command, [])
    process = start(command, *arguments, stdout=writing)
    os.close(writing)
    assert end(process) == (1, b"", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("command", ["decode", "info"])
def test_no_space_on_standard_output(command: str, start, encoded) -> None:
    with Path("/dev/full").open("wb") as full:
        process = start(command, "photo.cnz", *(["-o", "-"] if command == "decode" else []), stdout=full)
    code, _, stderr = end(process)
    assert code == 1
    assert stderr.lower().endswith("standard output: no space left on device\n")
    assert stderr.count("\n") == 1


def test_standard_streams_are_closed(encoded) -> None:
    for arguments, message in {
        "decode photo.cnz -o - >&-": "standard output is closed",
        "decode - -o x.png <&-": "standard input is closed",
    }.items():
        script = f"exec '{sys.executable}' -m cnnzip {arguments}"
        done = subprocess.run(["sh", "-c", script], env=environment(), capture_output=True, check=False)
        assert (done.returncode, done.stderr.decode()) == (1, f"cnnzip: {message}\n")


def test_pipes(start, work, photo_file) -> None:
    encode = start("encode", "--model", "tiny", "-", stdin=subprocess.PIPE)
    data, told = encode.communicate(photo_file.read_bytes(), timeout=60)
    assert encode.returncode == 0
    assert told.decode().startswith("standard input → standard output: 7,267 → ")
    decode = start("decode", "-", stdin=subprocess.PIPE)
    picture, _ = decode.communicate(data, timeout=60)
    assert decode.returncode == 0
    assert picture.startswith(b"\x89PNG")


def test_binary_data_is_not_written_to_a_terminal(start, encoded) -> None:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = start("decode", "photo.cnz", "-o", "-", stdout=theirs)
    code, _, stderr = end(process)
    os.close(theirs)
    os.close(ours)
    assert code == 2
    assert stderr == "cnnzip: will not write binary data to a terminal; give -o FILE or a pipe\n"


def test_an_encoding_that_cannot_say_it(start, encoded) -> None:
    encoded.rename("été→.cnz")
    code, stdout, stderr = end(start("info", "été→.cnz", env={"PYTHONIOENCODING": "ascii"}))
    assert (code, stderr) == (0, "")
    assert stdout.startswith(rb"\xe9t\xe9\u2192.cnz: 96\xd764 RGB")


@pytest.mark.parametrize("threads", ["1", "8"])
def test_the_symbols_do_not_depend_on_threads(threads: str, start, encoded, cnnzip) -> None:
    limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
    code, stdout, _ = end(start("verify", "--json", "photo.cnz", env=limits))
    assert code == 0
    assert stdout == cnnzip("verify", "--json", "photo.cnz").stdout


def test_help_of_every_command(start) -> None:
    code, stdout, stderr = end(start("--help"))
    assert (code, stderr) == (0, "")
    for command in ("encode", "decode", "info", "verify", "explain", "models", "train", "bench"):
        assert f"\n  {command} ".encode() in stdout
