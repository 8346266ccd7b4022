"""What a worker does to one file, and what the plan makes of what it finds."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from cnnzip.batch import storage
from cnnzip.batch.engine import InlineEngine
from cnnzip.batch.journal import Journal
from cnnzip.batch.plan import Plan
from cnnzip.batch.sources import Selection, find
from cnnzip.batch.storage import Stamp
from cnnzip.batch.targets import Naming, Targets
from cnnzip.batch.task import Report, Task, Treatment, Worker
from cnnzip.codec.inspect import verify


@pytest.fixture
def one(tree: Path) -> Path:
    """One of the pictures."""
    return tree / "0" / "00000.png"


def task(source: Path, **options: object) -> Task:
    return Task(str(source), str(source.with_suffix(".cnz")), storage.stamp(str(source)), **options)


def test_a_file(one, encode_job) -> None:
    report = Worker(Treatment(encode_job, 1)).treat(task(one))
    data = one.with_suffix(".cnz").read_bytes()
    assert verify(data)
    assert (report.status, report.fields["bytes"], report.target) == ("ok", len(data), str(one.with_suffix(".cnz")))
    assert report.stamp == storage.stamp(str(one))
    assert report.target_stamp == storage.stamp(report.target)


def test_what_is_there_already(one, encode_job) -> None:
    worker, target = Worker(Treatment(encode_job, 1)), one.with_suffix(".cnz")
    worker.treat(task(one))
    # A task that came to its end and could not say so is done once more, and all is well.
    assert worker.treat(task(one)).status == "ok"
    target.write_bytes(b"another's")
    report = worker.treat(task(one))
    assert (report.status, report.error) == ("error", "OutputExistsError")
    assert target.read_bytes() == b"another's"
    assert worker.treat(task(one, force=True)).status == "ok"
    assert verify(target.read_bytes())


def test_remove(one, encode_job) -> None:
    worker = Worker(Treatment(encode_job, 1, remove=True))
    given = task(one)
    assert worker.treat(given).status == "ok"
    assert not one.exists()
    assert verify(one.with_suffix(".cnz").read_bytes())
    # Another worker may have died just behind the removal.
    assert worker.treat(given).status == "ok"
    one.with_suffix(".cnz").write_bytes(b"no result")
    assert worker.treat(given).error == "NotCnzError"
    one.with_suffix(".cnz").unlink()
    assert worker.treat(given).line == f"{one}: no such file or directory"


@pytest.mark.parametrize("fault", ["other bytes", "unsound", "changed source"])
def test_the_source_is_kept_where_anything_is_amiss(fault: str, one, encode_job, monkeypatch) -> None:
    worker = Worker(Treatment(encode_job, 1, remove=True))
    before, read = one.read_bytes(), storage.read
    if fault == "other bytes":
        monkeypatch.setattr(storage, "read", lambda name: read(name)[: -1 if name.endswith(".cnz") else None])
    elif fault == "unsound":
        work = worker.work
        monkeypatch.setattr(worker, "work", lambda data: replace(work(data), data=b"\xc3CNZ unsound"))
    else:
        work = worker.work
        monkeypatch.setattr(worker, "work", lambda data: (os.utime(one, ns=(1, 1)), work(data))[1])
    report = worker.treat(task(one))
    assert report.status == "error"
    assert one.read_bytes() == before


def test_times_and_saving(one, encode_job) -> None:
    os.utime(one, ns=(10**18, 10**18 + 5))
    assert Worker(Treatment(encode_job, 1, keep_times=True)).treat(task(one)).status == "ok"
    assert one.with_suffix(".cnz").stat().st_mtime_ns == 10**18 + 5
    one.with_suffix(".cnz").unlink()
    report = Worker(Treatment(encode_job, 1, min_saving=0.99, remove=True)).treat(task(one))
    assert (report.status, report.target) == ("skipped", None)
    assert report.line.endswith(", less than 99.0%")
    assert one.exists()
    assert not one.with_suffix(".cnz").exists()


def test_a_fault_of_ours_costs_one_file(one, encode_job, monkeypatch) -> None:
    worker = Worker(Treatment(encode_job, 1))
    monkeypatch.setattr(worker, "work", lambda data: data.none)
    report = worker.treat(task(one))
    assert report.line == "internal error: AttributeError: 'bytes' object has no attribute 'none'"
    monkeypatch.setattr(worker, "work", lambda data: bytes(1 << 60))
    assert worker.treat(task(one)).line == f"{one}: not enough memory"


@pytest.fixture
def go(tree: Path, tmp_path: Path, encode_job):
    """Goes through the tree with a journal; what became of each file."""

    def call(**options: object) -> dict[str, Report]:
        selection = Selection((str(tree),), recursive=True)
        journal = Journal(tmp_path / "journal", "test")
        plan = Plan(Targets(Naming(".cnz", folder=str(tmp_path / "out"))), journal=journal, **options)
        reports = {}
        for report in InlineEngine(Treatment(encode_job, 1)).run(
            plan.steps(find(selection, (), encode_job.recognises))
        ):
            if report.stamp:
                journal.done(report.source, report.stamp, report.target_stamp)
            reports[Path(report.source).name] = report
        journal.close(finished=False)
        return reports

    return call


def test_going_on(go, tree, tmp_path, photo_file) -> None:
    assert {report.status for report in go().values()} == {"ok"}
    out = sorted((tmp_path / "out").rglob("*.cnz"))
    before = {path.name: path.read_bytes() for path in out}
    assert len(before) == 16
    out[0].unlink()  # lost
    out[1].write_bytes(b"another's")
    changed = next(tree.rglob(f"{out[2].stem}.png"))
    changed.write_bytes(photo_file.read_bytes())
    reports = go()
    again = {path.name: path.read_bytes() for path in out}
    assert (again[out[0].name], again[out[1].name]) == (before[out[0].name], b"another's")
    assert again[out[2].name] != before[out[2].name]
    statuses = [reports[f"{path.stem}.png"].status for path in out]
    assert statuses == ["ok", "error", "ok", *["skipped"] * 13]
    assert reports[f"{out[3].stem}.png"].line == "done before"


def test_a_result_that_nobody_noted(go, tree, tmp_path, encode_job) -> None:
    """A crash between the file's rename and the journal's line: known to be begun, and there."""
    sources = [str(path) for path in sorted(tree.rglob("*.png"))]
    journal = Journal(tmp_path / "journal", "test")
    journal.begin(sources[:1])
    journal.close(finished=False)
    for source in sources[:2]:
        target = Path(str(source).replace(str(tree), str(tmp_path / "out"))).with_suffix(".cnz")
        target.parent.mkdir(parents=True, exist_ok=True)
        Worker(Treatment(encode_job, 1)).treat(Task(source, str(target), Stamp(1, "")))
    reports = go()
    assert [reports[Path(source).name].status for source in sources[:3]] == ["ok", "error", "ok"]
    assert reports[Path(sources[1]).name].line.endswith(": exists; use --force to overwrite")


def test_skip_existing_and_force(go, tree, tmp_path) -> None:
    target = tmp_path / "out" / "0" / "00000.cnz"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"another's")
    assert go(skip_existing=True)["00000.png"].line == "the output exists"
    assert target.read_bytes() == b"another's"
    assert go(force=True)["00000.png"].status == "ok"
    assert verify(target.read_bytes())
