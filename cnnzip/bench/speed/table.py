"""The measurements of `python -m cnnzip.bench.speed` as tables."""

from collections.abc import Iterator
from statistics import mean

from rich.table import Table

from cnnzip.bench.speed.bars import Growth, bars
from cnnzip.bench.speed.results import START, SpeedRun
from cnnzip.bench.summary import median_mps
from cnnzip.bench.table import NONE, make_table


def tables(run: SpeedRun) -> Iterator[Table]:
    """Warm and cold, a table a set; cnnzip's own sizes; the bars."""
    for pictures in run.sets:
        yield from _warm(run, pictures)
    for pictures in run.sets:
        yield from _cold(run, pictures)
    yield from _sizes(run)
    words = {True: "met", False: "missed", None: "not measured"}
    found = [(bar.what, bar.asked, bar.measured, words[bar.met]) for bar in bars(run)]
    yield from make_table("The bars of issue 8", ("what", "asked", "measured", ""), found)


def _ratio(theirs: float, ours: float | None) -> str:
    return NONE if not ours else f"{theirs / ours:.2f}"


def _warm(run: SpeedRun, pictures: str) -> Iterator[Table]:
    ours = run.warm_of(pictures, run.ours)
    encode, decode = median_mps(ours) if ours else (None, None)
    rows = []
    for codec in run.codecs:
        found = run.warm_of(pictures, codec.name)
        if found:
            theirs = median_mps(found)
            quality = f"{mean(m.bpp for m in found):.3f}", f"{mean(m.metrics['psnr_rgb'] for m in found):.2f}"
            speeds = f"{theirs[0]:.2f}", _ratio(theirs[0], encode), f"{theirs[1]:.2f}", _ratio(theirs[1], decode)
            rows.append([codec.label, *quality, *speeds, str(codec.threads)])
    columns = ("codec", "bpp", "dB", "enc MP/s", "× ours", "dec MP/s", "× ours", "threads")
    yield from make_table(f"Warm, {pictures}, {len(run.sets[pictures])} pictures, median", columns, rows)


def _cold(run: SpeedRun, pictures: str) -> Iterator[Table]:
    found = run.cold_of(pictures)
    ours = next((cold for cold in found if cold.codec == run.ours), None)
    rows = []
    for cold in found:
        # Of speeds, as in the other tables: more than 1 is quicker than cnnzip.
        encode, decode = NONE, NONE
        if ours:
            encode = _ratio(ours.encode_seconds, cold.encode_seconds)
            decode = _ratio(ours.decode_seconds, cold.decode_seconds)
        cells = [f"{1e3 * cold.encode_seconds:.0f}", encode, f"{1e3 * cold.decode_seconds:.0f}", decode]
        peaks = [f"{peak / 1e6:.0f}" for peak in (cold.encode_peak_bytes, cold.decode_peak_bytes)]
        rows.append([cold.tool, *cells, *peaks, str(cold.threads)])
    title = f"Cold, {pictures}: whole processes on {found[0].picture}, median" if found else ""
    columns = ("program", "enc ms", "× ours", "dec ms", "× ours", "enc MB", "dec MB", "threads")
    yield from make_table(title, columns, rows)


def _sizes(run: SpeedRun) -> Iterator[Table]:
    """The whole processes, and what a megapixel costs beyond the start."""
    start = run.size(START)
    totals, costs = [], []
    for size in run.sizes:
        times = [f"{seconds:.2f}" for seconds in (size.encode_seconds, size.decode_seconds)]
        peaks = [f"{peak / 1e6:.0f}" for peak in (size.encode_peak_bytes, size.decode_peak_bytes)]
        totals.append([size.name, f"{size.width}×{size.height}", *times, *peaks, str(size.runs)])
        if start and size.name != START:
            cost = Growth.of(size, start)
            seconds = [f"{1e3 * one:.1f}" for one in (cost.encode_seconds, cost.decode_seconds)]
            costs.append([size.name, *seconds, *(f"{one / 1e6:.1f}" for one in (cost.encode_bytes, cost.decode_bytes))])
    for crop in run.crops:
        cells = [NONE, f"{crop.seconds:.2f}", NONE, f"{crop.peak_bytes / 1e6:.0f}", str(crop.runs)]
        totals.append([f"crop of {crop.side}×{crop.side}", f"{crop.width}×{crop.height}", *cells])
    title = f"{run.ours} alone, whole processes, threads: {run.threads}"
    yield from make_table(title, ("size", "pixels", "enc s", "dec s", "enc MB", "dec MB", "runs"), totals, 2)
    title = f"{run.ours} alone, a megapixel beyond the start"
    yield from make_table(title, ("size", "enc ms", "dec ms", "enc MB", "dec MB"), costs)
