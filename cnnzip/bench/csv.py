"""results.csv: a row a measurement, for spreadsheets and scripts."""

import csv
import io
from pathlib import Path

from cnnzip.bench.results import Results
from cnnzip.files import write_atomic

COLUMNS = ("codec", "picture", "quality", "bytes", "bpp", "width", "height", "encode_seconds", "decode_seconds")


def write_csv(results: Results, path: Path) -> None:
    """Write it, whole; raises FileError."""
    metrics = [metric.name for metric in results.metrics]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*COLUMNS, *metrics))
    for m in results.measurements:
        writer.writerow((*(getattr(m, name) for name in COLUMNS), *(m.metrics.get(name, "") for name in metrics)))
    write_atomic(path, text.getvalue().encode(), force=True)
