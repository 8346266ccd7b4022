"""What changed from one benchmark to another: the BD-rate of each codec against itself."""

from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from cnnzip.bench.results import Results
from cnnzip.bench.summary import Delta, delta
from cnnzip.bench.table import make_table
from cnnzip.errors import BenchError


@dataclass(frozen=True)
class Change:
    """One codec in one metric."""

    delta: Delta
    before: str
    """The codec's version."""
    after: str
    worse: bool
    """By more than the tolerance."""


def compare(before: Results, after: Results, tolerance: float) -> list[Change]:
    """Every codec and metric that both have, over the pictures that both have, by the names of their files.

    Args:
        before: the earlier results.
        after: those that are judged.
        tolerance: per cent of BD-rate by which a codec may get worse.

    Raises:
        BenchError: no codec and metric is in both with curves that can be compared.
    """
    names = [codec.name for codec in after.codecs if codec.name in {c.name for c in before.codecs}]
    metrics = [metric for metric in after.metrics if metric.name in {m.name for m in before.metrics}]
    changes = []
    for name in names:
        for metric in metrics:
            found = delta(before, after, name, metric)
            if found.bd_rate is not None:
                versions = before.codec(name).version, after.codec(name).version
                changes.append(Change(found, *versions, worse=found.bd_rate > tolerance))
    if not changes:
        raise BenchError("the two results have no codec, metric and pictures in common that can be compared")
    return changes


def as_json(changes: list[Change], tolerance: float) -> dict[str, Any]:
    """The changes as JSON values."""
    return {"tolerance": tolerance, "worse": any(c.worse for c in changes), "changes": [asdict(c) for c in changes]}


def table(changes: list[Change], after: Results, tolerance: float) -> Table:
    """The changes for people."""
    rows = [
        [
            after.codec(change.delta.codec).label,
            after.metric(change.delta.metric).label,
            f"{change.delta.bd_rate:+.2f} %",
            f"{change.delta.low:.4g} to {change.delta.high:.4g}",
            str(change.delta.pictures),
            "worse" if change.worse else "",
        ]
        for change in changes
    ]
    title = f"BD-rate against before; more than {tolerance:+g} % is worse"
    return next(make_table(title, ("codec", "metric", "BD-rate", "from … to", "pictures", ""), rows, text_columns=2))
