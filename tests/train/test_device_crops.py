"""Crops cut by torch: here on the CPU, the same code that cuts them on a GPU."""

import numpy as np
import pytest
import torch
from PIL import Image

from cnnzip.errors import TrainingError
from cnnzip.train import device_crops
from cnnzip.train.data import Crops, load
from cnnzip.train.device_crops import DeviceCrops

CPU = torch.device("cpu")


@pytest.fixture
def pictures(photos):
    """The photos, one smaller than a crop, and one file that is damaged."""
    with Image.open(photos / "parrots-96x64.png") as image:
        image.convert("RGB").resize((40, 21)).save(photos / "small.png")
    (photos / "damaged.png").write_bytes((photos / "small.png").read_bytes()[:200])
    return photos


@pytest.mark.parametrize("channels", [3, 1])
@pytest.mark.parametrize("crop", [32, 96])
def test_they_are_the_crops_of_the_host(pictures, crop, channels):
    settings = {"crop": crop, "batch": 48, "seed": 3, "rank": 1, "channels": channels}
    host, device = Crops(load(pictures), **settings), DeviceCrops(load(pictures), CPU, **settings)
    for step in (0, 5):
        expected, found = host.at(step), device.at(step)
        assert (found.dtype, found.shape) == (torch.uint8, (48, channels, crop, crop))
        assert torch.equal(found, device.at(step))
        difference = np.abs(found.numpy().astype(int) - expected)
        assert difference.max() <= 2
        assert difference.mean() < 0.01
        # What is not scaled is the same to the last bit.
        exact = [not difference[i].any() for i in range(48)]
        assert sum(exact) > 10 or crop == 96
    assert not torch.equal(device.at(0), device.at(5))


def test_the_stream_is_the_batches_in_order(photos):
    crops = DeviceCrops(load(photos), CPU, crop=32, batch=2, seed=0)
    stream = crops.stream(5)
    for step in range(5, 12):
        assert torch.equal(next(stream), crops.at(step))
    stream.close()


def test_pictures_that_do_not_fit(photos, monkeypatch):
    monkeypatch.setattr(device_crops, "fits", lambda data, device: False)
    with pytest.raises(TrainingError, match=r"^2 pictures do not fit into the GPU's memory: take --crops host$"):
        DeviceCrops(load(photos), CPU, crop=32, batch=2, seed=0)
