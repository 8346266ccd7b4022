"""The noise level found from a picture alone. Broad tables are printed by `python -m cnnzip.denoise.measure`."""

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cnnzip.denoise.level import estimate_level
from cnnzip.denoise.measure import found, table
from cnnzip.errors import CnnzipError

from .conftest import with_noise

KODIM23 = Path(__file__).parents[2] / "docs" / "kodim23.png"


@pytest.fixture(scope="module")
def parrots() -> NDArray[np.float32]:
    with Image.open(KODIM23) as image:
        return np.asarray(image.crop((200, 60, 520, 316)), dtype=np.float32) / 255


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("sigma", [5, 15, 50])
def test_white_noise_is_found(sigma: float, gray: bool, parrots) -> None:
    clean = parrots[..., 1:2] if gray else parrots
    noisy = with_noise(clean, sigma)
    assert estimate_level(noisy) == pytest.approx(sigma, rel=0.1)
    samples = np.clip(np.rint(noisy * 255), 0, 255).astype(np.uint8)
    assert estimate_level(samples) == pytest.approx(sigma, rel=0.1)


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("quality", [None, 90, 75])
def test_clean_pictures_are_clean(quality: int | None, gray: bool, parrots) -> None:
    image = Image.fromarray(np.rint(parrots * 255).astype(np.uint8))
    if gray:
        image = image.convert("L")
    if quality:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        image = Image.open(file)
    samples = np.asarray(image)
    assert estimate_level(samples.reshape(*samples.shape[:2], -1)) == 0.0


@pytest.mark.parametrize("gray", [False, True])
def test_noise_that_jpeg_has_smoothed_is_seen(gray: bool, parrots) -> None:
    clean = parrots[..., 1:2] if gray else parrots
    samples = np.clip(np.rint(with_noise(clean, 25) * 255), 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(samples.squeeze()).save(file, "JPEG", quality=75)
    samples = np.asarray(Image.open(file))
    assert 14 < estimate_level(samples.reshape(*samples.shape[:2], -1)) < 32


def test_depths_agree(parrots) -> None:
    noisy = np.clip(with_noise(parrots, 20), 0, 1)
    deep = np.rint(noisy * 65535).astype(np.uint16)
    assert estimate_level(deep) == pytest.approx(estimate_level(noisy), rel=0.01)


def test_clipped_parts_hide_no_noise(parrots) -> None:
    # Two thirds are burnt out and show none of it.
    burnt = np.array(parrots)
    burnt[:, 100:] = 1.5
    noisy = np.clip(with_noise(burnt, 25), 0, 1)
    assert estimate_level(noisy) == pytest.approx(25, rel=0.1)


def test_noise_of_dark_pictures_is_not_what_clipping_leaves_of_it(parrots) -> None:
    noisy = np.clip(with_noise(0.5 * parrots, 40), 0, 1)
    assert noisy.std() < with_noise(0.5 * parrots, 40).std()
    assert estimate_level(noisy) == pytest.approx(40, rel=0.1)


def test_what_is_not_seen_does_not_count(parrots) -> None:
    noisy = with_noise(parrots, 20)
    seen = np.ones(noisy.shape[:2], dtype=bool)
    seen[:200] = False
    noisy[:200] = 0.5
    assert estimate_level(noisy, seen) == pytest.approx(20, rel=0.1)
    assert estimate_level(noisy) == 0.0  # flat without a trace of noise
    assert estimate_level(noisy, np.zeros_like(seen)) == 0.0


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 5, 1), (7, 400, 3), (8, 8, 3), (9, 8, 1)])
def test_the_smallest_pictures(shape: tuple[int, ...]) -> None:
    level = estimate_level(with_noise(np.full(shape, 0.5, dtype=np.float32), 30))
    assert level == 0.0 if min(shape[:2]) < 8 else 10 < level < 60


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0])
def test_flat_pictures_are_clean(value: float) -> None:
    assert estimate_level(np.full((40, 50, 3), value, dtype=np.float32)) == 0.0


def test_the_table_of_a_folder(photo_file: Path, tmp_path: Path) -> None:
    shutil.copy(photo_file, tmp_path)
    (tmp_path / "notes.txt").write_text("no picture")
    levels, _ = found(tmp_path, grayscale=True)
    assert levels["clean"] == (0, [0.0])
    assert levels["σ 25"] == (25, [pytest.approx(25, rel=0.15)])
    number = levels["σ 25"][1][0]
    rows = table(levels).splitlines()
    assert rows[2] == "| clean | 0.00 | 0.00 | 0.00 | 1 of 1 | 1 of 1 |"
    assert f"| σ 25 | {number:.2f} | {number:.2f} | {number:.2f} | 1 of 1 | 0 of 1 |" in rows
    with pytest.raises(CnnzipError, match=r"no picture in it$"):
        found(Path(__file__).parent, grayscale=False)
