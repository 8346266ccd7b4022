"""Crops that are cut where the network runs: all pictures lie in the memory of the device, as one flat tensor.

They are the same crops as those of the CPU's threads, but for the rounding of what is scaled.
"""

import os
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cnnzip.errors import TrainingError
from cnnzip.train.data import LUMA, SCALES, Cut, Draws, PictureSet, ahead

LOBES = 3
"""Of the Lanczos filter, as Pillow has it."""

SHARE = 0.5
"""Of the free memory of a GPU that the pictures may take at most."""


def fits(data: PictureSet, device: torch.device) -> bool:
    """Whether the pictures fit into the memory of `device` beside the network."""
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    return 3 * float(data.areas.sum()) < SHARE * free


class DeviceCrops(Draws):
    """An endless stream of batches, cut on `device`; see `Draws`.

    Raises:
        TrainingError: all pictures are damaged, or they do not fit.
    """

    def __init__(self, data: PictureSet, device: torch.device, **settings: Any) -> None:
        super().__init__(data, **settings)
        if not fits(data, device):
            raise TrainingError(f"{len(data)} pictures do not fit into the GPU's memory: take --crops host")
        self.device = device
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            pictures = list(pool.map(data.at, range(len(data))))
        self.sizes = [(picture.shape[0], picture.shape[1]) for picture in pictures]
        areas = [height * width for height, width in self.sizes]
        self.starts = [0, *np.cumsum(areas).tolist()]
        self.pixels = torch.empty(self.starts[-1], 3, dtype=torch.uint8, device=device)
        for start, area, picture in zip(self.starts, areas, pictures, strict=False):
            self.pixels[start : start + area] = torch.from_numpy(picture.reshape(-1, 3).copy()).to(device)
        self.luma = torch.from_numpy(LUMA).to(device)

    def drawn(self, step: int) -> list[tuple[int, int, Cut]]:
        """For every crop of `step` where its picture starts, the picture's width, and the cut."""
        chosen, rng = self.chosen(step)
        return [(self.starts[number], self.sizes[number][1], self.cut(*self.sizes[number], rng)) for number in chosen]

    def at(self, step: int) -> Tensor:
        """The batch of `step`: (B, C, crop, crop) uint8."""
        return self.batch_of(self.drawn(step))

    def batch_of(self, drawn: list[tuple[int, int, Cut]]) -> Tensor:
        """The batch of what `drawn` gave."""
        rows = [
            (start + cut.top * width + cut.left, width, cut.side, cut.mirrored, cut.transposed, cut.gray)
            for start, width, cut in drawn
        ]
        numbers = torch.tensor(rows, device=self.device).T
        corner, width, side = numbers[:3, :, None, None]
        mirrored, transposed, gray = numbers[3:, :, None, None, None].bool()
        at = torch.arange(round(self.crop / min(SCALES)), device=self.device)
        # Beyond its square a crop repeats the last pixel, which the filter then gives no weight.
        y, x = torch.minimum(at[:, None], side - 1), torch.minimum(at, side - 1)
        squares = self.pixels[corner + y * width + x].permute(0, 3, 1, 2).float()
        weights = _lanczos(side, self.crop, at)
        # Rounded between the two directions, as Pillow does.
        rows_done = (squares @ weights.transpose(1, 2)[:, None]).round().clamp(0, 255)
        crops = (weights[:, None] @ rows_done).round().clamp(0, 255)
        crops = torch.where(mirrored, crops.flip(3), crops)
        crops = torch.where(transposed, crops.transpose(2, 3), crops)
        crops = torch.where(gray, self._to_gray(crops), crops)
        return (self._to_gray(crops) if self.channels == 1 else crops).to(torch.uint8)

    def _to_gray(self, crops: Tensor) -> Tensor:
        return (crops * self.luma[:, None, None]).sum(dim=1, keepdim=True).round()

    def stream(self, start: int) -> Generator[Tensor]:
        """The batches from step `start` on; what is drawn for them is drawn ahead while the network computes."""
        return (self.batch_of(drawn) for drawn in ahead(self.drawn, start))


def _lanczos(side: Tensor, crop: int, at: Tensor) -> Tensor:
    """Weights (B, crop, S) of the values at places `at` (S,) for a line of `side` (B, 1, 1) values scaled to `crop`.

    The filter is widened where there are more values than places, so that nothing folds back (Turkowski, 1990).
    """
    ratio = side / crop
    reach = ratio.clamp(min=1)
    place = (torch.arange(crop, device=at.device)[:, None] + 0.5) * ratio
    distance = (at + 0.5 - place) / reach
    weights = torch.sinc(distance) * torch.sinc(distance / LOBES)
    weights = torch.where((distance.abs() < LOBES) & (at < side), weights, 0.0)
    return weights / weights.sum(dim=2, keepdim=True)
