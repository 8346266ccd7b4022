"""A short crash drill; `python -m cnnzip.batch.crash_drill` is the long one."""

import os
from pathlib import Path

import pytest

from cnnzip.batch.crash_drill import Drill


@pytest.fixture
def drill(photo_file, tmp_path, installed_tiny) -> Drill:
    return Drill([photo_file], tmp_path, count=12, model="tiny", seed=1)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="this system does not tell its processes")
def test_nothing_is_lost(drill) -> None:
    drill.kill(2)
    # It runs as root alone, and not everywhere; the command says so where it does not.
    if os.geteuid() == 0:
        try:
            drill.full_disk()
            drill.read_only()
        except OSError as error:
            assert "permission denied" in str(error) or "not permitted" in str(error)
    assert drill.problems == []
    assert drill.killed >= 2


def test_the_drill_sees_what_is_lost(drill) -> None:
    work, output = drill.folder / "originals", drill.folder / "reference"
    source = next(work.rglob("*.png"))
    source.unlink()
    (output / source.relative_to(work)).with_suffix(".cnz").write_bytes(b"partial")
    drill._check(work, output, remove=True)
    assert len(drill.problems) == 2
