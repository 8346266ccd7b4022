"""Pictures for training: 8-bit RGB, decoded when first drawn, kept while there is memory, cut into random crops."""

import os
import warnings
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnzip.errors import FileError, PictureError, TrainingError
from cnnzip.files import read_bytes
from cnnzip.image import read

SCALES = (1.0, 1.0, 0.75, 0.5)
"""Crops are cut at one of these scales: smaller ones hide the artefacts of pictures that were JPEG before."""

GRAY = 1 / 16
"""Share of the crops that lose their colour: a gray picture must cost none."""

LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
"""Weights of red, green and blue (ITU-R BT.601), as Pillow turns colour to gray."""

PREFETCH = 4
"""Batches that are cut ahead, each by a thread of its own."""

CACHE_BYTES = 4 << 30


class PictureSet:
    """The pictures of one folder, in the order of their paths; each is (H, W, 3) uint8.

    Only their sizes are known from the start, so that a folder of any size is ready at once. A file that turns
    out to be damaged when it is decoded is left out from then on. Memory decides how often a picture is
    decoded, never what is drawn.

    Args:
        paths: the files.
        sizes: their (height, width).
        skipped: how many other files the folder holds.
        cache_bytes: decoded pictures are kept up to this size together.
    """

    def __init__(
        self, paths: list[Path], sizes: list[tuple[int, int]], skipped: int = 0, cache_bytes: int = CACHE_BYTES
    ) -> None:
        self.paths = paths
        self.areas = np.array([height * width for height, width in sizes], dtype=np.float64)
        self.skipped = skipped
        self.damaged: set[Path] = set()
        self._free = cache_bytes
        self._cache: dict[int, NDArray[np.uint8]] = {}

    def __len__(self) -> int:
        return len(self.paths)

    def at(self, number: int) -> NDArray[np.uint8]:
        """Picture `number`; where that is damaged, the next one that is not, after the last the first.

        Raises:
            TrainingError: all are damaged.
        """
        for step in range(len(self)):
            picture = self._decoded((number + step) % len(self))
            if picture is not None:
                return picture
        raise TrainingError(f"{self.paths[0].parent}: all {len(self)} pictures are damaged")

    def choose(self, numbers: Iterable[int]) -> Iterator[NDArray[np.uint8]]:
        """The pictures `numbers`, without the damaged ones."""
        return (picture for number in numbers if (picture := self._decoded(number)) is not None)

    def _decoded(self, number: int) -> NDArray[np.uint8] | None:
        if number in self._cache:
            return self._cache[number]
        path = self.paths[number]
        if path in self.damaged:
            return None
        try:
            picture = read(read_bytes(path))
        except (FileError, PictureError):
            self.damaged.add(path)
            return None
        color = picture.color if picture.depth == 8 else (picture.color >> 8).astype(np.uint8)
        pixels = np.ascontiguousarray(np.broadcast_to(color, (*color.shape[:2], 3)), dtype=np.uint8)
        # Threads may pass here together: that costs a picture too much in memory, never a wrong one.
        if pixels.nbytes <= self._free:
            self._free -= pixels.nbytes
            self._cache[number] = pixels
        return pixels


def load(folder: Path, *, least_side: int = 1, cache_bytes: int = CACHE_BYTES) -> PictureSet:
    """Find all pictures below `folder`, reading no more than their sizes.

    Files that are no picture, and pictures with a side shorter than `least_side`, are counted as skipped.

    Raises:
        TrainingError: `folder` is no folder, or holds no usable picture.
    """
    if not folder.is_dir():
        raise TrainingError(f"{folder}: not a folder of pictures")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    with ThreadPoolExecutor(os.cpu_count()) as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about large or odd pictures
        sized = [(path, size) for path, size in zip(files, pool.map(_size, files), strict=True)]
    usable = [(path, size) for path, size in sized if size and min(size) >= least_side]
    if not usable:
        needed = f" with sides of {least_side} pixels at least" if least_side > 1 else ""
        raise TrainingError(f"{folder}: no usable picture{needed} among {len(files)} files")
    paths, sizes = [path for path, _ in usable], [size for _, size in usable]
    return PictureSet(paths, sizes, len(files) - len(usable), cache_bytes)


def _size(path: Path) -> tuple[int, int] | None:
    """(height, width) as the file's header has it; None if it is no picture."""
    try:
        with Image.open(path) as image:
            return image.height, image.width
    except Exception:  # Pillow raises whatever the bytes lead to
        return None


def to_gray(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The luma of pixels (H, W, 3), (H, W, 1)."""
    luma: NDArray[np.uint8] = np.rint(pixels @ LUMA)[..., None].astype(np.uint8)
    return luma


def in_planes(pixels: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """Pixels (H, W, 3) as contiguous planes (C, H, W), the luma alone where `channels` is 1."""
    return np.ascontiguousarray((to_gray(pixels) if channels == 1 else pixels).transpose(2, 0, 1))


class Crops:
    """An endless stream of batches that depends on nothing but the pictures, the seed, the rank and the step.

    Args:
        data: the pictures.
        crop: the side of a crop.
        batch: crops at once, B.
        seed: of all random choices.
        rank: of this process.
        channels: planes of a crop, 3 or 1.
    """

    def __init__(self, data: PictureSet, *, crop: int, batch: int, seed: int, rank: int = 0, channels: int = 3) -> None:
        self.data = data
        self.crop = crop
        self.batch = batch
        self.seed = seed
        self.rank = rank
        self.channels = channels
        # Between "every picture alike" and "every pixel alike": large pictures hold more, but not in proportion.
        weights = np.sqrt(data.areas)
        self.probabilities = weights / weights.sum()

    def at(self, step: int) -> NDArray[np.uint8]:
        """The batch of `step`: (B, C, crop, crop) uint8."""
        rng = np.random.default_rng((self.seed, self.rank, step))
        chosen = rng.choice(len(self.data), size=self.batch, p=self.probabilities)
        return np.stack([self._cut(self.data.at(int(i)), rng) for i in chosen])

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
        if rng.random() < GRAY:
            cut = np.repeat(to_gray(cut), 3, axis=2)
        return in_planes(cut, self.channels)

    def stream(self, start: int) -> Generator[NDArray[np.uint8]]:
        """The batches from step `start` on, cut ahead by threads while the network computes."""
        with ThreadPoolExecutor(PREFETCH) as pool:
            ahead = deque(pool.submit(self.at, start + i) for i in range(PREFETCH))
            for step in count(start + PREFETCH):
                yield ahead.popleft().result()
                ahead.append(pool.submit(self.at, step))
