"""What the benchmark and the crash drill share: many small pictures out of a few real ones, and processes to watch."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

FOLDERS = 8


def make_pictures(pictures: Sequence[Path], folder: Path, count: int, size: tuple[int, int]) -> None:
    """Write `count` PNG files of `size` (width, height) into folders below `folder`: crops of `pictures`, no two alike.

    Every second one is turned by a small angle. The same arguments give the same files.
    """
    from PIL import Image

    width, height = size
    originals = []
    for path in pictures:
        with Image.open(path) as image:
            originals.append(image.convert("RGB"))
    for number in range(count):
        original = originals[number % len(originals)]
        left = number * 37 % max(1, original.width - width)
        top = number * 53 % max(1, original.height - height)
        crop = original.crop((left, top, left + width, top + height))
        if number % 2:
            crop = crop.rotate(number % 11 - 5, Image.Resampling.BILINEAR)
        place = folder / f"{number % FOLDERS}"
        place.mkdir(parents=True, exist_ok=True)
        crop.save(place / f"{number:05}.png", compress_level=1)


def command(*arguments: str | Path) -> list[str]:
    """The words that run `cnnzip` with this interpreter."""
    return [sys.executable, "-m", "cnnzip", *map(str, arguments)]


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that these have; none where the system does not say."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        try:
            threads = os.listdir(f"/proc/{parent}/task")  # noqa: PTH208
            below = [Path(f"/proc/{parent}/task/{thread}/children").read_text().split() for thread in threads]
        except OSError:  # it has ended
            continue
        children = [int(child) for line in below for child in line]
        found += children
        waiting += children
    return found
