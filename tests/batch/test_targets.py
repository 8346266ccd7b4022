from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnzip.batch.sources import Source
from cnnzip.batch.storage import Stamp
from cnnzip.batch.targets import Names, Naming, Targets
from cnnzip.errors import FileError


def source(name: str, relative: str | None = None) -> Source:
    return Source(name, relative or Path(name).name, Stamp(1, "1"))


@pytest.mark.parametrize(
    ("naming", "name", "relative", "target"),
    [
        (Naming(".cnz"), "a/b.c.png", None, "a/b.c.cnz"),
        (Naming(".cnz"), "a/noext", None, "a/noext.cnz"),
        (Naming(".cnz", folder="out"), "in/s/b.png", "s/b.png", "out/s/b.cnz"),
        (Naming(".cnz", folder="out"), "in/.x", ".x", "out/.x.cnz"),
        (Naming(".cnz", folder="s3://bucket/out/"), "in/s/b.png", "s/b.png", "s3://bucket/out/s/b.cnz"),
        (Naming(".png"), "s3://bucket/a.b/c.cnz", "c.cnz", "s3://bucket/a.b/c.png"),
        (Naming(".png", folder="out"), "s3://bucket/a/c.cnz", "a/c.cnz", "out/a/c.png"),
        (Naming(".cnz", output="x.y"), "in/a.png", None, "x.y"),
        (Naming(".png", mark="-m"), "a/b.c.jpg", None, "a/b.c-m.png"),
        (Naming(".png", mark="-m"), "s3://bucket/a/b.jpg", None, "s3://bucket/a/b-m.png"),
        # In another folder nothing is in the way of its own name.
        (Naming(".png", folder="out", mark="-m"), "in/s/b.jpg", "s/b.jpg", "out/s/b.png"),
        (Naming(".png", folder="in", mark="-m"), "in/s/b.jpg", "s/b.jpg", "in/s/b-m.png"),
        (Naming(".png", folder="in/", mark="-m"), "./in/b.jpg", "b.jpg", "in/b-m.png"),
        (Naming(".png", folder="s3://bucket/a", mark="-m"), "s3://bucket/a/b.jpg", "b.jpg", "s3://bucket/a/b-m.png"),
        (Naming(".png", output="x.y", mark="-m"), "in/a.png", None, "x.y"),
    ],
)
def test_names(naming: Naming, name: str, relative: str | None, target: str) -> None:
    assert naming.of(source(name, relative)) == target


def test_two_sources_for_one_name(tmp_path) -> None:
    targets = Targets(Naming(".cnz", folder=str(tmp_path / "out")))
    assert targets.claim(source("a.png")) == (str(tmp_path / "out/a.cnz"), False)
    with pytest.raises(FileError, match=r"/out/a\.cnz: already the output of another input in this run$"):
        targets.claim(source("a.jpg"))
    assert targets.claim(source("a.jpg", "b/a.jpg"))[0].endswith("/out/b/a.cnz")
    assert (tmp_path / "out/b").is_dir()


def test_two_ways_to_one_folder(tmp_path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real", target_is_directory=True)
    targets = Targets(Naming(".cnz"))
    targets.claim(source(str(tmp_path / "real/a.png")))
    with pytest.raises(FileError, match="already the output of another"):
        targets.claim(source(str(tmp_path / "link/a.jpg")))


def test_the_source_is_never_its_own_target(tmp_path) -> None:
    (tmp_path / "a.cnz").write_bytes(b"x")
    (tmp_path / "b.png").symlink_to("a.cnz")
    for name in ("a.cnz", "b.png"):
        with pytest.raises(FileError, match="the output would replace the input"):
            Targets(Naming(".cnz", output=str(tmp_path / "a.cnz"))).claim(source(str(tmp_path / name)))


def test_what_is_there_is_told(tmp_path) -> None:
    for name in ("a.png", "b.png", "a.cnz"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "b.cnz").mkdir()
    targets = Targets(Naming(".cnz"))
    assert targets.claim(source(str(tmp_path / "a.png")))[1] is True
    with pytest.raises(FileError, match="is a directory"):
        targets.claim(source(str(tmp_path / "b.png")))


def test_folders_are_cleared_of_what_the_dead_have_left(tmp_path) -> None:
    (tmp_path / ".cnnzip-0123456789abcdef.tmp").write_bytes(b"half")
    Targets(Naming(".cnz"), touch=False).claim(source(str(tmp_path / "a.png")))
    assert [path.name for path in tmp_path.iterdir()] == [".cnnzip-0123456789abcdef.tmp"]
    Targets(Naming(".cnz")).claim(source(str(tmp_path / "a.png")))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path) -> None:
    (tmp_path / "out").write_bytes(b"a file")
    with pytest.raises(FileError, match=r"/out: not a directory$"):
        Targets(Naming(".cnz", folder=str(tmp_path / "out"))).claim(source("a.png"))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text(max_size=3)))
def test_a_name_is_given_away_once(wanted: list[str]) -> None:
    names = Names()
    taken: set[str] = set()
    for name in wanted:
        assert names.take(name) == (name not in taken)
        taken.add(name)
