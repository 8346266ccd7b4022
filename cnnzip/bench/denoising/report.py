"""`report.html` of a benchmark of denoisers: the page, style, curves and viewer of the codecs' report."""

from functools import partial
from pathlib import Path
from typing import Any

from cnnzip import __version__
from cnnzip.bench.denoising import report_tables as tables
from cnnzip.bench.denoising.denoiser import Denoiser, DenoiserInfo
from cnnzip.bench.denoising.measure import PSNR
from cnnzip.bench.denoising.noise import KINDS, Noise, Pixels, add_noise, to_pixels
from cnnzip.bench.denoising.registry import NOISY
from cnnzip.bench.denoising.report_tables import SHOWN, View, views
from cnnzip.bench.denoising.results import DenoisingResults, Measurement
from cnnzip.bench.denoising.summary import Summary
from cnnzip.bench.pictures import rgb
from cnnzip.bench.report.formats import date, machine, seconds, signed
from cnnzip.bench.report.images import Exhibit, Gallery, Version, evenly, gallery
from cnnzip.bench.report.markup import choice, definitions, nav, section, text
from cnnzip.bench.report.page import assemble, metric_entry, viewer
from cnnzip.bench.report.palette import FAMILIES, OTHERS
from cnnzip.bench.summary import is_ours
from cnnzip.files import write_atomic

PICTURES = 4
"""In the viewer, each with noise of every strength."""
NAMES = {
    "curves": "Curves",
    "pictures": "Pictures",
    "means": "Means",
    "speed": "Speed",
    "each": "Each picture",
    "missing": "Missing",
    "method": "Method",
}


def write_report(
    results: DenoisingResults, summary: Summary, folder: Path, output: Path, denoisers: list[Denoiser]
) -> None:
    """Write the report, whole or not at all; a report that is there is replaced.

    Args:
        results: what was measured; something was.
        summary: of the results.
        folder: where the pictures are that `Measurement.picture` names.
        output: the HTML file.
        denoisers: denoise again what the viewer shows; what fails is left out of it and named on the page.

    Raises:
        FileError: `output` cannot be written.
    """
    measured = {m.denoiser for m in results.measurements}
    shown = [info for info in results.denoisers if info.name in measured]
    pictures = gallery(_exhibits(results, folder, {denoiser.name: denoiser for denoiser in denoisers}))
    sections = _sections(results, summary, shown, pictures)
    count = len(results.pictures)
    many = f"{len(shown)} denoisers · {count} picture{'s' * (count != 1)}"
    parts = {
        "title": text(f"cnnzip bench: {', '.join(info.label for info in shown)}"),
        "generator": text(f"cnnzip {__version__}"),
        "nav": nav((identity, NAMES[identity]) for identity in sections),
        "eyebrow": text(f"cnnzip bench --task denoise · {many} · {date(results.created)}"),
        "headline": _headline(results, summary, shown),
        "others": "",
        "facts": definitions(_facts(results)),
        "command": text(results.command),
        "sections": "".join(sections.values()),
        "footer": text(f"cnnzip {__version__} · {date(results.created)}"),
    }
    write_atomic(output, assemble(parts, _data(results, summary, shown, pictures), pictures.blobs).encode(), force=True)


def _exhibits(results: DenoisingResults, folder: Path, denoisers: dict[str, Denoiser]) -> list[Exhibit]:
    """A few pictures with noise of 8 bits, which is what a screen can show and every denoiser takes."""
    found: dict[tuple[str, Noise], list[Measurement]] = {}
    for m in results.measurements:
        found.setdefault((m.picture, m.noise), []).append(m)
    exhibits = []
    for picture in evenly(results.pictures, PICTURES):
        for noise in (noise for noise in results.noises if noise.eight_bit and noise.sigma > 0):
            ms = found.get((picture, noise), [])
            base = next((m.metrics[PSNR] for m in ms if m.denoiser == NOISY), None)
            versions = (_version(m, denoisers[m.denoiser], folder / picture, base) for m in ms)
            name = f"{picture}, σ {noise.sigma:g}"
            exhibits.append(Exhibit(name, partial(rgb, folder / picture), tuple(versions)))
    return exhibits


def _version(m: Measurement, denoiser: Denoiser, path: Path, base: float | None) -> Version:
    def make() -> tuple[bytes, Pixels]:
        denoised, _ = denoiser.denoise(add_noise(rgb(path), m.noise), m.sigma)
        return b"", to_pixels(denoised)

    metrics = {view.name: m.metrics[view.metric.name] for view in SHOWN if view.metric.name in m.metrics}
    details = [f"σ {m.sigma:g}"] if m.denoiser == NOISY else [seconds(m.seconds)]
    details += [] if m.level is None else [f"found σ {m.level:.1f}"]
    gain = "" if base is None or m.denoiser == NOISY else f"{signed(m.metrics[PSNR] - base, 1)} dB"
    return Version(m.denoiser, make, metrics, " · ".join(details), gain)


def _headline(results: DenoisingResults, summary: Summary, shown: list[DenoiserInfo]) -> str:
    """The best of cnnzip's blind denoisers beside the best of the others, in the middle of the sweep."""
    noises = [noise for noise in results.noises if noise.sigma > 0 and not noise.eight_bit]
    middle = noises[len(noises) // 2] if noises else None
    ours = summary.best(middle, ours=True, blind=True) or summary.best(middle, ours=True) if middle else None
    if middle is None or ours is None:
        return f"{len(shown)} denoisers, side by side."
    labels = {info.name: info.label for info in shown}
    other = summary.best(middle, ours=False)
    value = ours.metrics[PSNR] or 0.0
    sentence = f"At σ {middle.sigma:g}, {text(labels[ours.denoiser])} reaches <em>{value:.2f}\u00a0dB</em>"
    if other:
        than = value - (other.metrics[PSNR] or 0.0)
        more = "more" if than >= 0 else "less"
        sentence += f", {abs(than):.2f}\u00a0dB {more} than {text(labels[other.denoiser])}, the best of the others"
    return f"{sentence}.<small>PSNR (RGB), noise {KINDS[False]}, mean over {ours.pictures} pictures</small>"


def _facts(results: DenoisingResults) -> list[tuple[str, str]]:
    sizes = {m.picture: m.megapixels for m in results.measurements}
    sigmas = sorted({noise.sigma for noise in results.noises})
    return [
        ("Pictures", f"{len(sizes)}, {sum(sizes.values()):.1f} MP"),
        ("Noise", f"white, Gaussian, σ {', '.join(f'{sigma:g}' for sigma in sigmas)}; {' and '.join(KINDS.values())}"),
        ("Measured", f"{len(results.measurements):,} pictures denoised"),
        ("Machine", machine(results.machine)),
    ]


def _sections(
    results: DenoisingResults, summary: Summary, shown: list[DenoiserInfo], pictures: Gallery
) -> dict[str, str]:
    """Their HTML in the order of the page; what has no content is left out."""
    each = views(results)
    choices = [(view.name, view.label) for view in each]
    pick = f'<div class="controls">{choice("Metric", "choose-metric", choices)}</div>'
    sections = {
        "curves": section(
            "curves",
            "Noise and what is left of it",
            "Each point is the mean over all pictures at one strength of the noise. Click a denoiser to hide it, "
            "<i>only</i> to see it alone.",
            pick,
            '<div class="plot"><div id="chart"></div><ul id="legend"></ul></div>',
        )
    }
    if pictures.pictures:
        sections["pictures"] = section(
            "pictures",
            "See for yourself",
            "Noise clipped to 8 bits, as a picture on a screen has to be; beside each denoiser its time, and its gain "
            "in PSNR over the noisy picture. Drag the divider, or click the picture and use <kbd>←</kbd> "
            "<kbd>→</kbd>; <kbd>+</kbd> <kbd>−</kbd> <kbd>0</kbd> and the wheel zoom, dragging pans, <kbd>d</kbd> "
            "shows the difference.",
            viewer(pictures),
        )
    sections["means"] = section(
        "means",
        "Means over the pictures",
        "Below each value stands what the denoiser gains over the noisy picture. A picture that comes back exactly is "
        "counted and is in no mean of PSNR.",
        pick,
        *(tables.means(results, summary, shown, view) for view in each),
    )
    sections["speed"] = section(
        "speed",
        "Speed",
        "Seconds a megapixel from samples in memory to samples in memory, with everything loaded; "
        f"{results.jobs} process{'es' * (results.jobs > 1)} at a time.",
        tables.speeds(summary, shown),
    )
    sections["each"] = section(
        "each",
        "Each picture",
        "Every picture in the middle of the sweep.",
        pick,
        *(tables.per_picture(results, shown, view) for view in each),
    )
    problems = "".join(f"<li>{text(problem)}</li>" for problem in pictures.problems)
    if results.failures or results.skipped or problems:
        sections["missing"] = section(
            "missing",
            "What is missing",
            "Everything that was asked for and could not be measured or shown.",
            tables.failures(results) if results.failures else "",
            tables.skipped(results) if results.skipped else "",
            f"<h3>Not in the viewer</h3><ul>{problems}</ul>" if problems else "",
        )
    sections["method"] = _method(results)
    return sections


def _method(results: DenoisingResults) -> str:
    told = {True: "blind", False: "told σ"}
    denoisers = [
        (info.label, "; ".join(filter(None, (info.version, told[info.blind], info.settings))))
        for info in results.denoisers
        if info.name != NOISY
    ]
    notes = "".join(f"<li>{text(note)}</li>" for note in results.notes)
    return section(
        "method",
        "Method",
        "White Gaussian noise, seeded by the picture’s pixels and σ. Unclipped: real numbers go in, and what comes out "
        "is clipped to 0…255 and not rounded before it is compared. Clipped to 8 bits: noisy and denoised pictures "
        "are clipped and rounded, as they are in files. The noisy picture itself is measured in the same ways.",
        f'<h3>Denoisers</h3><dl class="facts">{definitions(denoisers)}</dl>',
        f'<h3>Libraries</h3><dl class="facts">{definitions(results.versions.items())}</dl>',
        f"<h3>Notes</h3><ul>{notes}</ul>" if notes else "",
    )


def _data(results: DenoisingResults, summary: Summary, shown: list[DenoiserInfo], pictures: Gallery) -> dict[str, Any]:
    """What the scripts work on."""
    each = views(results)
    whole = all(noise.sigma.is_integer() for noise in results.noises)
    names = [info.name for info in shown]
    first = [name for name in names if is_ours(name)] or [name for name in names if name != NOISY] or names
    return {
        "codecs": _looks(shown),
        "metrics": [metric_entry(view.info) for view in each],
        "curves": {view.name: {name: _curve(results, summary, name, view) for name in names} for view in each},
        "axis": {"label": "σ of the noise", "unit": "of 255", "digits": 0 if whole else 2, "log": False, "point": ""},
        "original": {"label": "Clean", "details": "before the noise"},
        "pictures": pictures.pictures,
        "start": {"left": NOISY, "right": first[0]},
    }


def _curve(results: DenoisingResults, summary: Summary, name: str, view: View) -> list[tuple[None, float, float]]:
    """(nothing, sigma, value) wherever there is noise."""
    noises = [noise for noise in results.noises if noise.eight_bit == view.eight_bit and noise.sigma > 0]
    rows = [row for noise in noises if (row := summary.row(name, noise))]
    return [(None, row.sigma, value) for row in rows if (value := row.metrics[view.metric.name]) is not None]


def _looks(shown: list[DenoiserInfo]) -> list[dict[str, Any]]:
    """What the scripts know of each denoiser: a colour each, and those of cnnzip share theirs."""
    colours = [*FAMILIES[1:], *(f"other{number}" for number in range(OTHERS))]
    looks, used = [], dict.fromkeys((FAMILIES[0], *colours), 0)
    for index, info in enumerate(shown):
        ours = is_ours(info.name)
        colour = FAMILIES[0] if ours else colours[index % len(colours)]
        looks.append(
            {
                "name": info.name,
                "label": info.label,
                "family": colour,
                "variant": used[colour],
                "index": index,
                "ours": ours,
            }
        )
        used[colour] += 1
    return looks
