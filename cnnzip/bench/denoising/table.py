"""The results as tables on a terminal; they fit into 80 columns."""

from collections.abc import Callable, Iterator

from rich.console import Console
from rich.table import Table

from cnnzip.bench.denoising.measure import PSNR
from cnnzip.bench.denoising.noise import KINDS, Noise
from cnnzip.bench.denoising.results import DenoisingResults
from cnnzip.bench.denoising.summary import Row, Summary
from cnnzip.bench.table import NONE, make_table


def print_tables(results: DenoisingResults, summary: Summary, console: Console) -> None:
    """Print what was measured; the conclusion, PSNR, comes last, where a terminal shows it."""
    for table in tables(results, summary):
        console.print(table)


def tables(results: DenoisingResults, summary: Summary) -> Iterator[Table]:
    """Speed, the levels found, and each metric in each kind of noise."""
    yield from _speeds(results, summary)
    for eight_bit in KINDS:
        yield from _level(results, summary, eight_bit)
    for metric in reversed(results.metrics):
        digits = 2 if metric.unit else 4

        def cell(row: Row, name: str = metric.name, digits: int = digits) -> str:
            value = row.metrics[name]
            same = f"{row.same} same" if row.same and name == PSNR else ""
            shown = "" if value is None else f"{value:.{digits}f}"
            return ", ".join(filter(None, (shown, same))) or NONE

        label = f"{metric.label}, {metric.unit}" if metric.unit else metric.label
        for eight_bit in KINDS:
            yield from _by_sigma(results, summary, eight_bit, label, cell)


def _by_sigma(
    results: DenoisingResults, summary: Summary, eight_bit: bool, title: str, cell: Callable[[Row], str]
) -> Iterator[Table]:
    """A denoiser a row, a sigma a column, in one kind of noise; rows without content are left out."""
    noises = [noise for noise in results.noises if noise.eight_bit == eight_bit]
    rows, pictures = [], set()
    for denoiser in results.denoisers:
        found = [summary.row(denoiser.name, noise) for noise in noises]
        pictures |= {row.pictures for row in found if row}
        cells = [cell(row) if row else NONE for row in found]
        if any(text != NONE for text in cells):
            rows.append([denoiser.label, *cells])
    count = f"{min(pictures)}" if len(pictures) == 1 else f"{min(pictures)} to {max(pictures)}" if pictures else ""
    many = f"{count} picture{'s' * (count != '1')}"
    columns = ("denoiser", *(f"σ {noise.sigma:g}" for noise in noises))
    yield from make_table(f"{title}, {Noise(0, eight_bit).kind}, {many}", columns, rows)


def _level(results: DenoisingResults, summary: Summary, eight_bit: bool) -> Iterator[Table]:
    def cell(row: Row) -> str:
        return NONE if row.level is None else f"{row.level:.2f}"

    yield from _by_sigma(results, summary, eight_bit, "σ found", cell)


def _speeds(results: DenoisingResults, summary: Summary) -> Iterator[Table]:
    known = {denoiser.name: denoiser for denoiser in results.denoisers}
    rows = []
    for speed in summary.speeds:
        denoiser = known[speed.denoiser]
        threads = str(speed.threads) if speed.threads else "?"
        rows.append([denoiser.label, denoiser.version, f"{speed.seconds_a_megapixel:.3f}", threads])
    yield from make_table("Warm, s/MP, median", ("denoiser", "version", "s/MP", "threads"), rows, text_columns=2)
