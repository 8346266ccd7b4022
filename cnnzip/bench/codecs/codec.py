"""What a codec is to the benchmark."""

import time
from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cnnzip.bench.results import CodecInfo

Pixels = NDArray[np.uint8]


class Codec(ABC):
    """Pixels ↔ the bytes of a whole file. Objects are sent to other processes: what is heavy is opened when used."""

    name: str
    """As `--codecs` takes it."""
    label: str
    settings: str = ""
    """What was chosen, for people; a change makes earlier measurements invalid."""
    qualities: ClassVar[tuple[float, ...]] = ()
    """The sweep: on photographs about 0.1 to 3 bpp."""
    by_default: bool = True
    """Whether it is measured where `--codecs` does not name it."""

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads

    @property
    @abstractmethod
    def version(self) -> str:
        """Of the libraries that do the work; only asked where the codec is available."""

    @property
    def used_threads(self) -> int:
        """Those that it can make use of; 0 where that is not known."""
        return self.threads

    def available(self) -> str | None:
        """Why it cannot be measured here; None if it can."""
        return None

    @abstractmethod
    def encode(self, picture: Pixels, quality: float) -> bytes:
        """The file of `picture`, (H, W, 3) sRGB. May raise anything."""

    @abstractmethod
    def decode(self, data: bytes) -> Pixels:
        """The picture (H, W, 3) in a file that `encode` made. May raise anything."""

    def timed_encode(self, picture: Pixels, quality: float) -> tuple[bytes, float]:
        """The file, and the seconds that it took."""
        start = time.perf_counter()
        data = self.encode(picture, quality)
        return data, time.perf_counter() - start

    def timed_decode(self, data: bytes) -> tuple[Pixels, float]:
        """The picture, and the seconds that it took."""
        start = time.perf_counter()
        picture = self.decode(data)
        return picture, time.perf_counter() - start

    @property
    def info(self) -> CodecInfo:
        """What the results say of it."""
        return CodecInfo(self.name, self.label, self.version, self.settings, self.used_threads)
