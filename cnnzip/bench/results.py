"""What a benchmark has measured, and its JSON. How it was measured stands in the modules beside this one."""

import math
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from cnnzip.bench.records import Record


@dataclass(frozen=True)
class Measurement:
    """One picture, coded by one codec at one quality and decoded again.

    `metrics` goes from the name of a metric to its value; a metric that the picture is too small for is not in it.
    A PSNR is infinite where nothing was lost.
    """

    codec: str
    picture: str
    """The file's name in the folder of pictures."""
    quality: float
    bytes: int
    width: int
    height: int
    encode_seconds: float
    """Warm: pixels in memory to bytes in memory, median of the runs."""
    decode_seconds: float
    metrics: dict[str, float]
    picture_sha256: str = ""
    """Of the file, in hexadecimal."""
    fingerprint: str = ""
    """Of the codec with its version, settings and threads; see `CodecInfo.fingerprint`."""

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height

    @property
    def bpp(self) -> float:
        """Bits a pixel, of the whole file."""
        return 8 * self.bytes / self.pixels


@dataclass(frozen=True)
class CodecInfo:
    """A codec as it was measured."""

    name: str
    """As `--codecs` takes it, such as `jpeg-444`."""
    label: str
    """For people."""
    version: str
    settings: str
    threads: int
    """That it may use; 0 where the program chooses by itself."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever earlier measurements no longer hold."""
        return f"{self.name} | {self.version} | {self.settings} | {self.threads} threads"


@dataclass(frozen=True)
class MetricInfo:
    """A metric: how it is called, in `unit`, and which way is better."""

    name: str
    label: str
    unit: str
    higher_is_better: bool
    version: str = ""
    """Of the library that computes it."""


@dataclass(frozen=True)
class Failure:
    """Something that could not be measured. `codec` is empty where the picture itself could not be read."""

    codec: str
    picture: str
    quality: float | None
    message: str


@dataclass(frozen=True)
class ColdTime:
    """Whole processes: a command line that codes `picture`, and one that decodes it; medians of the runs."""

    codec: str
    encode_seconds: float
    decode_seconds: float
    encode_peak_bytes: int
    """Resident memory of the largest process, at its peak."""
    decode_peak_bytes: int
    picture: str
    quality: float = 0.0
    tool: str = ""
    """The programs and their version."""
    threads: int = 1
    """That the programs were told to use; 0 where they choose by themselves."""


@dataclass
class Results(Record):
    """All of one run. What it does not cover but earlier runs into the same folder measured is in `kept`."""

    FORMAT: ClassVar[int | str] = 1
    LISTS: ClassVar[dict[str, type]] = {
        "codecs": CodecInfo,
        "metrics": MetricInfo,
        "measurements": Measurement,
        "cold": ColdTime,
        "failures": Failure,
        "kept": Measurement,
    }

    command: str
    created: str
    """ISO 8601, UTC."""
    machine: dict[str, str]
    """processor, cores, memory, system."""
    versions: dict[str, str]
    """Of the libraries."""
    baseline: str
    codecs: list[CodecInfo]
    metrics: list[MetricInfo]
    measurements: list[Measurement] = field(default_factory=list)
    cold: list[ColdTime] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    """Codecs that were not measured, and why."""
    notes: list[str] = field(default_factory=list)
    """Conversions of pictures, such as gray to RGB."""
    jobs: int = 1
    """Processes that measured at the same time."""
    kept: list[Measurement] = field(default_factory=list)

    def codec(self, name: str) -> CodecInfo:
        """The codec called `name`; KeyError where there is none."""
        return {codec.name: codec for codec in self.codecs}[name]

    def metric(self, name: str) -> MetricInfo:
        """The metric called `name`; KeyError where there is none."""
        return {metric.name: metric for metric in self.metrics}[name]

    @property
    def pictures(self) -> list[str]:
        """The names of the pictures, in the order in which they were measured."""
        return list(dict.fromkeys(m.picture for m in self.measurements))

    def complete(self, codec: str, metric: str) -> list[str]:
        """The pictures for which `codec` has a finite value of `metric` at every one of its qualities."""
        ours = [m for m in self.measurements if m.codec == codec]
        qualities = {m.quality for m in ours}
        found: dict[str, set[float]] = {}
        for m in ours:
            if math.isfinite(m.metrics.get(metric, math.nan)):
                found.setdefault(m.picture, set()).add(m.quality)
        return [picture for picture, have in found.items() if have == qualities]

    def curve(
        self, codec: str, metric: str, pictures: Collection[str] | None = None
    ) -> list[tuple[float, float, float]]:
        """Means (quality, bpp, value) over the pictures, by ascending rate.

        Args:
            codec: its name.
            metric: its name.
            pictures: which pictures; by default those that all qualities of the codec share (`complete`). The means
                are of bpp and of the metric as it is, PSNR in dB.
        """
        chosen = set(self.complete(codec, metric))
        if pictures is not None:
            chosen &= set(pictures)
        points: dict[float, list[tuple[float, float]]] = {}
        for m in self.measurements:
            if m.codec == codec and m.picture in chosen:
                points.setdefault(m.quality, []).append((m.bpp, m.metrics[metric]))
        means = ((quality, *np.mean(values, axis=0)) for quality, values in points.items())
        return sorted(((q, float(bpp), float(value)) for q, bpp, value in means), key=lambda point: point[1])
