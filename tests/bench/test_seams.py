import shutil

import numpy as np
import pytest
from PIL import Image

from cnnzip.bench import seams


def test_an_error_without_blocks_has_no_seams():
    error = np.random.default_rng(0).normal(size=(128, 96, 3)).astype(np.float32)
    assert seams.seam_ratio(error, 32) == pytest.approx(1, abs=0.1)


def test_an_error_that_is_constant_in_each_block_is_all_seams():
    blocks = np.random.default_rng(0).normal(size=(4, 3, 3)).repeat(32, axis=0).repeat(32, axis=1)
    noise = 1e-3 * np.random.default_rng(1).normal(size=blocks.shape)
    assert seams.seam_ratio((blocks + noise).astype(np.float32), 32) > 100


def test_a_picture_of_one_block_has_no_seam():
    assert np.isnan(seams.seam_ratio(np.ones((20, 20, 3), np.float32), 32))


def test_the_report_has_a_row_a_quality_and_shows_a_crop(tiny, photo_file, tmp_path, capsys):
    (tmp_path / "pictures").mkdir()
    shutil.copy(photo_file, tmp_path / "pictures")
    seams.report(tiny, tmp_path / "pictures", 16, [0, 20], tmp_path / "crop.png")
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines[2:]]
    assert [row[:3] for row in rows[:2]] == [["tiny", "0", "16"], ["tiny", "20", "16"]]
    # JPEG's blocks show, most of all at low quality.
    jpeg = [float(row[4]) for row in rows[2:]]
    assert len(jpeg) == 3
    assert jpeg[0] > 1.2 * max(1, jpeg[2])
    with Image.open(photo_file) as photo, Image.open(tmp_path / "crop.png") as crop:
        sides = [min(side, seams.CROP) * seams.ZOOM for side in photo.size]
        assert crop.size == (2 * sides[0], sides[1])
