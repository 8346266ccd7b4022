import io
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnzip.batch.sources import Made, Other, Selection, Source, Unusable, count, find, names_in
from cnnzip.errors import FileError


def wanted(head: bytes, name: str) -> bool:
    return head.startswith(b"yes")


def found(*arguments: str | Path, listed: tuple[str, ...] = (), **options: object) -> list[Source | Unusable | Other]:
    selection = Selection(tuple(map(str, arguments)), **{"recursive": True} | options)
    return list(find(selection, listed, wanted))


def relatives(*arguments: str | Path, **options: object) -> list[str]:
    return [source.relative for source in found(*arguments, **options) if isinstance(source, Source)]


def fill(folder: Path, *names: str, content: bytes = b"yes") -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_order_is_by_name_and_files_come_first(tmp_path) -> None:
    fill(tmp_path, "b/2", "b/10", "a/z", "c", "B", "a/a/x", "é")
    assert relatives(tmp_path) == ["B", "c", "é", "a/z", "a/a/x", "b/10", "b/2"]


def test_content_decides_in_folders_and_the_rest_is_counted(tmp_path) -> None:
    fill(tmp_path, "a.txt", "b")
    fill(tmp_path, "c.png", "empty", content=b"no")
    os.mkfifo(tmp_path / "pipe")
    kinds = {Path(each.name).name: type(each) for each in found(tmp_path)}
    assert kinds == {"a.txt": Source, "b": Source, "c.png": Other, "empty": Other, "pipe": Other}


def test_what_is_named_is_taken_whatever_it_is(tmp_path) -> None:
    fill(tmp_path, "x.png", content=b"no")
    (source,) = found(tmp_path / "x.png", recursive=False)
    assert isinstance(source, Source)
    assert (source.relative, source.stamp.size) == ("x.png", 2)


def test_patterns(tmp_path) -> None:
    fill(tmp_path, "a.png", "a.jpg", "raw/b.png", "sub/raw.png", "sub/c.png", "sub/deep/d.png")
    assert relatives(tmp_path, include=("*.jpg",)) == ["a.jpg"]
    assert relatives(tmp_path, include=("sub/*.png",)) == ["sub/c.png", "sub/raw.png", "sub/deep/d.png"]
    assert relatives(tmp_path, exclude=("raw", "*.jpg")) == ["a.png", "sub/c.png", "sub/raw.png", "sub/deep/d.png"]
    assert relatives(tmp_path, include=("*.png",), exclude=("sub/*",)) == ["a.png", "raw/b.png"]
    assert relatives(tmp_path / "a.jpg", include=("*.png",)) == ["a.jpg"]


def test_links(tmp_path) -> None:
    fill(tmp_path, "in/a", "in/sub/b", "elsewhere/c")
    (tmp_path / "in/loop").symlink_to(tmp_path / "in", target_is_directory=True)
    (tmp_path / "in/sub/up").symlink_to("..", target_is_directory=True)
    (tmp_path / "in/file").symlink_to(tmp_path / "elsewhere/c")
    (tmp_path / "in/dangling").symlink_to("nowhere")
    (tmp_path / "link").symlink_to("in", target_is_directory=True)
    for root in ("in", "link"):
        assert relatives(tmp_path / root) == ["a", "file", "sub/b"]
        problems = [each for each in found(tmp_path / root) if isinstance(each, Unusable)]
        assert [str(problem.error).removeprefix(f"{tmp_path}/") for problem in problems] == [
            f"{root}/dangling: no such file or directory"
        ]


def test_our_own_files_and_the_output_are_passed_over(tmp_path) -> None:
    fill(tmp_path, "a", "out/b", ".hidden", ".cnnzip-0123456789abcdef.tmp", ".cnnzip-journal-0.jsonl", "s/out/c")
    assert relatives(tmp_path, leave_out=str(tmp_path / "out")) == [".hidden", "a", "s/out/c"]


def test_results_of_the_same_command_are_known_by_their_names(tmp_path) -> None:
    fill(tmp_path, "a.png", "a-done.png", "s/b-done.x", "-done/c.png")
    fill(tmp_path, "d-done.png", content=b"no")
    kinds = {Path(each.name).name: type(each) for each in found(tmp_path, mark="-done")}
    assert kinds == {"a.png": Source, "a-done.png": Made, "b-done.x": Made, "c.png": Source, "d-done.png": Other}
    assert [type(each) for each in found(tmp_path / "a-done.png", mark="-done")] == [Source]


def test_names_that_are_no_files(tmp_path) -> None:
    (tmp_path / "folder").mkdir()
    names = [str(tmp_path / name) for name in ("none", "nul\0", "folder", "a" * 300)]
    problems = found(*names, recursive=False)
    assert [type(problem) for problem in problems] == [Unusable] * 4
    assert all(isinstance(problem.error, FileError) and str(problem.error).isprintable() for problem in problems)
    assert str(problems[2].error).endswith("folder: is a directory; -r takes the files in it")


def test_a_list_keeps_its_paths(tmp_path, monkeypatch) -> None:
    fill(tmp_path, "a/b.png", "c.png")
    monkeypatch.chdir(tmp_path)
    sources = found(listed=("./a/b.png", "a/../c.png", str(tmp_path / "c.png")))
    assert [source.relative for source in sources] == ["a/b.png", "a/c.png", f"{str(tmp_path)[1:]}/c.png"]


@given(st.lists(st.binary(min_size=1, max_size=9)), st.booleans(), st.booleans(), st.integers(1, 5))
def test_lists_of_any_names(names: list[bytes], null: bool, ended: bool, chunk: int) -> None:
    separator = b"\0" if null else b"\n"
    names = [name.replace(separator, b"x") for name in names]
    text = separator.join(names) + separator * ended

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(chunk)

    assert [os.fsencode(name) for name in names_in(Slow(text), null=null)] == names


PARTS = st.text("ab.é \n", min_size=1, max_size=4).filter(lambda name: name.strip(".") != "")


@settings(max_examples=25, deadline=None)
@given(st.sets(st.lists(PARTS, min_size=1, max_size=3).map(tuple), max_size=8))
def test_any_tree_is_found_whole_and_always_in_the_same_order(paths: set[tuple[str, ...]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in paths:
            place = folder.joinpath(*path)
            if not any(part.is_file() for part in place.parents) and not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(b"yes")
        expected = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        once, again = relatives(folder), relatives(folder)
        assert once == again
        assert len(once) == len(expected) == count(Selection((str(folder),), recursive=True))
        assert set(once) == expected


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_named(tmp_path) -> None:
    fill(tmp_path, "file", "folder/x", "good")
    (tmp_path / "file").chmod(0)
    (tmp_path / "folder").chmod(0)
    problems = [each for each in found(tmp_path) if isinstance(each, Unusable)]
    (tmp_path / "folder").chmod(0o700)
    assert [str(problem.error).endswith(": permission denied") for problem in problems] == [True, True]
    assert relatives(tmp_path / "good") == ["good"]
