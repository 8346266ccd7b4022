"""Pictures for training: 8-bit RGB, decoded when first drawn, kept while there is memory, cut into random crops."""

import os
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypeVar

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

Made = TypeVar("Made")


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


@dataclass(frozen=True)
class Cut:
    """What is drawn for a crop: a square of a picture, and what is done with it, in this order."""

    top: int
    left: int
    side: int
    """Of the square, which is scaled to the crop."""
    mirrored: bool
    transposed: bool
    gray: bool


class Draws:
    """The random choices of a run's crops, which depend on nothing but the pictures, the seed, the rank and the step.

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

    def chosen(self, step: int) -> tuple[list[int], np.random.Generator]:
        """The numbers of the pictures of `step`, and the generator that `cut` then draws from for each of them."""
        rng = np.random.default_rng((self.seed, self.rank, step))
        return rng.choice(len(self.data), size=self.batch, p=self.probabilities).tolist(), rng

    def cut(self, height: int, width: int, rng: np.random.Generator) -> Cut:
        """A crop of a picture of that size."""
        scale = float(rng.choice(SCALES))
        side = min(round(self.crop / scale), height, width)
        top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
        mirrored, transposed, gray = rng.random() < 0.5, rng.random() < 0.5, rng.random() < GRAY
        return Cut(top, left, side, mirrored, transposed, gray)


class Crops(Draws):
    """An endless stream of batches, cut by the CPU; see `Draws`."""

    def at(self, step: int) -> NDArray[np.uint8]:
        """The batch of `step`: (B, C, crop, crop)."""
        chosen, rng = self.chosen(step)
        return np.stack([self._crop(self.data.at(number), rng) for number in chosen])

    def _crop(self, picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        height, width = picture.shape[:2]
        cut = self.cut(height, width, rng)
        pixels = picture[cut.top : cut.top + cut.side, cut.left : cut.left + cut.side]
        if cut.side != self.crop:
            pixels = np.asarray(Image.fromarray(pixels).resize((self.crop, self.crop), Image.Resampling.LANCZOS))
        if cut.mirrored:
            pixels = pixels[:, ::-1]
        if cut.transposed:
            pixels = pixels.transpose(1, 0, 2)
        if cut.gray:
            pixels = np.repeat(to_gray(pixels), 3, axis=2)
        return in_planes(pixels, self.channels)

    def stream(self, start: int) -> Generator[NDArray[np.uint8]]:
        """The batches from step `start` on, cut ahead while the network computes."""
        return ahead(self.at, start)


def ahead(at: Callable[[int], Made], start: int) -> Generator[Made]:
    """`at(start)`, `at(start + 1)` and so on, made ahead by threads."""
    with ThreadPoolExecutor(PREFETCH) as pool:
        waiting = deque(pool.submit(at, start + i) for i in range(PREFETCH))
        for step in count(start + PREFETCH):
            yield waiting.popleft().result()
            waiting.append(pool.submit(at, step))
