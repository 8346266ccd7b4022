"""What `python -m cnnzip.bench.speed` has measured, and its JSON."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from cnnzip.bench.records import Record
from cnnzip.bench.results import CodecInfo, ColdTime, Measurement

START, KODAK = "start", "Kodak"


@dataclass(frozen=True)
class Size:
    """cnnzip's own processes on one picture; medians of the runs."""

    name: str
    """`START`, or the megapixels, such as 12 MP."""
    width: int
    height: int
    encode_seconds: float
    decode_seconds: float
    encode_peak_bytes: int
    decode_peak_bytes: int
    runs: int

    @property
    def megapixels(self) -> float:
        """Width times height."""
        return self.width * self.height / 1e6


@dataclass(frozen=True)
class CropTime:
    """`cnnzip decode --crop` out of a picture, as a process; median of the runs."""

    name: str
    """The picture's megapixels, as in `Size`."""
    width: int
    height: int
    side: int
    """Of the square that was decoded, in pixels."""
    seconds: float
    peak_bytes: int
    runs: int


@dataclass
class SpeedRun(Record):
    """All of one run."""

    FORMAT: ClassVar[int | str] = "speed 1"
    LISTS: ClassVar[dict[str, type]] = {
        "codecs": CodecInfo,
        "warm": Measurement,
        "cold": ColdTime,
        "sizes": Size,
        "crops": CropTime,
    }

    created: str
    """ISO 8601, UTC."""
    machine: dict[str, str]
    versions: dict[str, str]
    """Of the libraries."""
    model: str
    threads: int
    """That every codec may use."""
    sets: dict[str, list[str]]
    """The names of the pictures by their set: Kodak, 2 MP, 12 MP."""
    codecs: list[CodecInfo]
    warm_quality: dict[str, int] = field(default_factory=dict)
    """By codec: the one that is nearest to the target."""
    cold_quality: dict[str, int] = field(default_factory=dict)
    warm: list[Measurement] = field(default_factory=list)
    cold: list[ColdTime] = field(default_factory=list)
    sizes: list[Size] = field(default_factory=list)
    crops: list[CropTime] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    """What could not be measured, and why."""
    jobs: int = 1

    @property
    def ours(self) -> str:
        """The name of cnnzip's codec."""
        return f"cnnzip-{self.model}"

    def warm_of(self, pictures: str, codec: str) -> list[Measurement]:
        """What was measured warm of a codec on the set `pictures`."""
        return [m for m in self.warm if m.codec == codec and m.picture in self.sets[pictures]]

    def cold_of(self, pictures: str) -> Sequence[ColdTime]:
        """The processes on a picture of the set `pictures`."""
        return [cold for cold in self.cold if cold.picture in self.sets[pictures]]

    def size(self, name: str) -> Size | None:
        """The measurement of that name."""
        return next((size for size in self.sizes if size.name == name), None)
