"""What the measurements say: Bjøntegaard deltas, rows at matched size and quality, speed.

Every curve goes through the means over pictures, as in `Results.curve`. Two curves are compared over the pictures
that both have whole, with Akima interpolation over the logarithm of the rate (Bjøntegaard, VCEG-M33; the package
`bjontegaard`), over the range that both cover and no further.
"""

import math
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import numpy as np
from bjontegaard import bd_psnr, bd_rate
from scipy.interpolate import Akima1DInterpolator

from cnnzip.bench.results import Measurement, MetricInfo, Results

Point = tuple[float, float, float]
"""(quality, bpp, value)."""

SIZES = (0.15, 0.25, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0)
"""Bits a pixel at which codecs are compared."""

LEVELS = {
    "psnr_rgb": (26, 28, 30, 32, 34, 36, 38, 40),
    "psnr_y": (26, 28, 30, 32, 34, 36, 38, 40),
    "ssim": (0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.99),
    "ms_ssim": (0.9, 0.94, 0.96, 0.98, 0.99, 0.995),
    "ssimulacra2": (10, 30, 50, 60, 70, 80, 90),
}
"""Values of the metrics at which codecs are compared. SSIMULACRA2: 30 is low, 50 medium, 70 high, 90 very high."""

MIN_POINTS = 3
"""Of a curve that is interpolated."""


@dataclass(frozen=True)
class Delta:
    """A codec against another in one metric; None where the curves have no range in common."""

    codec: str
    baseline: str
    metric: str
    bd_rate: float | None
    """Per cent of rate that the codec takes more (less, where negative) at equal quality."""
    bd_metric: float | None
    """How much better the codec's metric is at equal rate, in the metric's unit."""
    low: float | None
    """The metric's values between which `bd_rate` was taken."""
    high: float | None
    low_bpp: float | None
    """The rates between which `bd_metric` was taken."""
    high_bpp: float | None
    pictures: int


@dataclass(frozen=True)
class Row:
    """All codecs at the same rate or at the same quality, interpolated; None where a curve does not reach."""

    metric: str
    at: float
    values: dict[str, float | None]


@dataclass(frozen=True)
class Speed:
    """Medians over all measurements of a codec, warm: megapixels a second."""

    codec: str
    encode_mps: float
    decode_mps: float
    threads: int


@dataclass(frozen=True)
class Summary:
    """All that the tables show."""

    baseline: str
    deltas: list[Delta]
    """Every codec against the baseline."""
    direct: list[Delta]
    """Every model of cnnzip against every other codec, each over the range that the two have in common."""
    sizes: list[Row]
    """The metric at equal bits a pixel (`at`)."""
    levels: list[Row]
    """Bits a pixel at equal value of the metric (`at`)."""
    speeds: list[Speed]
    pictures: int
    """Over which `sizes` and `levels` are means: those that every codec has whole."""

    def as_json(self) -> dict[str, Any]:
        """The summary as JSON values."""
        return asdict(self)


def summarise(results: Results) -> Summary:
    """The summary of `results`."""
    present = {m.codec for m in results.measurements}
    names = [codec.name for codec in results.codecs if codec.name in present]
    deltas, direct, sizes, levels, shared = [], [], [], [], 0
    for metric in results.metrics:
        whole = {name: results.complete(name, metric.name) for name in names}
        common = set.intersection(*(set(pictures) for pictures in whole.values() if pictures), set(results.pictures))
        shared = max(shared, len(common))
        curves = {name: results.curve(name, metric.name, common) for name in names}
        sizes += _rows(metric, curves, SIZES, _value_at)
        levels += _rows(metric, curves, LEVELS.get(metric.name, ()), _rate_at)
        if results.baseline in names:
            others = [name for name in names if name != results.baseline]
            deltas += [between(results, name, results.baseline, metric) for name in others]
        direct += [
            between(results, ours, other, metric)
            for ours in filter(is_ours, names)
            for other in names
            if not is_ours(other)
        ]
    speeds = [_speed(results, name) for name in names]
    return Summary(results.baseline, deltas, direct, sizes, levels, speeds, shared)


def is_ours(codec: str) -> bool:
    """Whether the codec of that name is a model of cnnzip."""
    return codec.startswith("cnnzip-")


def delta(anchor: Results, tested: Results, codec: str, metric: MetricInfo) -> Delta:
    """`codec` as measured in `tested` against the same codec in `anchor`."""
    return _compare(anchor, codec, tested, codec, metric)


def between(results: Results, codec: str, baseline: str, metric: MetricInfo) -> Delta:
    """`codec` against `baseline`, both as measured in `results`."""
    return _compare(results, baseline, results, codec, metric)


def _compare(anchor: Results, baseline: str, tested: Results, codec: str, metric: MetricInfo) -> Delta:
    pictures = set(anchor.complete(baseline, metric.name)) & set(tested.complete(codec, metric.name))
    base = frontier(anchor.curve(baseline, metric.name, pictures), metric)
    ours = frontier(tested.curve(codec, metric.name, pictures), metric)
    low, high = _overlap([p[2] for p in base], [p[2] for p in ours])
    low_bpp, high_bpp = _overlap([p[1] for p in base], [p[1] for p in ours])
    rates = values = None
    if low is not None:
        rates = _finite(bd_rate(*_columns(base), *_columns(ours), **_AKIMA))
    if low_bpp is not None:
        values = _finite(bd_psnr(*_columns(base), *_columns(ours), **_AKIMA))
        values = values if values is None or metric.higher_is_better else -values
    return Delta(codec, baseline, metric.name, rates, values, low, high, low_bpp, high_bpp, len(pictures))


_AKIMA: dict[str, Any] = {"method": "akima", "require_matching_points": False, "min_overlap": 0}


def _columns(curve: Sequence[Point]) -> tuple[list[float], list[float]]:
    return [bpp for _, bpp, _ in curve], [value for _, _, value in curve]


def frontier(curve: Sequence[Point], metric: MetricInfo) -> list[Point]:
    """The points of `curve` that get better with the rate: interpolation needs the metric to be monotonic."""
    kept: list[Point] = []
    for point in sorted(curve, key=lambda p: p[1]):
        better = not kept or (point[2] > kept[-1][2]) == metric.higher_is_better
        if better and (not kept or (point[1] > kept[-1][1] and point[2] != kept[-1][2])):
            kept.append(point)
    return kept


def _overlap(ours: list[float], theirs: list[float]) -> tuple[float | None, float | None]:
    if min(len(ours), len(theirs)) < MIN_POINTS:
        return None, None
    low, high = max(min(ours), min(theirs)), min(max(ours), max(theirs))
    return (low, high) if low < high else (None, None)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _rows(metric: MetricInfo, curves: dict[str, list[Point]], grid: Sequence[float], read: Any) -> list[Row]:
    """One row for each place in `grid` that at least two curves reach."""
    monotonic = {name: frontier(curve, metric) for name, curve in curves.items()}
    rows = [Row(metric.name, at, {name: read(curve, at) for name, curve in monotonic.items()}) for at in grid]
    needed = min(2, len(curves))
    return [row for row in rows if sum(value is not None for value in row.values.values()) >= needed > 0]


def _value_at(curve: list[Point], bpp: float) -> float | None:
    """The metric at `bpp`."""
    return _interpolate([math.log(p[1]) for p in curve], [p[2] for p in curve], math.log(bpp))


def _rate_at(curve: list[Point], value: float) -> float | None:
    """The bits a pixel at `value` of the metric."""
    points = sorted(curve, key=lambda p: p[2])
    found = _interpolate([p[2] for p in points], [math.log(p[1]) for p in points], value)
    return None if found is None else math.exp(found)


def _interpolate(x: list[float], y: list[float], at: float) -> float | None:
    if len(x) < MIN_POINTS or not x[0] <= at <= x[-1]:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(Akima1DInterpolator(np.array(x), np.array(y))(at))


def median_mps(measurements: Sequence[Measurement]) -> tuple[float, float]:
    """Megapixels a second of encoding and of decoding, warm, median over the measurements."""
    encode = median(m.pixels / m.encode_seconds / 1e6 for m in measurements)
    decode = median(m.pixels / m.decode_seconds / 1e6 for m in measurements)
    return encode, decode


def _speed(results: Results, codec: str) -> Speed:
    ours = [m for m in results.measurements if m.codec == codec]
    return Speed(codec, *median_mps(ours), results.codec(codec).threads)
