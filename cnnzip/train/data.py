"""Pictures for training: decoded once, kept as 8-bit RGB in memory, cut into random crops."""

from collections import deque
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnzip.errors import PictureError, TrainingError
from cnnzip.image import read

SCALES = (1.0, 1.0, 0.75, 0.5)
"""Crops are cut at one of these scales: smaller ones hide the artefacts of pictures that were JPEG before."""

PREFETCH = 4


@dataclass(frozen=True)
class PictureSet:
    """RGB pictures, each (H, W, 3) uint8, and how many files were no usable picture."""

    pictures: tuple[NDArray[np.uint8], ...]
    skipped: int

    @property
    def pixels(self) -> int:
        """Pixels of all pictures together."""
        return sum(p.shape[0] * p.shape[1] for p in self.pictures)


def load(folder: Path, *, least_side: int = 1, workers: int = 2) -> PictureSet:
    """Read all pictures below `folder`, in the order of their paths.

    Files that are no picture, and pictures with a side shorter than `least_side`, are counted as skipped.

    Raises:
        TrainingError: `folder` is no folder, or holds no usable picture.
    """
    if not folder.is_dir():
        raise TrainingError(f"{folder}: not a folder of pictures")
    paths = sorted(p for p in folder.rglob("*") if p.is_file())

    def pixels(path: Path) -> NDArray[np.uint8] | None:
        try:
            picture = read(path.read_bytes())
        except (OSError, PictureError):
            return None
        if min(picture.height, picture.width) < least_side:
            return None
        color = picture.color if picture.depth == 8 else (picture.color >> 8).astype(np.uint8)
        return np.ascontiguousarray(np.broadcast_to(color, (*color.shape[:2], 3)), dtype=np.uint8)

    with ThreadPoolExecutor(workers) as pool:
        found = list(pool.map(pixels, paths))
    pictures = tuple(p for p in found if p is not None)
    if not pictures:
        raise TrainingError(
            f"{folder}: no usable picture among {len(paths)} files (each side must be at least {least_side} pixels)"
        )
    return PictureSet(pictures, len(paths) - len(pictures))


class Crops:
    """An endless stream of batches that depends on nothing but the pictures, the seed and the step."""

    def __init__(self, data: PictureSet, *, crop: int, batch: int, seed: int, rank: int = 0) -> None:
        self.data = data
        self.crop = crop
        self.batch = batch
        self.seed = seed
        self.rank = rank
        areas = np.array([p.shape[0] * p.shape[1] for p in data.pictures], dtype=np.float64)
        # Between "every picture alike" and "every pixel alike": large pictures hold more, but not in proportion.
        weights = np.sqrt(areas)
        self.probabilities = weights / weights.sum()

    def at(self, step: int) -> NDArray[np.uint8]:
        """The batch of `step`: (B, 3, crop, crop) uint8."""
        rng = np.random.default_rng((self.seed, self.rank, step))
        chosen = rng.choice(len(self.data.pictures), size=self.batch, p=self.probabilities)
        return np.stack([self._cut(self.data.pictures[i], rng) for i in chosen])

    def _cut(self, picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        height, width = picture.shape[:2]
        scale = float(rng.choice(SCALES))
        side = min(round(self.crop / scale), height, width)
        top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
        cut = picture[top : top + side, left : left + side]
        if side != self.crop:
            image = Image.fromarray(cut).resize((self.crop, self.crop), Image.Resampling.LANCZOS)
            cut = np.asarray(image)
        if rng.random() < 0.5:
            cut = cut[:, ::-1]
        if rng.random() < 0.5:
            cut = cut.transpose(1, 0, 2)
        return np.ascontiguousarray(cut.transpose(2, 0, 1))

    def stream(self, start: int) -> Generator[NDArray[np.uint8]]:
        """The batches from step `start` on, cut ahead by a thread while the network computes."""
        with ThreadPoolExecutor(1) as pool:
            ahead = deque(pool.submit(self.at, start + i) for i in range(PREFETCH))
            for step in count(start + PREFETCH):
                yield ahead.popleft().result()
                ahead.append(pool.submit(self.at, step))
