import shutil

import numpy as np
import pytest
from PIL import Image

from cnnzip.errors import TrainingError
from cnnzip.train.data import Crops, PictureSet, load

SIZES = [(64, 96), (96, 64)]  # (height, width): parrots, lighthouse


def gradient(height, width):
    """A picture of which every pixel is unlike all others: (y, x, 0)."""
    y, x = np.mgrid[:height, :width]
    return np.stack([y, x, np.zeros_like(y)], axis=-1).astype(np.uint8)


def save(folder, name, pixels):
    folder.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(folder / name)


def test_pictures_of_all_depths_and_folders(photos):
    (photos / "below").mkdir()
    (photos / "notes.txt").write_text("no picture")
    (photos / "empty.png").touch()
    Image.fromarray(np.full((40, 50), 0xABCD, dtype=np.uint16)).save(photos / "below" / "deep.png")
    Image.fromarray(np.full((40, 50), 7, dtype=np.uint8)).save(photos / "zgray.png")
    data = load(photos)
    assert [path.name for path in data.paths] == ["deep.png", "lighthouse-64x96.png", "parrots-96x64.png", "zgray.png"]
    assert data.skipped == 2
    assert data.areas.tolist() == [2000, 6144, 6144, 2000]
    pictures = list(data.choose(range(4)))
    assert [p.shape for p in pictures] == [(40, 50, 3), (96, 64, 3), (64, 96, 3), (40, 50, 3)]
    assert all(p.dtype == np.uint8 for p in pictures)
    assert (pictures[0] == 0xAB).all()
    assert (pictures[3] == 7).all()
    with Image.open(photos / "parrots-96x64.png") as image:
        assert np.array_equal(pictures[2], np.asarray(image))


def test_short_sides_are_skipped(photos):
    save(photos, "small.png", gradient(31, 200))
    assert load(photos, least_side=32).skipped == 1
    with pytest.raises(
        TrainingError, match=r"photos: no usable picture with sides of 128 pixels at least among 3 files$"
    ):
        load(photos, least_side=128)


def test_folders_without_pictures(tmp_path):
    with pytest.raises(TrainingError, match=r"missing: not a folder of pictures$"):
        load(tmp_path / "missing")
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match=r"file: not a folder of pictures$"):
        load(tmp_path / "file")
    with pytest.raises(TrainingError, match=r": no usable picture among 1 files$"):
        load(tmp_path)


def damage(path):
    """A header that promises a picture, and no picture behind it."""
    path.write_bytes(path.read_bytes()[:200])


def test_damaged_pictures_give_way_to_the_next(photos):
    shutil.copy(photos / "parrots-96x64.png", photos / "z-last.png")
    damage(photos / "parrots-96x64.png")
    damage(photos / "z-last.png")
    data = load(photos)
    assert len(data) == 3
    only = data.at(0)
    assert np.array_equal(data.at(1), only)
    assert np.array_equal(data.at(2), only)
    assert len(list(data.choose([0, 1, 2]))) == 1
    assert data.damaged == {photos / "parrots-96x64.png", photos / "z-last.png"}


def test_nothing_but_damaged_pictures(photos):
    for path in photos.iterdir():
        damage(path)
    data = load(photos)
    with pytest.raises(TrainingError, match=r"photos: all 2 pictures are damaged$"):
        data.at(1)


@pytest.mark.parametrize("cache_bytes", [0, 20_000, 1 << 30])
def test_memory_does_not_change_what_is_drawn(photos, cache_bytes):
    expected = Crops(load(photos), crop=32, batch=4, seed=5)
    cached = Crops(load(photos, cache_bytes=cache_bytes), crop=32, batch=4, seed=5)
    for step in (3, 0, 3, 1):
        assert np.array_equal(cached.at(step), expected.at(step))


@pytest.mark.parametrize(("cache_bytes", "kept"), [(0, 0), (20_000, 1), (2 * 18_432, 2)])
def test_the_cache_keeps_to_its_limit(photos, cache_bytes, kept):
    data = load(photos, cache_bytes=cache_bytes)
    for number in (0, 1):
        data.at(number)
    assert sum(data.at(number) is data.at(number) for number in (0, 1)) == kept


def test_batches_depend_on_seed_rank_and_step_alone(photos):
    data = load(photos)
    batch = Crops(data, crop=32, batch=3, seed=1, rank=2).at(7)
    assert batch.shape == (3, 3, 32, 32)
    assert batch.dtype == np.uint8
    assert np.array_equal(batch, Crops(load(photos), crop=32, batch=3, seed=1, rank=2).at(7))
    for other in ((0, 2, 7), (1, 0, 7), (1, 2, 8)):
        seed, rank, step = other
        assert not np.array_equal(batch, Crops(data, crop=32, batch=3, seed=seed, rank=rank).at(step))


def test_the_stream_is_the_batches_in_order(photos):
    crops = Crops(load(photos), crop=32, batch=1, seed=0)
    stream = crops.stream(5)
    for step in range(5, 14):
        assert np.array_equal(next(stream), crops.at(step))
    stream.close()


def test_crops_are_cut_flipped_turned_and_scaled(tmp_path):
    save(tmp_path / "g", "g.png", gradient(100, 120))
    crops = Crops(load(tmp_path / "g"), crop=32, batch=64, seed=0)
    spans, directions, gray = set(), set(), 0
    for crop in crops.at(0):
        if np.ptp(crop, axis=0).max() == 0:
            gray += 1
            continue
        steps = [crop[c].astype(int) for c in (0, 1)]
        # How fast y and x run along the crop's rows: the scale, and which way the crop lies.
        along = [float(np.mean(np.diff(s, axis=axis))) for s in steps for axis in (0, 1)]
        spans.add(round(max(abs(a) for a in along) * 4) / 4)
        directions.add(tuple(int(np.sign(round(a, 1))) for a in along))
    assert spans == {1.0, 1.25, 2.0}  # 1, 1/0.75 = 1.34 seen through rounding, 1/0.5
    assert directions == {(1, 0, 0, 1), (1, 0, 0, -1), (0, 1, 1, 0), (0, 1, -1, 0)}
    assert 0 < gray < 12  # one in sixteen of 64


def test_pictures_smaller_than_the_crop_are_enlarged(tmp_path):
    save(tmp_path / "g", "g.png", np.full((9, 40, 3), 50, dtype=np.uint8))
    batch = Crops(load(tmp_path / "g"), crop=32, batch=4, seed=0).at(0)
    assert batch.shape == (4, 3, 32, 32)
    assert (batch == 50).all()


def test_large_pictures_are_drawn_more_often_but_not_in_proportion(tmp_path):
    for name, side, value in (("a.png", 32, 0), ("b.png", 96, 255)):
        save(tmp_path / "g", name, np.full((side, side, 3), value, dtype=np.uint8))
    data = load(tmp_path / "g")
    crops = Crops(data, crop=32, batch=400, seed=0)
    assert crops.probabilities.tolist() == [0.25, 0.75]
    assert 0.7 < (crops.at(0) == 255).mean() < 0.8


def test_a_picture_set_of_no_cache_is_still_a_set(photos):
    data = PictureSet(sorted(photos.iterdir()), SIZES[::-1], cache_bytes=0)
    assert len(data) == 2
    assert data.at(0).shape == (96, 64, 3)


def test_gray_crops_are_the_luma_of_those_in_colour(photos):
    shape = {"crop": 32, "batch": 6, "seed": 4}
    colour, gray = (Crops(load(photos), **shape, channels=channels).at(3) for channels in (3, 1))
    assert (colour.shape, gray.shape) == ((6, 3, 32, 32), (6, 1, 32, 32))
    assert gray.flags["C_CONTIGUOUS"]
    luma = np.tensordot([0.299, 0.587, 0.114], colour, axes=(0, 1))
    # Those that have lost their colour by chance are rounded once more.
    np.testing.assert_allclose(gray[:, 0], luma, rtol=0, atol=0.51)
