"""Worker processes, those that die among them. Pipes hold workers where the tests want them."""

import os
import signal
import threading
from pathlib import Path

import pytest

from cnnzip.batch.pool import PoolEngine
from cnnzip.batch.samples import descendants
from cnnzip.batch.storage import Stamp
from cnnzip.batch.task import Report, Task, Treatment
from cnnzip.errors import ModelNotFoundError

NOTHING = Stamp(0, "")


def workers() -> list[int]:
    """The worker processes of this one."""
    found = []
    for pid in descendants(os.getpid()):
        try:
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(pid)
        except OSError:  # it has just ended
            continue
    return found


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="this system does not tell its processes")
def test_a_file_that_kills_its_workers(many, verify_job, tmp_path) -> None:
    """It is tried twice and named; those that its worker had beside it are done, and all others."""
    pictures = sorted(many.rglob("*.png"))[:4]
    bad = tmp_path / "bad"
    os.mkfifo(bad)
    killed: set[int] = set()

    def kill_whoever_reads() -> None:
        while len(killed) < 2:
            # This waits until somebody reads, and that may still be one that was killed a moment ago.
            with bad.open("wb"):
                for pid in set(workers()) - killed:
                    os.kill(pid, signal.SIGKILL)
                    killed.add(pid)

    threading.Thread(target=kill_whoever_reads, daemon=True).start()
    sources = [pictures[0], bad, *pictures[1:]]
    engine = PoolEngine(Treatment(verify_job, 1), 1)
    reports = list(engine.run(Task(str(source), None, NOTHING) for source in sources))
    assert sorted(report.source for report in reports) == sorted(map(str, sources))
    (named,) = [report for report in reports if report.source == str(bad)]
    assert named.line == f"{bad}: its worker was killed by signal 9, twice; is there enough memory?"
    # The others are no .cnz files, which their workers lived to tell.
    assert {report.error for report in reports if report is not named} == {"NotCnzError"}
    assert (len(killed), workers()) == (2, [])


def test_workers_that_cannot_work(encode_job, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("CNNZIP_MODELS", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(ModelNotFoundError, match="no model is called 'tiny'"):
        list(PoolEngine(Treatment(encode_job, 1), 1).run([Task("x", None, NOTHING)]))
    assert workers() == []


def test_what_goes_wrong_while_files_are_looked_for(verify_job) -> None:
    def steps():
        yield Report("a", "other")
        raise ZeroDivisionError

    heard = []
    with pytest.raises(ZeroDivisionError):
        heard.extend(PoolEngine(Treatment(verify_job, 1), 1).run(steps()))
    assert workers() == []
