"""Folders, lists and many files on the command line; tests/batch has the parts."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from cnnzip.cli.batch_teller import BatchTeller

TINY = ("--model", "tiny")


@pytest.fixture
def folder(work: Path) -> Path:
    """`in/` with two pictures and a text; the current folder holds nothing else."""
    (work / "in" / "sub").mkdir(parents=True)
    shutil.copy("photo.png", "in/b.png")
    shutil.copy("photo.png", "in/sub/a.png")
    (work / "in" / "notes.txt").write_text("no picture")
    (work / "photo.png").unlink()
    return work


def test_a_folder_there_and_back(cnnzip, folder, contents) -> None:
    done = cnnzip("encode", *TINY, "-r", "in", "--output-dir", "out")
    size = Path("out/b.cnz").stat().st_size
    assert (done.code, done.stdout) == (0, b"")
    assert done.stderr.startswith("cnnzip: 2 of 2 files done, 1 other files left alone, in ")
    assert f"; {2 * 7267:,} → {2 * size:,} bytes, " in done.stderr
    assert done.stderr.count("\n") == 1
    assert set(contents()) == {"in/b.png", "in/sub/a.png", "in/notes.txt", "out/b.cnz", "out/sub/a.cnz"}
    assert cnnzip("verify", "-r", "out").stderr.startswith("cnnzip: 2 of 2 files done, in ")
    assert cnnzip("decode", "-r", "out", "--output-dir", "back", "--format", "bmp", "--quiet").stderr == ""
    assert Path("back/sub/a.bmp").read_bytes().startswith(b"BM")


def test_lines_and_records(cnnzip, folder) -> None:
    done = cnnzip("encode", *TINY, "-r", "-v", "in")
    lines = done.stderr.splitlines()
    assert lines[0].startswith("in/b.png → in/b.cnz: 7,267 → ")
    assert lines[1] == "in/notes.txt: left alone: not a file for this command"
    assert lines[2].startswith("in/sub/a.png → in/sub/a.cnz: ")
    done = cnnzip("encode", *TINY, "-r", "--json", "--force", "in")
    for record, name in zip(sorted(done.records, key=lambda record: record["input"]), ("b", "sub/a"), strict=True):
        names = {"status": "ok", "input": f"in/{name}.png", "output": f"in/{name}.cnz"}
        assert names == {key: record[key] for key in names}
        assert {"bytes", "bpp", "seconds", "notes"} <= record.keys()
    summary = json.loads(done.stderr)
    assert (summary["status"], summary["done"], summary["other"], summary["failed"]) == ("summary", 2, 3, 0)


def test_the_journal_outlives_the_summary(cnnzip, folder, monkeypatch) -> None:
    """Killed when all is done, and before that could be said: the same command knows it."""
    arguments = ("encode", *TINY, "-r", "in", "--output-dir", "out")
    with monkeypatch.context() as patch:
        patch.setattr(BatchTeller, "close", lambda self, summary: sys.exit(137))
        assert cnnzip(*arguments).code == 137
    before = Path("out/b.cnz").stat()
    done = cnnzip(*arguments)
    assert (done.code, done.stdout) == (0, b"")
    assert done.stderr.startswith("cnnzip: 0 of 2 files done, 2 were done before, 1 other files left alone, in ")
    assert Path("out/b.cnz").stat().st_mtime_ns == before.st_mtime_ns
    assert not list(Path("out").glob(".cnnzip-*"))


def test_what_exists(cnnzip, folder) -> None:
    Path("in/b.cnz").write_bytes(b"another's")
    done = cnnzip("encode", *TINY, "-r", "in")
    assert done.code == 1
    assert done.stderr.startswith(
        "cnnzip: in/b.cnz: exists; use --force to overwrite\ncnnzip: 1 of 2 files done, 1 failed"
    )
    Path("in/sub/a.cnz").unlink()
    done = cnnzip("encode", *TINY, "-r", "in", "--skip-existing", "--json")
    assert done.code == 0
    assert [(record["status"], record.get("reason")) for record in done.records] == [
        ("skipped", "the output exists"),
        ("ok", None),
    ]
    assert Path("in/b.cnz").read_bytes() == b"another's"


def test_two_pictures_of_one_name(cnnzip, folder, contents) -> None:
    shutil.copy("in/b.png", "in/b.bmp")
    done = cnnzip("encode", *TINY, "-r", "in", "--dry-run")
    assert (done.code, done.stdout) == (1, b"in/b.bmp \xe2\x86\x92 in/b.cnz\nin/sub/a.png \xe2\x86\x92 in/sub/a.cnz\n")
    assert done.stderr == "cnnzip: in/b.cnz: already the output of another input in this run\n"


def test_a_dry_run_knows_what_was_done(cnnzip, folder) -> None:
    Path("in/c.png").write_text("no picture")
    arguments = ("encode", *TINY, "in/b.png", "in/c.png", "--journal", "journal")
    assert cnnzip(*arguments).code == 1
    done = cnnzip(*arguments, "--dry-run", "--verbose")
    assert (done.code, done.stdout) == (0, b"in/c.png \xe2\x86\x92 in/c.cnz\n")
    assert done.stderr == "in/b.png: skipped: done before\n"


def test_nothing_is_touched_by_a_dry_run(cnnzip, folder, contents) -> None:
    before = contents()
    done = cnnzip("encode", *TINY, "-r", "in", "--output-dir", "out", "--rm", "--dry-run", "--json")
    assert [record["output"] for record in done.records] == ["out/b.cnz", "out/sub/a.cnz"]
    assert contents() == before
    assert not Path("out").exists()


@pytest.mark.parametrize("null", [False, True])
def test_a_list_on_standard_input(null: bool, cnnzip, folder, contents) -> None:
    names = [b"in/b.png", b"in/sub/a.png", b"none.png"]
    listed = b"".join(name + (b"\0" if null else b"\n") for name in names)
    options = ["-0"] if null else []
    done = cnnzip("encode", *TINY, "--filelist", "-", *options, "--output-dir", "out", "--jobs", "1", stdin=listed)
    assert done.code == 1
    assert done.stderr.startswith("cnnzip: none.png: no such file or directory\n")
    # The journal stays, for one file is still to be done.
    journal = next(Path("out").glob(".cnnzip-journal-*.jsonl"))
    assert {"out/in/b.cnz", "out/in/sub/a.cnz", str(journal)} < set(contents())
    shutil.copy("in/b.png", "none.png")
    done = cnnzip("encode", *TINY, "--filelist", "-", *options, "--output-dir", "out", "--jobs", "1", stdin=listed)
    assert done.code == 0
    assert done.stderr.startswith("cnnzip: 1 of 3 files done, 2 were done before, in ")
    assert not journal.exists()


def test_remove_and_least_saving(cnnzip, folder, contents) -> None:
    done = cnnzip("encode", *TINY, "-r", "in", "--rm", "--min-saving", "99.9%")
    assert (done.code, set(contents())) == (0, {"in/b.png", "in/sub/a.png", "in/notes.txt"})
    assert "0 of 2 files done, 2 skipped" in done.stderr
    assert cnnzip("encode", *TINY, "-r", "in", "--rm", "--min-saving", "5").code == 0
    assert set(contents()) == {"in/b.cnz", "in/sub/a.cnz", "in/notes.txt"}


def test_one_bad_file_of_each_kind_among_many(cnnzip, work, contents) -> None:
    good = (work / "photo.png").read_bytes()
    names = [f"{number:03}.png" for number in range(100)]
    for name in names:
        (work / name).write_bytes(good)
    (work / "010.png").write_bytes(good[:3000])
    (work / "030.png").write_bytes(good[:16] + (60_000).to_bytes(4, "big") * 2 + good[24:])
    (work / "050.png").unlink()
    (work / "050.png").symlink_to("050.png")
    (work / "070.png").write_text("no picture")
    done = cnnzip("encode", *TINY, *names, "--jobs", "2")
    assert done.code == 1
    *failures, summary = done.stderr.splitlines()
    assert sorted(failure.split(":")[1] for failure in failures) == [f" {n}.png" for n in ("010", "030", "050", "070")]
    assert summary.startswith("cnnzip: 96 of 100 files done, 4 failed, in ")
    results = {name: data for name, data in contents().items() if name.endswith(".cnz")}
    assert (len(results), len(set(results.values()))) == (96, 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-r", "in", "-o", "x.cnz"], "-o/--output goes with a single input"),
        (["-r", "-"], "- as a file goes with plain files alone; a list of names comes with --filelist -"),
        (["a.png", "--output-dir", ""], "the name of a file is empty"),
        (
            ["a.png", "-o", "x", "--output-dir", "y"],
            "-o/--output and --output-dir contradict one another; give one of them",
        ),
        (["a.png", "-0"], "-0/--null is about --filelist, which is not given"),
        (["a.png", "--scheduler", "tcp://x:1"], "--scheduler goes with --engine dask"),
        (
            ["a.png", "--force", "--skip-existing"],
            "--skip-existing and --force contradict one another; give one of them",
        ),
        (["a.png", "--keep-times", "--output-dir", "s3://x"], "--keep-times goes with files of this machine alone"),
        (["a.png", "--min-saving", "much"], "--min-saving is a percentage such as 5%, not 'much'"),
        (["a.png", "--min-saving", "101%"], "--min-saving is a percentage such as 5%, not '101%'"),
    ],
)
def test_usage(arguments: list[str], message: str, cnnzip, folder, contents) -> None:
    before = contents()
    done = cnnzip("encode", *arguments)
    assert (done.code, done.stdout, done.error) == (2, b"", message)
    assert contents() == before


def test_a_folder_without_r(cnnzip, folder) -> None:
    done = cnnzip("encode", *TINY, "in", "--skip-existing")
    assert done.code == 1
    assert done.stderr.startswith("cnnzip: in: is a directory; -r takes the files in it\n")


def test_a_list_that_is_not_there(cnnzip, folder) -> None:
    done = cnnzip("verify", "--filelist", "none")
    assert (done.code, done.error) == (1, "none: no such file or directory")


def test_an_output_folder_that_cannot_be(cnnzip, folder) -> None:
    Path("loop").symlink_to("loop")
    done = cnnzip("encode", *TINY, "-r", "in", "--output-dir", "loop/out")
    assert (done.code, done.error.startswith("loop/out: ")) == (1, True)
