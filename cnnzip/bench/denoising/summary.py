"""What the measurements say: for each noise the mean of every metric, gains over the noisy input, and times.

Means are over the pictures that every denoiser has in that noise. A picture that came back exactly has no finite
PSNR: it is counted apart, and in no mean of PSNR.
"""

import math
from dataclasses import asdict, dataclass
from statistics import fmean, median
from typing import Any

from cnnzip.bench.denoising.measure import PSNR
from cnnzip.bench.denoising.noise import Noise
from cnnzip.bench.denoising.registry import NOISY
from cnnzip.bench.denoising.results import DenoisingResults, Measurement
from cnnzip.bench.summary import is_ours


@dataclass(frozen=True)
class Row:
    """One denoiser in one noise."""

    denoiser: str
    sigma: float
    eight_bit: bool
    metrics: dict[str, float | None]
    """Means; None where there is nothing to average."""
    gain: float | None
    """dB of mean PSNR over the noisy input."""
    same: int
    """Pictures that came back exactly."""
    seconds_a_megapixel: float
    """Median over the pictures."""
    level: float | None
    """The sigma that it found, mean."""
    pictures: int

    @property
    def noise(self) -> Noise:
        """What was added."""
        return Noise(self.sigma, self.eight_bit)


@dataclass(frozen=True)
class Speed:
    """A denoiser over all noises and pictures, warm."""

    denoiser: str
    seconds_a_megapixel: float
    """Median."""
    threads: int


@dataclass(frozen=True)
class Summary:
    """All that the tables show."""

    rows: list[Row]
    speeds: list[Speed]

    def row(self, denoiser: str, noise: Noise) -> Row | None:
        """The row of a denoiser in a noise; None where it was not measured."""
        return next((row for row in self.rows if (row.denoiser, row.noise) == (denoiser, noise)), None)

    def best(self, noise: Noise, *, ours: bool, blind: bool | None = None) -> Row | None:
        """Of cnnzip's denoisers or of all others, the one of the highest PSNR; the noisy input is none.

        Args:
            noise: where.
            ours: of which.
            blind: whether it found the level; None asks of all.
        """
        rows = [row for row in self.rows if row.noise == noise and row.denoiser != NOISY]
        rows = [row for row in rows if is_ours(row.denoiser) == ours and blind in (None, row.level is not None)]
        known = {row.denoiser: value for row in rows if (value := row.metrics[PSNR]) is not None}
        return max((row for row in rows if row.denoiser in known), key=lambda row: known[row.denoiser], default=None)

    def as_json(self) -> dict[str, Any]:
        """The summary as JSON values."""
        return asdict(self)


def summarise(results: DenoisingResults) -> Summary:
    """The summary of `results`."""
    rows = []
    for noise in results.noises:
        found: dict[str, dict[str, Measurement]] = {}
        for m in results.measurements:
            if m.noise == noise:
                found.setdefault(m.denoiser, {})[m.picture] = m
        shared = set.intersection(*(set(pictures) for pictures in found.values()))
        common = {name: [m for m in pictures.values() if m.picture in shared] for name, pictures in found.items()}
        base = _mean(common[NOISY], PSNR) if NOISY in common else None
        rows += [_row(name, noise, ms, base, results) for name, ms in common.items() if ms]
    return Summary(rows, _speeds(results))


def _row(denoiser: str, noise: Noise, ms: list[Measurement], base: float | None, results: DenoisingResults) -> Row:
    metrics = {metric.name: _mean(ms, metric.name) for metric in results.metrics}
    value = metrics[PSNR]
    levels = [m.level for m in ms if m.level is not None]
    return Row(
        denoiser=denoiser,
        sigma=noise.sigma,
        eight_bit=noise.eight_bit,
        metrics=metrics,
        gain=None if base is None or value is None else value - base,
        same=sum(math.isinf(m.metrics[PSNR]) for m in ms),
        seconds_a_megapixel=median(m.seconds / m.megapixels for m in ms),
        level=fmean(levels) if levels else None,
        pictures=len(ms),
    )


def _mean(ms: list[Measurement], metric: str) -> float | None:
    """Of the finite values."""
    values = [m.metrics[metric] for m in ms if math.isfinite(m.metrics.get(metric, math.nan))]
    return fmean(values) if values else None


def _speeds(results: DenoisingResults) -> list[Speed]:
    speeds = []
    for denoiser in results.denoisers:
        times = [m.seconds / m.megapixels for m in results.measurements if m.denoiser == denoiser.name]
        if times and denoiser.name != NOISY:
            speeds.append(Speed(denoiser.name, median(times), denoiser.threads))
    return speeds
