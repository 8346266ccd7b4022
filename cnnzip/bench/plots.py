"""Rate and distortion of every codec, one picture a metric, as SVG and PNG."""

import io
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from cnnzip.bench.results import MetricInfo, Results
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
        if figure is None:
            continue
        for kind in FORMATS:
            data = io.BytesIO()
            # Without a date and with names that are not drawn by chance, the same results give the same file.
            with rc_context({"svg.hashsalt": metric.name}):
                figure.savefig(data, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
            path = folder / f"{metric.name}.{kind}"
            write_atomic(path, data.getvalue(), force=True)
            written.append(path)
    return written


def plot(results: Results, metric: MetricInfo) -> Figure | None:
    """The curves of one metric; None where no codec has one."""
    figure = Figure(figsize=(8, 5.2), layout="constrained")
    axes = figure.add_subplot()
    lines = 0
    for number, codec in enumerate(results.codecs):
        curve = results.curve(codec.name, metric.name)
        if len(curve) < 2:
            continue
        ours = codec.name.startswith("cnnzip")
        axes.plot(
            [bpp for _, bpp, _ in curve],
            [value for _, _, value in curve],
            color=COLOURS[number % len(COLOURS)],
            marker=MARKERS[number % len(MARKERS)],
            linestyle=DASHES[number // len(COLOURS) % len(DASHES)],
            markersize=4.5,
            linewidth=2.4 if ours else 1.3,
            zorder=3 if ours else 2,
            label=codec.label,
        )
        lines += 1
    if not lines:
        return None
    axes.set_xscale("log")
    axes.set_xticks([0.1, 0.2, 0.5, 1, 2, 4], labels=["0.1", "0.2", "0.5", "1", "2", "4"])
    axes.set_xlabel("bits a pixel, of whole files")
    axes.set_ylabel(f"{metric.label}, {metric.unit}" if metric.unit else metric.label)
    pictures = len(results.pictures)
    axes.set_title(f"Mean over {pictures} pictures" if pictures > 1 else results.pictures[0], loc="left", fontsize=10)
    axes.grid(alpha=0.25, which="both")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    return figure
