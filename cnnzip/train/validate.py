"""Validation of a codec: rate, PSNR and loss on pictures that training never sees, with real rounding."""

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from cnnzip.errors import TrainingError
from cnnzip.train.data import PictureSet, in_planes
from cnnzip.train.model import TrainingModel
from cnnzip.train.task import Validation

POINTS = 3
"""Quality levels that one validation measures, from the lowest to the highest."""


def to_batch(picture: NDArray[np.uint8], stride: int, device: torch.device, channels: int = 3) -> Tensor:
    """(H, W, 3) uint8 to (1, C, H', W') in 0…1, padded to the stride by repeating the border."""
    pixels = torch.from_numpy(in_planes(picture, channels))[None].to(device).float() / 255
    height, width = pixels.shape[2:]
    padded = F.pad(pixels, (0, -width % stride, 0, -height % stride), mode="replicate")
    return padded.contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def validate(model: TrainingModel, data: PictureSet, device: torch.device) -> Validation:
    """Measure `model` on all pictures of `data`, one after the other; a point is (bpp, PSNR in dB).

    The rate is that of the density in training, before integer tables: real files are measured by
    `python -m cnnzip.bench.rates`.

    Raises:
        TrainingError: all pictures are damaged.
    """
    model.eval()
    shape = model.network.config
    levels = np.linspace(0, model.density.levels - 1, POINTS)
    losses: list[float] = []
    points: list[tuple[float, float]] = []
    for number in levels:
        level = torch.tensor([number], dtype=torch.float32, device=device)
        pictures = data.choose(range(len(data)))
        batches = (to_batch(picture, shape.stride, device, shape.channels) for picture in pictures)
        terms = [model(batch, level) for batch in batches]
        if not terms:
            raise TrainingError(f"{data.paths[0].parent}: all {len(data)} pictures are damaged")
        losses.append(float(np.mean([float(t.loss) for t in terms])))
        psnr = np.mean([-10 * np.log10(float(t.mse)) for t in terms])
        points.append((float(np.mean([float(t.bpp) for t in terms])), float(psnr)))
    model.train()
    return Validation(float(np.mean(losses)), tuple(points))
