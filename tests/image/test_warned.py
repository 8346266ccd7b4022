"""What Pillow warns of becomes a note, and nothing of it is printed."""

import io
import logging
import struct
import threading
import warnings

import pytest
from PIL import Image

from cnnzip.errors import PictureError
from cnnzip.image import from_pil, read
from cnnzip.image.warned import pillow_warnings


def damaged_tiff() -> bytes:
    """A sound picture whose text tag lies beyond the end of the file."""
    entries = [
        (256, 3, 1, 2), (257, 3, 1, 1), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, 1, 200), (277, 3, 1, 1), (278, 3, 1, 1), (279, 4, 1, 2), (33432, 2, 99, 5000),
    ]  # fmt: skip
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return (b"II*\0" + struct.pack("<I", 8) + directory + bytes(4)).ljust(200, b"\0") + b"\1\2"


def test_a_warning_becomes_a_note() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = read(damaged_tiff())
    assert picture.color.ravel().tolist() == [1, 2]
    assert picture.notes == ("Pillow warned of the file: Truncated File Read",)


def test_what_pillow_logs_is_not_printed(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    # As in a program that has not set up logging, which pytest does.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    data = bytearray(damaged_tiff())
    at = data.index(struct.pack("<HHI", 277, 3, 1)) + 8
    data[at : at + 2] = struct.pack("<H", 65535)
    with pytest.raises(PictureError):
        read(bytes(data))
    assert capfd.readouterr().err == ""


def test_each_thread_has_its_own_and_all_is_as_before() -> None:
    before = warnings.showwarning, warnings.filters[:]
    inside, leave = threading.Barrier(2), threading.Event()
    seen: dict[str, list[str]] = {}

    def reader() -> None:
        with pillow_warnings() as caught:
            inside.wait()
            Image.open(io.BytesIO(damaged_tiff())).close()
            leave.wait()
        seen["reader"] = caught

    thread = threading.Thread(target=reader)
    with pillow_warnings() as caught:
        thread.start()
        inside.wait()
        from_pil(Image.new("L", (2, 2)))
    seen["main"] = caught
    leave.set()
    thread.join()
    assert seen["main"] == []
    assert set(seen["reader"]) == {"Truncated File Read"}
    assert (warnings.showwarning, warnings.filters) == before
