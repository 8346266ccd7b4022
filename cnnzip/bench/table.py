"""The results as tables on a terminal; they fit into 80 columns."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cnnzip.bench.results import MetricInfo, Results
from cnnzip.bench.summary import Delta, Row, Summary

NONE = "–"


def print_tables(results: Results, summary: Summary, console: Console) -> None:
    """Print what was measured; the conclusion comes last, where a terminal shows it."""
    for table in tables(results, summary):
        console.print(table)


def tables(results: Results, summary: Summary) -> Iterator[Table]:
    """Each metric at matched sizes, at matched quality and against the baseline; speed; all BD-rates."""
    for metric in results.metrics:
        digits = _digits(metric)
        yield from _rows(results, summary.sizes, metric, f"{_title(metric)} at equal bits a pixel", digits)
        yield from _rows(results, summary.levels, metric, f"Bits a pixel at equal {_title(metric)}", 3)
        yield from _deltas(results, summary, metric)
    yield from _cold(results)
    yield from _speeds(results, summary)
    yield from _overview(results, summary)
    for ours in dict.fromkeys(delta.codec for delta in summary.direct):
        yield from _direct(results, summary, ours)


def make_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], text_columns: int = 1
) -> Iterator[Table]:
    """A table, where it has rows; the first `text_columns` are text, the others numbers."""
    if not rows:
        return
    table = Table(title=Text(title, style="bold"), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(Text(column), justify="left" if number < text_columns else "right", overflow="fold")
    for row in rows:
        # Not strings, in which Rich would take square brackets for markup.
        table.add_row(*map(Text, row))
    yield table


def _title(metric: MetricInfo) -> str:
    return f"{metric.label}, {metric.unit}" if metric.unit else metric.label


def _digits(metric: MetricInfo) -> int:
    """Decimals: those of an index up to 1 matter to the fourth, those of a dB or of a score to the second."""
    return 4 if metric.name in ("ssim", "ms_ssim") else 2


def _rows(results: Results, rows: list[Row], metric: MetricInfo, title: str, digits: int) -> Iterator[Table]:
    """A codec a row, a place a column."""
    ours = [row for row in rows if row.metric == metric.name]
    codecs = ours[0].values if ours else {}
    columns = ["codec", *(f"{row.at:g}" for row in ours)]
    cells = [[results.codec(codec).label, *(_number(row.values[codec], digits) for row in ours)] for codec in codecs]
    yield from make_table(title, columns, cells)


def _number(value: float | None, digits: int) -> str:
    return NONE if value is None else f"{value:.{digits}f}"


def _span(low: float | None, high: float | None, digits: int) -> str:
    return NONE if low is None else f"{low:.{digits}f} to {high:.{digits}f}"


def _per_cent(delta: Delta) -> str:
    return NONE if delta.bd_rate is None else f"{delta.bd_rate:+.1f} %"


def _deltas(results: Results, summary: Summary, metric: MetricInfo) -> Iterator[Table]:
    digits = _digits(metric)
    title = f"{_title(metric)}, against {results.codec(summary.baseline).label}"
    rows = [
        [
            results.codec(delta.codec).label,
            _per_cent(delta),
            _span(delta.low, delta.high, digits),
            NONE if delta.bd_metric is None else f"{delta.bd_metric:+.{digits}f}",
            _span(delta.low_bpp, delta.high_bpp, 2),
            str(delta.pictures),
        ]
        for delta in summary.deltas
        if delta.metric == metric.name
    ]
    yield from make_table(title, ("codec", "BD-rate", "from … to", "gain", "bpp from … to", "pictures"), rows)


def _overview(results: Results, summary: Summary) -> Iterator[Table]:
    """The BD-rates of all metrics."""
    title = f"BD-rate against {results.codec(summary.baseline).label}"
    found = {(delta.codec, delta.metric): _per_cent(delta) for delta in summary.deltas}
    codecs = dict.fromkeys(delta.codec for delta in summary.deltas)
    rows = [
        [results.codec(codec).label, *(found[codec, metric.name] for metric in results.metrics)] for codec in codecs
    ]
    yield from make_table(title, ("codec", *(metric.label for metric in results.metrics)), rows)


def _direct(results: Results, summary: Summary, ours: str) -> Iterator[Table]:
    """One model of cnnzip against every other codec, in every metric."""
    deltas = {(delta.baseline, delta.metric): delta for delta in summary.direct if delta.codec == ours}
    columns, rows = ["against"], []
    for metric in results.metrics:
        columns += [metric.label, "from … to"]
    for other in dict.fromkeys(baseline for baseline, _ in deltas):
        row = [results.codec(other).label]
        for metric in results.metrics:
            delta = deltas[other, metric.name]
            row += [_per_cent(delta), _span(delta.low, delta.high, _digits(metric))]
        rows.append(row)
    yield from make_table(f"BD-rate of {results.codec(ours).label}", columns, rows)


def _speeds(results: Results, summary: Summary) -> Iterator[Table]:
    rows = []
    for speed in summary.speeds:
        codec = results.codec(speed.codec)
        threads = str(speed.threads) if speed.threads else "?"
        rows.append([codec.label, codec.version, f"{speed.encode_mps:.2f}", f"{speed.decode_mps:.2f}", threads])
    yield from make_table(
        "Warm, MP/s, median", ("codec", "version", "encode", "decode", "threads"), rows, text_columns=2
    )


def _cold(results: Results) -> Iterator[Table]:
    rows = []
    for cold in results.cold:
        encode = (f"{1e3 * cold.encode_seconds:.0f}", f"{cold.encode_peak_bytes / 1e6:.0f}")
        decode = (f"{1e3 * cold.decode_seconds:.0f}", f"{cold.decode_peak_bytes / 1e6:.0f}")
        rows.append([cold.codec, cold.tool, *encode, *decode, str(cold.threads)])
    title = f"Cold: whole processes on {results.cold[0].picture}, median" if rows else ""
    columns = ("codec", "program", "encode ms", "MB", "decode ms", "MB", "threads")
    yield from make_table(title, columns, rows, text_columns=2)
