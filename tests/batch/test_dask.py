"""A Dask cluster: two processes that are reached over TCP, of which one is killed in the middle."""

import os
import signal
from collections import Counter
from dataclasses import dataclass

import pytest

from cnnzip.batch import storage
from cnnzip.batch.dask_engine import DaskEngine
from cnnzip.batch.job import Outcome
from cnnzip.batch.task import Report, Task, Treatment
from cnnzip.errors import BatchError

distributed = pytest.importorskip("distributed", reason="the extra 'dask' is not installed")


@pytest.fixture
def cluster(installed_tiny):
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=2, protocol="tcp://", dashboard_address=None, silence_logs=50
    ) as cluster:
        yield cluster


def test_a_worker_is_killed_in_the_middle(cluster, tree, tmp_path, encode_job) -> None:
    assert cluster.scheduler_address.startswith("tcp://127.0.0.1:")
    pids = [worker.pid for worker in cluster.workers.values()]
    assert len(set(pids) | {os.getpid()}) == 3
    sources = [str(path) for path in sorted(tree.rglob("*.png"))]
    tasks = [Task(source, source.replace(".png", ".cnz"), storage.stamp(source)) for source in sources]
    engine = DaskEngine(Treatment(encode_job), 2, cluster.scheduler_address)
    reports = []
    for report in engine.run([Report("x.txt", "other"), *tasks, Task("none.png", None, storage.Stamp(0, ""))]):
        reports.append(report)
        if len(reports) == 4:
            os.kill(pids[0], signal.SIGKILL)
    assert Counter(report.source for report in reports) == Counter(["x.txt", *sources, "none.png"])
    assert Counter(report.status for report in reports) == {"ok": len(sources), "other": 1, "error": 1}
    assert sorted(path.suffix for path in tree.rglob("*") if path.is_file()) == sorted([".cnz", ".png"] * len(sources))
    for task in tasks:
        encode_job.check(storage.read(task.target))


def test_a_file_that_kills_its_workers(tmp_path) -> None:
    """It costs three workers and is named; those that its workers had beside it are done, and all others."""

    # The workers cannot import this file, and so are sent what stands within a function.
    @dataclass(frozen=True)
    class Killer:
        def open(self, threads: int):
            def work(given: bytes) -> Outcome:
                with (tmp_path / "given").open("ab") as file:
                    file.write(given)
                if given == b"k":
                    os.kill(os.getpid(), signal.SIGKILL)
                return Outcome(None, given.decode())

            return work

    for name in "abkc":
        (tmp_path / name).write_text(name)
    tasks = [Task(str(tmp_path / name), None, storage.stamp(str(tmp_path / name))) for name in "abkc"]
    reports = list(DaskEngine(Treatment(Killer()), 1, None).run(tasks))
    assert sorted(report.source for report in reports) == sorted(task.source for task in tasks)
    assert sorted(report.line for report in reports) == [
        f"{tmp_path}/k: its worker died, 3 times; is there enough memory?",
        *"abc",
    ]
    assert (tmp_path / "given").read_bytes().count(b"k") == 3


def test_nobody_answers(verify_job, monkeypatch) -> None:
    monkeypatch.setattr("cnnzip.batch.dask_cluster.CONNECT_SECONDS", 0.2)
    with pytest.raises(BatchError, match=r"^tcp://127\.0\.0\.1:9: no Dask scheduler answers \("):
        list(DaskEngine(Treatment(verify_job), 1, "tcp://127.0.0.1:9").run([]))
