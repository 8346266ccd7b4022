"""Rate and distortion of every codec, one picture a metric, as SVG and PNG."""

import io
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cnnzip.bench.results import MetricInfo, Results
from cnnzip.bench.summary import is_ours
from cnnzip.files import write_atomic

# Okabe and Ito's colours, which people with any kind of colour vision can tell apart; the markers tell too.
COLOURS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#8C6D31")
MARKERS = "osD^vPX*<"
DASHES = ("-", "--", ":")
"""Changes when the colours begin anew; colours and markers are of unequal number, so that no two codecs look alike."""
FORMATS = ("svg", "png")


def write_plots(results: Results, folder: Path) -> list[Path]:
    """Write `METRIC.svg` and `METRIC.png` for every metric with a curve; the paths.

    Raises:
        FileError: they cannot be written.
    """
    written = []
    for metric in results.metrics:
        figure = plot(results, metric)
        if figure is not None:
            written += write_figure(figure, folder, metric.name)
    return written


def write_figure(figure: Figure, folder: Path, name: str) -> list[Path]:
    """Write `name.svg` and `name.png`; the paths. Raises FileError."""
    written = []
    for kind in FORMATS:
        data = io.BytesIO()
        # Without a date and with names that are not drawn by chance, the same results give the same file.
        with rc_context({"svg.hashsalt": name}):
            figure.savefig(data, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
        written.append(folder / f"{name}.{kind}")
        write_atomic(written[-1], data.getvalue(), force=True)
    return written


def look(number: int, *, ours: bool) -> dict[str, Any]:
    """How the line with this number looks: cnnzip's are the broad ones on top."""
    return {
        "color": COLOURS[number % len(COLOURS)],
        "marker": MARKERS[number % len(MARKERS)],
        "linestyle": DASHES[number // len(COLOURS) % len(DASHES)],
        "markersize": 4.5,
        "linewidth": 2.4 if ours else 1.3,
        "zorder": 3 if ours else 2,
    }


def over(pictures: list[str]) -> str:
    """What a figure is about."""
    return f"Mean over {len(pictures)} pictures" if len(pictures) > 1 else pictures[0]


def finish(axes: Axes) -> None:
    """What all figures have in common."""
    axes.grid(alpha=0.25, which="both")
    axes.spines[["top", "right"]].set_visible(False)


def plot(results: Results, metric: MetricInfo) -> Figure | None:
    """The curves of one metric; None where no codec has one."""
    figure = Figure(figsize=(8, 5.2), layout="constrained")
    axes = figure.add_subplot()
    lines = 0
    for number, codec in enumerate(results.codecs):
        curve = results.curve(codec.name, metric.name)
        if len(curve) < 2:
            continue
        bpps, values = [bpp for _, bpp, _ in curve], [value for _, _, value in curve]
        axes.plot(bpps, values, label=codec.label, **look(number, ours=is_ours(codec.name)))
        lines += 1
    if not lines:
        return None
    axes.set_xscale("log")
    axes.set_xticks([0.1, 0.2, 0.5, 1, 2, 4], labels=["0.1", "0.2", "0.5", "1", "2", "4"])
    axes.set_xlabel("bits a pixel, of whole files")
    axes.set_ylabel(f"{metric.label}, {metric.unit}" if metric.unit else metric.label)
    axes.set_title(over(results.pictures), loc="left", fontsize=10)
    finish(axes)
    axes.legend(frameon=False, loc="lower right")
    return figure
