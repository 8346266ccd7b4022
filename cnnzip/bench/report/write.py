"""From results to `report.html`, section by section."""

from pathlib import Path
from typing import Any

from cnnzip import __version__
from cnnzip.bench.report import tables
from cnnzip.bench.report.formats import date, machine
from cnnzip.bench.report.headline import headline
from cnnzip.bench.report.images import Gallery, gallery
from cnnzip.bench.report.markup import choice, definitions, nav, section, text
from cnnzip.bench.report.matches import Match, Render, exhibits, match_pictures
from cnnzip.bench.report.page import assemble, metric_entry, viewer
from cnnzip.bench.report.palette import for_scripts, in_order
from cnnzip.bench.results import CodecInfo, Results
from cnnzip.bench.summary import Summary, is_ours, summarise
from cnnzip.files import write_atomic

NAMES = {
    "curves": "Curves",
    "pictures": "Pictures",
    "rates": "Rate",
    "speed": "Speed",
    "each": "Each picture",
    "missing": "Missing",
    "method": "Method",
}


def write_report(results: Results, folder: Path, output: Path, render: Render) -> None:
    """Write the report, whole or not at all; a report that is there is replaced.

    What cannot be rendered is left out of the viewer and named on the page.

    Args:
        results: what was measured.
        folder: where the pictures are that `Measurement.picture` names.
        output: the HTML file.
        render: codes and decodes a picture again: codec, path and quality to the file and RGB of 8 bits (H, W, 3).

    Raises:
        FileError: `output` cannot be written.
    """
    codecs = in_order(results)
    matches = match_pictures(results, codecs)
    shown = gallery(exhibits(matches, folder, render))
    first = headline(results, codecs)
    sections = _sections(results, codecs, matches, shown)
    names = ", ".join(codec.label for codec in codecs)
    parts = {
        "title": text(f"cnnzip bench: {names}"),
        "generator": text(f"cnnzip {__version__}"),
        "nav": nav((identity, NAMES[identity]) for identity in sections),
        "eyebrow": text(_eyebrow(results, codecs)),
        "headline": first.sentence,
        "others": f'<ul class="others">{first.others}</ul>' if first.others else "",
        "facts": definitions(_facts(results)),
        "command": text(results.command),
        "sections": "".join(sections.values()),
        "footer": text(f"cnnzip {__version__} · {date(results.created)}"),
    }
    page = assemble(parts, _data(results, codecs, shown), shown.blobs)
    write_atomic(output, page.encode(), force=True)


def _eyebrow(results: Results, codecs: list[CodecInfo]) -> str:
    count = len(results.pictures)
    return f"cnnzip bench · {len(codecs)} codecs · {count} picture{'s' * (count != 1)} · {date(results.created)}"


def _facts(results: Results) -> list[tuple[str, str]]:
    sizes = {m.picture: (m.width, m.height) for m in results.measurements}
    megapixels = sum(width * height for width, height in sizes.values()) / 1e6
    shapes = list(dict.fromkeys(f"{width} × {height}" for width, height in sizes.values()))
    shape = f"all {shapes[0]}" if len(shapes) == 1 else f"{len(shapes)} sizes"
    return [
        ("Pictures", f"{len(sizes)}, {shape}, {megapixels:.1f} MP"),
        ("Measured", f"{len(results.measurements):,} files, coded and decoded again"),
        ("Machine", machine(results.machine)),
    ]


def _sections(results: Results, codecs: list[CodecInfo], matches: list[Match], shown: Gallery) -> dict[str, str]:
    """Their HTML in the order of the page; what has no content is left out."""
    sections: dict[str, str] = {}
    if codecs and results.metrics:
        sections["curves"] = _curves(results)
        if shown.pictures:
            sections["pictures"] = _pictures(matches, shown)
        summary = summarise(results)
        sections["rates"] = _rates(results, codecs, summary)
        sections["speed"] = _speed(results, codecs, summary)
        sections["each"] = _each(results, codecs, matches)
    if results.failures or results.skipped or shown.problems:
        sections["missing"] = _missing(results, shown)
    sections["method"] = _method(results)
    return sections


def _metrics(results: Results) -> str:
    return choice("Metric", "choose-metric", [(metric.name, metric.label) for metric in results.metrics])


def _curves(results: Results) -> str:
    axis = choice("Axis of the rate", "axis", [("log", "log"), ("linear", "linear")])
    return section(
        "curves",
        "Rate and distortion",
        "Each point is the mean over all pictures at one quality setting. Click a codec to hide it, "
        "<i>only</i> to see it alone.",
        f'<div class="controls">{_metrics(results)}{axis}</div>',
        '<div class="plot"><div id="chart"></div><ul id="legend"></ul></div>',
    )


def _pictures(matches: list[Match], shown: Gallery) -> str:
    omitted = (
        f" {len(shown.pictures)} of {len(matches)} pictures are here, to keep the page small." if shown.omitted else ""
    )
    return section(
        "pictures",
        "See for yourself",
        "Every codec at about the same number of bytes: of its measured qualities, the one nearest in size. "
        "Drag the divider, or click the picture and use <kbd>←</kbd> <kbd>→</kbd>; <kbd>+</kbd> <kbd>−</kbd> "
        f"<kbd>0</kbd> and the wheel zoom, dragging pans, <kbd>d</kbd> shows the difference.{omitted}",
        viewer(shown),
    )


def _rates(results: Results, codecs: list[CodecInfo], summary: Summary) -> str:
    baseline = text(tables.label(results, results.baseline))
    matched = points = ""
    for metric in results.metrics:
        sizes, levels = ([row for row in rows if row.metric == metric.name] for rows in (summary.sizes, summary.levels))
        matched += tables.sizes(codecs, metric, sizes) if sizes else ""
        matched += tables.levels(results, codecs, metric, levels) if levels else ""
        points += tables.points(results, codecs, metric)
    return section(
        "rates",
        "Bytes for equal quality",
        f"BD-rate is the average change in bytes against {baseline} at equal quality; below it stand the change of the "
        "metric at equal bytes, and the range of quality that both codecs reach. Rows with different ranges do not "
        "rank one another; the tables of equal size and quality do.",
        tables.bd_rates(results, codecs, summary) if summary.deltas else "",
        f'<div class="controls">{_metrics(results)}</div>',
        matched,
        f"<details><summary>The points of the curves</summary>{points}</details>",
    )


def _speed(results: Results, codecs: list[CodecInfo], summary: Summary) -> str:
    jobs = f" {results.jobs} processes measured at the same time." if results.jobs > 1 else ""
    cold = tables.cold_times(results) if results.cold else ""
    return section(
        "speed",
        "Speed",
        f"Megapixels a second from pixels in memory to bytes in memory, and back, with everything loaded.{jobs}",
        tables.warm_speeds(codecs, summary),
        cold,
    )


def _each(results: Results, codecs: list[CodecInfo], matches: list[Match]) -> str:
    return section(
        "each",
        "Each picture",
        "The metric of every codec at about the same size; below it, by how much its file is larger or smaller "
        "than the size aimed at.",
        f'<div class="controls">{_metrics(results)}</div>',
        *(tables.per_picture(matches, codecs, metric) for metric in results.metrics),
    )


def _missing(results: Results, shown: Gallery) -> str:
    problems = "".join(f"<li>{text(problem)}</li>" for problem in shown.problems)
    return section(
        "missing",
        "What is missing",
        "Everything that was asked for and could not be measured or shown.",
        tables.failures(results) if results.failures else "",
        tables.skipped(results) if results.skipped else "",
        f"<h3>Not in the viewer</h3><ul>{problems}</ul>" if problems else "",
    )


def _method(results: Results) -> str:
    codecs = [(codec.label, f"{codec.version}; {codec.settings}") for codec in results.codecs]
    metrics = [(metric.label, metric.version) for metric in results.metrics if metric.version]
    notes = "".join(f"<li>{text(note)}</li>" for note in results.notes)
    return section(
        "method",
        "Method",
        "Every figure is of a real file, decoded again; rates count all of its bytes. Curves are straight lines "
        "between measured points; BD-rates interpolate them by the Akima method. Where the viewer shows JPEG, WebP and "
        "AVIF, the codec’s own file is embedded and your browser decodes it; everything else is embedded without loss.",
        f'<h3>Codecs</h3><dl class="facts">{definitions(codecs)}</dl>',
        f'<h3>Metrics and libraries</h3><dl class="facts">{definitions([*metrics, *results.versions.items()])}</dl>',
        f"<h3>Notes</h3><ul>{notes}</ul>" if notes else "",
    )


def _data(results: Results, codecs: list[CodecInfo], shown: Gallery) -> dict[str, Any]:
    """What the scripts work on."""
    names = [codec.name for codec in codecs]
    ours = [name for name in names if is_ours(name)]
    # The most telling pair first: the baseline beside cnnzip, and without it the original beside the baseline.
    left = results.baseline if ours and results.baseline in names else ""
    right = ours[0] if ours else next(iter(names), "")
    return {
        "codecs": for_scripts(codecs),
        "metrics": [metric_entry(metric) for metric in results.metrics],
        "curves": {
            metric.name: {name: results.curve(name, metric.name) for name in names} for metric in results.metrics
        },
        "axis": {"label": "bits per pixel", "unit": "bpp", "digits": 3, "log": True, "point": "quality"},
        "original": {"label": "Original", "details": "lossless"},
        "pictures": shown.pictures,
        "start": {"left": left, "right": right},
    }
