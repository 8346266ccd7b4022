import numpy as np
import pytest
from PIL import Image

from cnnzip.bench.pictures import Entry, Unusable, pictures, rgb, survey
from cnnzip.errors import FileError


def test_a_folder_without_pictures_is_named(tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    for listing in (pictures, survey):
        with pytest.raises(FileError, match="no picture in it"):
            list(listing(tmp_path))
        with pytest.raises(FileError, match="not a folder"):
            list(listing(tmp_path / "missing"))


def test_what_cannot_be_measured_is_named_and_other_files_are_passed_over(folder):
    (folder / "bad.png").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("no picture")
    Image.new("RGB", (1, 1)).save(folder / "one.png")
    found = survey(folder)
    assert [entry.name for entry in found if isinstance(entry, Entry)] == ["a.png", "b.png"]
    reasons = {entry.name: entry.reason for entry in found if isinstance(entry, Unusable)}
    assert reasons == {
        "bad.png": "this is no picture of a known format",
        "one.png": "1×1: too small to measure; a side takes 16 pixels",
    }


def test_the_limit_counts_usable_pictures(folder):
    (folder / "0.png").write_bytes(b"no picture")
    assert [entry.name for entry in survey(folder, limit=1)] == ["0.png", "a.png"]


def test_other_kinds_of_pictures_are_converted_and_it_is_said(tmp_path):
    ramp = np.arange(0, 65536, 65536 // 400, dtype=np.uint16)[:400].reshape(20, 20)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    Image.new("RGBA", (20, 20), (10, 20, 30, 40)).save(tmp_path / "alpha.png")
    notes = {entry.name: entry.note for entry in survey(tmp_path)}
    assert notes == {
        "deep.png": "gray, measured as RGB; 16 bits, measured with 8",
        "alpha.png": "measured without its alpha",
    }
    deep = rgb(tmp_path / "deep.png")
    assert deep.dtype == np.uint8
    np.testing.assert_array_equal(deep[..., 1], np.rint(ramp / 257).astype(np.uint8))
    np.testing.assert_array_equal(rgb(tmp_path / "alpha.png")[3, 4], (10, 20, 30))
