"""The tables of the page, each as HTML."""

from collections.abc import Sequence

from cnnzip.bench.report.formats import digits, mebibytes, nearly, percent, seconds, signed, span, speed, value
from cnnzip.bench.report.markup import Cell, Column, table
from cnnzip.bench.report.matches import Match
from cnnzip.bench.results import CodecInfo, MetricInfo, Results
from cnnzip.bench.summary import Row, Speed, Summary, is_ours

NOTHING = Cell("–")


def label(results: Results, codec: str) -> str:
    """What people call a codec."""
    return next((one.label for one in results.codecs if one.name == codec), codec)


def codec_cell(codec: CodecInfo, note: str = "") -> Cell:
    """The cell that heads a codec's row."""
    return Cell(codec.label, codec.label, note, codec=codec.name, strong=is_ours(codec.name))


def bd_rates(results: Results, codecs: list[CodecInfo], summary: Summary) -> str:
    """BD-rate of every codec in every metric, with the BD-metric and the range in which both curves run."""
    columns = [Column("Codec", "ascending", numeric=False)]
    columns += [Column(metric.label, "ascending", "BD-rate") for metric in results.metrics]
    deltas = {(delta.codec, delta.metric): delta for delta in summary.deltas}

    def cell(codec: CodecInfo, metric: MetricInfo) -> Cell:
        if codec.name == results.baseline:
            return Cell("0.0 %", 0.0, "baseline")
        delta = deltas.get((codec.name, metric.name))
        if delta is None or delta.bd_rate is None or delta.low is None or delta.high is None:
            return Cell("–", note="no range in common")
        gain = "" if delta.bd_metric is None else f"{signed(delta.bd_metric, digits(metric))} {metric.unit}".rstrip()
        return Cell(percent(delta.bd_rate), delta.bd_rate, f"{gain} · {span(metric, delta.low, delta.high)}")

    rows = [[codec_cell(codec), *(cell(codec, metric) for metric in results.metrics)] for codec in codecs]
    return table(f"BD-rate against {label(results, results.baseline)}", columns, rows)


def sizes(codecs: list[CodecInfo], metric: MetricInfo, matched: list[Row]) -> str:
    """What each codec reaches at equal size."""
    first = "descending" if metric.higher_is_better else "ascending"
    columns = [Column("Codec", "ascending", numeric=False)]
    columns += [Column(f"{row.at:g} bpp", first, ranked=True) for row in matched]

    def cell(number: float | None) -> Cell:
        return NOTHING if number is None else Cell(value(metric, number), number)

    rows = [[codec_cell(codec), *(cell(row.values.get(codec.name)) for row in matched)] for codec in codecs]
    unit = f", {metric.unit}" if metric.unit else ""
    return table(f"{metric.label} at equal size{unit}", columns, rows, metric=metric.name)


def levels(results: Results, codecs: list[CodecInfo], metric: MetricInfo, matched: list[Row]) -> str:
    """The rate that each codec takes for equal quality, and how much that is against the baseline."""
    columns = [Column("Codec", "ascending", numeric=False)]
    columns += [Column(f"{row.at:g} {metric.unit}".rstrip(), "ascending", ranked=True) for row in matched]

    def cell(codec: CodecInfo, row: Row) -> Cell:
        bpp, base = row.values.get(codec.name), row.values.get(results.baseline)
        if bpp is None:
            return NOTHING
        known = base is not None and codec.name != results.baseline
        return Cell(f"{bpp:.3f}", bpp, percent(100 * (bpp / base - 1)) if known and base else "")

    rows = [[codec_cell(codec), *(cell(codec, row) for row in matched)] for codec in codecs]
    return table(f"Bits per pixel at equal {metric.label}", columns, rows, metric=metric.name)


def points(results: Results, codecs: list[CodecInfo], metric: MetricInfo) -> str:
    """The points of the curves."""
    columns = [
        Column("Codec", "ascending", numeric=False),
        Column("Quality"),
        Column("bpp", "ascending"),
        Column(metric.label, "descending" if metric.higher_is_better else "ascending"),
    ]
    rows = [
        [codec_cell(codec), Cell(f"{quality:g}", quality), Cell(f"{bpp:.3f}", bpp), Cell(value(metric, mean), mean)]
        for codec in codecs
        for quality, bpp, mean in results.curve(codec.name, metric.name)
    ]
    return table(f"Points of the {metric.label} curves, means over the pictures", columns, rows, metric=metric.name)


def warm_speeds(codecs: list[CodecInfo], summary: Summary) -> str:
    """Megapixels a second in a process that runs already."""
    speeds = {one.codec: one for one in summary.speeds}
    most = max(max(one.encode_mps, one.decode_mps) for one in summary.speeds)

    def cell(number: float) -> Cell:
        return Cell(speed(number), number, share=number / most)

    def row(codec: CodecInfo, found: Speed) -> list[Cell]:
        return [
            codec_cell(codec, codec.settings),
            cell(found.encode_mps),
            cell(found.decode_mps),
            _threads(found.threads),
        ]

    columns = [
        Column("Codec", "ascending", numeric=False),
        Column("Encode", note="MP/s", ranked=True),
        Column("Decode", note="MP/s", ranked=True),
        Column("Threads", "ascending"),
    ]
    rows = [row(codec, speeds[codec.name]) for codec in codecs]
    return table("Warm speed, median over pictures and qualities", columns, rows)


def _threads(count: int) -> Cell:
    return Cell(str(count), count) if count else Cell("its choice", 0)


def cold_times(results: Results) -> str:
    """Whole processes: time and peak memory."""
    columns = [
        Column("Program", "ascending", numeric=False),
        Column("Encode", "ascending"),
        Column("Decode", "ascending"),
        Column("Encode", "ascending", "peak memory"),
        Column("Decode", "ascending", "peak memory"),
        Column("Threads", "ascending"),
    ]
    labels = {codec.name: codec.label for codec in results.codecs}
    rows = [
        [
            Cell(labels.get(cold.codec, cold.codec), cold.codec, cold.tool, codec=cold.codec * (cold.codec in labels)),
            Cell(seconds(cold.encode_seconds), cold.encode_seconds),
            Cell(seconds(cold.decode_seconds), cold.decode_seconds),
            Cell(mebibytes(cold.encode_peak_bytes), cold.encode_peak_bytes),
            Cell(mebibytes(cold.decode_peak_bytes), cold.decode_peak_bytes),
            _threads(cold.threads),
        ]
        for cold in results.cold
    ]
    pictures = ", ".join(dict.fromkeys(cold.picture for cold in results.cold))
    return table(f"Cold: whole processes on {pictures}", columns, rows)


def per_picture(matches: Sequence[Match], codecs: list[CodecInfo], metric: MetricInfo) -> str:
    """Every picture in every codec at about the same size."""
    first = "descending" if metric.higher_is_better else "ascending"
    columns = [Column("Picture", "ascending", numeric=False), Column("bpp")]
    columns += [Column(codec.label, first) for codec in codecs]
    rows = []
    for match in matches:
        versions = {m.codec: m for m in match.versions}
        row = [Cell(match.picture, match.picture), Cell(f"{match.target.bpp:.3f}", match.target.bpp)]
        for codec in codecs:
            m = versions.get(codec.name)
            if m is None or metric.name not in m.metrics:
                row.append(NOTHING)
                continue
            off = nearly(100 * (m.bytes / match.target.bytes - 1)) if m is not match.target else "size aimed at"
            row.append(Cell(value(metric, m.metrics[metric.name]), m.metrics[metric.name], off))
        rows.append(row)
    unit = f", {metric.unit}" if metric.unit else ""
    return table(f"{metric.label} of each picture at about the same size{unit}", columns, rows, metric=metric.name)


def failures(results: Results) -> str:
    """What could not be measured."""
    columns = [
        Column("Codec", "ascending", numeric=False),
        Column("Picture", "ascending", numeric=False),
        Column("Quality", "ascending"),
        Column("What happened", "ascending", numeric=False),
    ]
    rows = [
        [
            Cell(one.codec or "–", one.codec),
            Cell(one.picture or "–", one.picture),
            NOTHING if one.quality is None else Cell(f"{one.quality:g}", one.quality),
            Cell(one.message, one.message),
        ]
        for one in results.failures
    ]
    return table("Failed", columns, rows)


def skipped(results: Results) -> str:
    """Codecs that were not measured."""
    columns = [Column("Codec", "ascending", numeric=False), Column("Why", "ascending", numeric=False)]
    rows = [[Cell(codec, codec), Cell(why, why)] for codec, why in results.skipped.items()]
    return table("Not measured", columns, rows)
