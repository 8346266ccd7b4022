import shutil

import numpy as np
import pytest

from cnnzip.bench import rates
from cnnzip.bench.pictures import pictures
from cnnzip.errors import FileError


def test_psnr_of_a_known_difference():
    black = np.zeros((4, 4, 3), np.uint8)
    off_by_one = black.copy()
    off_by_one[..., 0] = 1  # a third of the samples: MSE 1/3
    assert rates.psnr(black, off_by_one) == pytest.approx(10 * np.log10(255**2 * 3))
    assert rates.psnr(black, black) == float("inf")


def test_jpeg_gets_better_and_larger_with_its_quality(photo):
    points = [rates.jpeg_point(photo, quality) for quality in rates.JPEG_QUALITIES]
    assert points == sorted(points)
    assert [psnr for _, psnr in points] == sorted(psnr for _, psnr in points)


def test_bd_rate_of_curves_that_are_a_factor_apart():
    jpeg = [rates.Point(q, 0.1 * 1.5**q, 25.0 + 2 * q) for q in range(8)]
    half = [rates.Point(p.quality, p.bpp / 2, p.psnr) for p in jpeg[1:]]
    comparison = rates.Comparison(half, jpeg)
    assert comparison.bd_rate == pytest.approx(-50, abs=0.01)
    assert comparison.overlap == (27.0, 39.0)


def test_the_comparison_uses_real_files_of_the_model(installed_tiny, photo_file, tmp_path):
    shutil.copy(photo_file, tmp_path)
    (tmp_path / "notes.txt").write_text("no picture")
    result = rates.compare(tmp_path, "tiny", "huffman")
    assert [p.quality for p in result.cnnzip] == list(rates.CNNZIP_QUALITIES)
    assert [p.bpp for p in result.cnnzip] == sorted(p.bpp for p in result.cnnzip)
    assert np.isfinite(result.bd_rate)


def test_a_folder_without_pictures_is_named(tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(FileError, match="no picture in it"):
        list(pictures(tmp_path))
    with pytest.raises(FileError, match="not a folder"):
        list(pictures(tmp_path / "missing"))
