import errno
import os
import resource
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from cnnzip.errors import FileError, OutputExistsError
from cnnzip.files import clear_stale, read_bytes, write_atomic


@pytest.fixture
def fixed_umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def failing(number: int) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return fail


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_read(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    (tmp_path / "a").write_bytes(content)
    assert read_bytes(tmp_path / "a") == content
    assert read_bytes(str(tmp_path / "a")) == content


def test_read_empty(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert read_bytes(tmp_path / "a", limit=0) == b""


def test_read_up_to_the_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_bytes(tmp_path / "a", limit=5) == b"12345"
    with pytest.raises(FileError, match=r"/a: larger than the limit of 4 bytes$"):
        read_bytes(tmp_path / "a", limit=4)


def test_read_does_not_touch_a_file_that_is_too_large(tmp_path: Path) -> None:
    with (tmp_path / "a").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(FileError, match=r"larger than the limit of 4,294,967,296 bytes$"):
        read_bytes(tmp_path / "a")


def test_read_endless_device() -> None:
    with pytest.raises(FileError, match=r"^/dev/zero: larger than the limit of 3,000,000 bytes$"):
        read_bytes("/dev/zero", limit=3_000_000)


def test_read_pipe(tmp_path: Path) -> None:
    content = bytes(3_000_000)
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(content,))
    writer.start()
    assert read_bytes(tmp_path / "pipe") == content
    writer.join()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing", "no such file or directory"),
        ("", "is a directory"),
        ("file/below", "not a directory"),
        ("n" * 300, "file name too long"),
        ("nul\0", "embedded null byte"),
        ("loop", "too many levels of symbolic links"),
    ],
)
def test_read_failures(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(FileError, match=f": {reason}$"):
        read_bytes(tmp_path / name)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
def test_read_failures_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(Path, "open", failing(number))
    with pytest.raises(FileError, match=f"/a: {os.strerror(number).lower()}$"):
        read_bytes(tmp_path / "a")


def test_messages_are_one_line_whatever_the_name(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        read_bytes(tmp_path / "two\nlines \x1b[31m\udcff")
    assert str(caught.value).isprintable()
    assert r"two\nlines \x1b[31m\udcff" in str(caught.value)


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("data", [b"new", memoryview(b"new"), lambda file: file.write(b"new")])
def test_write_new_file(
    tmp_path: Path, fixed_umask: None, data: bytes | memoryview | Callable[[BinaryIO], object], force: bool
) -> None:
    write_atomic(tmp_path / "out", data, force=force)
    assert (tmp_path / "out").read_bytes() == b"new"
    assert mode(tmp_path / "out") == 0o640
    assert names(tmp_path) == ["out"]


def test_write_into_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_atomic("out", b"new", force=False)
    assert (tmp_path / "out").read_bytes() == b"new"


def test_write_never_replaces_without_force(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_bytes(b"old")
    called: list[object] = []
    with pytest.raises(OutputExistsError, match=r"/out: exists; use --force to overwrite$"):
        write_atomic(out, called.append, force=False)
    assert called == []
    assert out.read_bytes() == b"old"
    assert names(tmp_path) == ["out"]


def test_write_replaces_with_force_and_keeps_permissions(tmp_path: Path, fixed_umask: None) -> None:
    out = tmp_path / "out"
    out.write_bytes(b"old")
    out.chmod(0o600)
    write_atomic(out, b"new", force=True)
    assert out.read_bytes() == b"new"
    assert mode(out) == 0o600
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("links", [True, False])
def test_file_that_appears_during_the_writing_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    out = tmp_path / "out"

    def write(file: BinaryIO) -> None:
        file.write(b"mine")
        out.write_bytes(b"theirs")

    if not links:
        monkeypatch.setattr(os, "link", failing(errno.EPERM))
    with pytest.raises(OutputExistsError, match=r"exists; use --force to overwrite$"):
        write_atomic(out, write, force=False)
    assert out.read_bytes() == b"theirs"
    assert names(tmp_path) == ["out"]


def test_file_that_appears_just_before_the_rename_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    link = os.link

    def late(*args: object, **kwargs: object) -> None:
        out.write_bytes(b"theirs")
        link(*args, **kwargs)

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(OutputExistsError, match=r"exists; use --force to overwrite$"):
        write_atomic(out, b"mine", force=False)
    assert out.read_bytes() == b"theirs"


def test_write_where_links_are_not_supported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", failing(errno.EOPNOTSUPP))
    write_atomic(tmp_path / "out", b"new", force=False)
    assert (tmp_path / "out").read_bytes() == b"new"
    assert names(tmp_path) == ["out"]


def test_name_is_taken_only_after_the_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    fsync = os.fsync

    def watch(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append(("folder" if is_folder else "file", (tmp_path / "out").exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    write_atomic(tmp_path / "out", b"new", force=False)
    assert synced == [("file", False), ("folder", True)]


def test_temporary_file_lies_in_the_same_folder(tmp_path: Path) -> None:
    seen: list[str] = []
    write_atomic(tmp_path / "out", lambda _: seen.extend(names(tmp_path)), force=False)
    (name,) = seen
    assert name.startswith(".cnnzip-")
    assert name.endswith(".tmp")


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing/out", "the folder does not exist"),
        ("folder", "is a directory"),
        ("file/out", "not a directory"),
        ("n" * 300, "file name too long"),
        ("nul\0", "embedded null byte"),
        ("loop", "too many levels of symbolic links"),
    ],
)
def test_write_failures(tmp_path: Path, name: str, reason: str, force: bool) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    before = names(tmp_path)
    with pytest.raises(FileError, match=f": {reason}$") as caught:
        write_atomic(tmp_path / name, b"new", force=force)
    assert type(caught.value) is FileError
    assert names(tmp_path) == before


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    ("target", "call", "number", "reason"),
    [
        (Path, "open", errno.EACCES, "permission denied"),
        (Path, "open", errno.EROFS, "read-only file system"),
        (os, "fsync", errno.ENOSPC, "no space left on device"),
        (os, "fsync", errno.EIO, "input/output error"),
    ],
)
def test_write_failures_of_the_system(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    target: object,
    call: str,
    number: int,
    reason: str,
    force: bool,
) -> None:
    out = tmp_path / "out"
    if force:
        out.write_bytes(b"old")
    before = names(tmp_path)
    monkeypatch.setattr(target, call, failing(number))
    with pytest.raises(FileError, match=f"/out: {reason}$"):
        write_atomic(out, b"new", force=force)
    monkeypatch.undo()
    assert names(tmp_path) == before
    assert not force or out.read_bytes() == b"old"


def test_failing_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    out.write_bytes(b"old")
    monkeypatch.setattr(os, "replace", failing(errno.EACCES))
    with pytest.raises(FileError, match=r"/out: permission denied$"):
        write_atomic(out, b"new", force=True)
    assert out.read_bytes() == b"old"
    assert names(tmp_path) == ["out"]


def test_disk_that_fills_up_in_the_middle(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(FileError, match=r"/out: file too large$"):
            write_atomic(tmp_path / "out", bytes(200_000), force=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert names(tmp_path) == []


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ZeroDivisionError, ValueError])
def test_interrupt_leaves_nothing(tmp_path: Path, error: type[BaseException], force: bool) -> None:
    def write(file: BinaryIO) -> None:
        file.write(b"partial")
        raise error("stop")

    with pytest.raises(error, match=r"^stop$"):
        write_atomic(tmp_path / "out", write, force=force)
    assert names(tmp_path) == []


def test_message_of_an_error_without_a_number(tmp_path: Path) -> None:
    def write(_: BinaryIO) -> None:
        raise OSError("encoder error\n-2")

    with pytest.raises(FileError, match=r"/out: encoder error -2$"):
        write_atomic(tmp_path / "out", write, force=False)


def test_link_is_kept_and_the_file_behind_it_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    behind, link = tmp_path / "folder" / "behind", tmp_path / "link"
    behind.write_bytes(b"old")
    link.symlink_to("folder/behind")
    with pytest.raises(OutputExistsError, match=r"/link: exists"):
        write_atomic(link, b"new", force=False)
    write_atomic(link, b"new", force=True)
    assert link.is_symlink()
    assert behind.read_bytes() == b"new"
    assert names(tmp_path) == ["folder", "link"]


def test_dangling_link_counts_as_an_existing_file(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("nowhere")
    called: list[object] = []
    with pytest.raises(OutputExistsError, match=r"/link: exists"):
        write_atomic(link, called.append, force=False)
    assert called == []
    assert not (tmp_path / "nowhere").exists()
    write_atomic(link, b"new", force=True)
    assert link.is_symlink()
    assert (tmp_path / "nowhere").read_bytes() == b"new"


@pytest.mark.parametrize("force", [False, True])
def test_devices_are_written_directly(force: bool) -> None:
    write_atomic("/dev/null", b"new", force=force)
    assert Path("/dev/null").is_char_device()
    with pytest.raises(FileError, match=r"^/dev/full: no space left on device$"):
        write_atomic("/dev/full", b"new", force=force)
    assert Path("/dev/full").is_char_device()


def test_pipes_are_written_directly(tmp_path: Path) -> None:
    content = bytes(1_000_000)
    os.mkfifo(tmp_path / "pipe")
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write_atomic(tmp_path / "pipe", content, force=False)
    reader.join()
    assert received == [content]
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output(tmp_path: Path, name: str) -> None:
    script = f"from cnnzip.files import write_atomic; write_atomic({name!r}, b'new', force=False)"
    command = [sys.executable, "-c", script]
    assert subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout == b"new"
    out = tmp_path / "out"
    out.write_bytes(b"old ")
    with out.open("ab") as file:
        subprocess.run(command, stdout=file, check=True)
    assert out.read_bytes() == b"old new"
    assert names(tmp_path) == ["out"]


def test_what_dead_processes_left_is_cleared_and_what_is_being_written_is_not(tmp_path: Path) -> None:
    (tmp_path / ".cnnzip-0123456789abcdef.tmp").write_bytes(b"half a file")
    (tmp_path / ".cnnzip-mine.tmp").write_bytes(b"not one of ours")
    cleared = []

    def write(file: BinaryIO) -> None:
        cleared.append(clear_stale(tmp_path))
        file.write(b"whole")

    write_atomic(tmp_path / "out", write, force=False)
    assert cleared == [1]
    assert names(tmp_path) == [".cnnzip-mine.tmp", "out"]
    assert clear_stale(tmp_path / "none") == 0


def test_times(tmp_path: Path) -> None:
    write_atomic(tmp_path / "out", b"new", force=False, times_ns=(10**18 + 1, 10**18 + 2))
    assert (tmp_path / "out").stat().st_mtime_ns == 10**18 + 2
