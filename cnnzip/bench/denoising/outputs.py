"""results.csv, a row a measurement, and the plots of PSNR against sigma."""

import csv
import io
from pathlib import Path

from matplotlib.figure import Figure

from cnnzip.bench.denoising.measure import PSNR
from cnnzip.bench.denoising.noise import KINDS, Noise
from cnnzip.bench.denoising.results import DenoisingResults
from cnnzip.bench.denoising.summary import Summary
from cnnzip.bench.plots import finish, look, over, write_figure
from cnnzip.bench.summary import is_ours
from cnnzip.files import write_atomic

COLUMNS = ("denoiser", "picture", "sigma", "noise", "width", "height", "seconds", "level")


def write_csv(results: DenoisingResults, path: Path) -> None:
    """Write it, whole; raises FileError."""
    metrics = [metric.name for metric in results.metrics]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*COLUMNS, *metrics))
    for m in results.measurements:
        fields = (m.denoiser, m.picture, m.sigma, m.noise.kind, m.width, m.height, m.seconds, m.level)
        writer.writerow((*fields, *(m.metrics.get(name, "") for name in metrics)))
    write_atomic(path, text.getvalue().encode(), force=True)


def write_plots(results: DenoisingResults, summary: Summary, folder: Path) -> list[Path]:
    """Write `psnr-unclipped` and `psnr-8-bit`, as SVG and PNG; the paths.

    Raises:
        FileError: they cannot be written.
    """
    written = []
    for eight_bit in KINDS:
        figure = plot(results, summary, eight_bit=eight_bit)
        if figure is not None:
            written += write_figure(figure, folder, f"psnr-{Noise(0, eight_bit).kind}")
    return written


def plot(results: DenoisingResults, summary: Summary, *, eight_bit: bool) -> Figure | None:
    """A line for each denoiser over the noisy sigmas, in one kind of noise; None where there are none."""
    noises = [noise for noise in results.noises if noise.eight_bit == eight_bit and noise.sigma > 0]
    figure = Figure(figsize=(8, 5.2), layout="constrained")
    axes = figure.add_subplot()
    for number, denoiser in enumerate(results.denoisers):
        rows = [row for noise in noises if (row := summary.row(denoiser.name, noise))]
        points = [(row.sigma, value) for row in rows if (value := row.metrics[PSNR]) is not None]
        if points:
            axes.plot(*zip(*points, strict=True), label=denoiser.label, **look(number, ours=is_ours(denoiser.name)))
    if not axes.lines:
        return None
    axes.set_xticks([noise.sigma for noise in noises], labels=[f"{noise.sigma:g}" for noise in noises])
    axes.set_xlabel(f"σ of the noise, {KINDS[eight_bit]}")
    axes.set_ylabel("PSNR (RGB), dB")
    axes.set_title(over(results.pictures), loc="left", fontsize=10)
    finish(axes)
    axes.legend(frameon=False, loc="upper right")
    return figure
