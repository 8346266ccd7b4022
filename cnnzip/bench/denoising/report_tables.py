"""The tables of the page, each as HTML, and under which choice of a metric they stand."""

import math
from dataclasses import dataclass, replace

from cnnzip.bench.denoising.denoiser import DenoiserInfo
from cnnzip.bench.denoising.measure import MEASURES, PSNR
from cnnzip.bench.denoising.noise import KINDS, Noise
from cnnzip.bench.denoising.results import DenoisingResults
from cnnzip.bench.denoising.summary import Row, Summary
from cnnzip.bench.report.formats import signed, value
from cnnzip.bench.report.markup import Cell, Column, table
from cnnzip.bench.report.tables import NOTHING, codec_cell
from cnnzip.bench.results import MetricInfo


@dataclass(frozen=True)
class View:
    """A metric in one kind of noise: what the page calls a metric."""

    metric: MetricInfo
    eight_bit: bool

    @property
    def name(self) -> str:
        """For the scripts."""
        return f"{self.metric.name}-{Noise(0, self.eight_bit).kind}"

    @property
    def label(self) -> str:
        """For people."""
        return f"{self.metric.label.split()[0]}, {Noise(0, self.eight_bit).kind}"

    @property
    def info(self) -> MetricInfo:
        """As the metric that it is on the page."""
        return replace(self.metric, name=self.name, label=self.label)


SHOWN = tuple(View(metric.info, eight_bit=True) for metric in MEASURES)
"""The views of the noise that the viewer shows. They come first: every denoiser has a value in them."""


def views(results: DenoisingResults) -> list[View]:
    """Those in which anything was measured, in the order of the page."""
    measured = {(m.eight_bit, name) for m in results.measurements for name in m.metrics}
    every = [View(metric, eight_bit) for metric in results.metrics for eight_bit in sorted(KINDS, reverse=True)]
    return [view for view in every if (view.eight_bit, view.metric.name) in measured]


def _noises(results: DenoisingResults, view: View) -> list[Noise]:
    return [noise for noise in results.noises if noise.eight_bit == view.eight_bit]


def means(results: DenoisingResults, summary: Summary, shown: list[DenoiserInfo], view: View) -> str:
    """A denoiser a row, a sigma a column."""
    noises = _noises(results, view)
    columns = [Column("Denoiser", "ascending", numeric=False)]
    columns += [Column(f"σ {noise.sigma:g}", ranked=True) for noise in noises]

    def cell(row: Row | None) -> Cell:
        if row is None:
            return NOTHING
        is_psnr = view.metric.name == PSNR
        gain = f"{signed(row.gain, 2)} dB" if is_psnr and row.gain else ""
        same = f"{row.same} same" if is_psnr and row.same else ""
        found = row.metrics[view.metric.name]
        notes = ", ".join(filter(None, (gain, same)))
        return Cell("–", note=notes) if found is None else Cell(value(view.metric, found), found, notes)

    rows = [
        [codec_cell(info), *cells]
        for info in shown
        if any(cells := [cell(summary.row(info.name, noise)) for noise in noises]) and set(cells) != {NOTHING}
    ]
    return table(f"{view.metric.label}, noise {KINDS[view.eight_bit]}", columns, rows, metric=view.name)


def speeds(summary: Summary, shown: list[DenoiserInfo]) -> str:
    """Median times and threads."""
    known = {info.name: info for info in shown}
    most = max((speed.seconds_a_megapixel for speed in summary.speeds), default=1.0)
    rows = []
    for speed in summary.speeds:
        took = speed.seconds_a_megapixel
        threads = Cell(str(speed.threads), speed.threads) if speed.threads else Cell("its choice", 0)
        info = known[speed.denoiser]
        rows.append([codec_cell(info, info.version), Cell(f"{took:.3f}", took, share=took / most), threads])
    columns = [
        Column("Denoiser", "ascending", numeric=False),
        Column("Time", "ascending", "s/MP", ranked=True),
        Column("Threads", "ascending"),
    ]
    return table("Warm, median over pictures and noises", columns, rows)


def per_picture(results: DenoisingResults, shown: list[DenoiserInfo], view: View) -> str:
    """Every picture in every denoiser, with noise of the middle strength."""
    noises = [noise for noise in _noises(results, view) if noise.sigma > 0] or _noises(results, view)
    middle = noises[len(noises) // 2]
    found = {(m.picture, m.denoiser): m.metrics for m in results.measurements if m.noise == middle}
    kept = [info for info in shown if any(name == info.name for _, name in found)]
    columns = [Column("Picture", "ascending", numeric=False), *(Column(info.label) for info in kept)]
    rows = []
    for picture in results.pictures:
        row = [Cell(picture, picture)]
        for info in kept:
            number = found.get((picture, info.name), {}).get(view.metric.name, math.nan)
            row.append(NOTHING if math.isnan(number) else Cell(value(view.metric, number), number))
        rows.append(row)
    title = f"{view.metric.label} of each picture, σ {middle.sigma:g}, {KINDS[view.eight_bit]}"
    return table(title, columns, rows, metric=view.name)


def failures(results: DenoisingResults) -> str:
    """What could not be measured."""
    names = ("Denoiser", "Picture", "Noise", "What happened")
    rows = []
    for one in results.failures:
        noise = "–" if one.sigma is None else f"σ {one.sigma:g}, {KINDS[bool(one.eight_bit)]}"
        texts = (one.denoiser or "–", one.picture or "–", noise, one.message)
        rows.append([Cell(shown, shown) for shown in texts])
    return table("Failed", [Column(name, "ascending", numeric=False) for name in names], rows)


def skipped(results: DenoisingResults) -> str:
    """Denoisers that were not measured."""
    columns = [Column("Denoiser", "ascending", numeric=False), Column("Why", "ascending", numeric=False)]
    return table("Not measured", columns, [[Cell(name, name), Cell(why, why)] for name, why in results.skipped.items()])
