"""What the page says first: the comparison in one sentence, computed, and the same against every other codec."""

import math
from dataclasses import dataclass

from cnnzip.bench.report.formats import percent, span
from cnnzip.bench.report.markup import text
from cnnzip.bench.results import CodecInfo, MetricInfo, Results
from cnnzip.bench.summary import between, is_ours


@dataclass(frozen=True)
class Change:
    """A BD-rate in per cent, and the range of the metric over which it was taken, as text."""

    rate: float
    range: str


@dataclass(frozen=True)
class Headline:
    """As HTML: the sentence, and a list of the same against the others."""

    sentence: str
    others: str
    """Items of a list; empty where there is nothing to compare with."""


def headline(results: Results, codecs: list[CodecInfo]) -> Headline:
    """The best model of cnnzip against the baseline, and against the others, in the first metric."""
    if not results.metrics or not codecs:
        return Headline("Nothing was measured.", "")
    metric = results.metrics[0]
    ours = [codec for codec in codecs if is_ours(codec.name)]
    changes = {codec: _change(results, codec.name, results.baseline, metric) for codec in ours}
    known = {codec: change for codec, change in changes.items() if change}
    if not known:
        if not ours:
            why = "cnnzip was not measured"
        elif results.baseline not in [codec.name for codec in codecs]:
            why = f"The baseline, {text(results.baseline)}, was not measured"
        else:
            why = "cnnzip has no range of quality in common with the baseline"
        return Headline(f"{len(codecs)} codecs, side by side.<small>{why}.</small>", "")
    best = min(known, key=lambda codec: known[codec].rate)
    others = [codec for codec in codecs if not is_ours(codec.name) and codec.name != results.baseline]
    against = [(codec, _change(results, best.name, codec.name, metric)) for codec in others]
    baseline = next((codec.label for codec in codecs if codec.name == results.baseline), results.baseline)
    return Headline(_sentence(best, known[best], baseline, metric), _others(against))


def _change(results: Results, codec: str, baseline: str, metric: MetricInfo) -> Change | None:
    """The change of `codec` against `baseline`; None where they have no range in common."""
    delta = between(results, codec, baseline, metric)
    if delta.bd_rate is None or delta.low is None or delta.high is None:
        return None
    return Change(delta.bd_rate, span(metric, delta.low, delta.high))


def _sentence(best: CodecInfo, change: Change, baseline: str, metric: MetricInfo) -> str:
    many = f"{abs(change.rate):.1f}\u00a0% {'fewer' if change.rate < 0 else 'more'} bytes"
    return (
        f"At equal {text(metric.label)}, {text(best.label)} takes <em>{many}</em> than {text(baseline)}."
        f"<small>BD-rate over {text(change.range)}</small>"
    )


def _others(against: list[tuple[CodecInfo, Change | None]]) -> str:
    """A list, the largest saving first."""
    rates = [change.rate for _, change in against if change]
    low, high = min([0.0, *rates]), max([0.0, *rates])
    last = math.inf
    return "".join(
        f'<li><span class="whom"><span data-swatch="{text(codec.name)}"></span>'
        f"<span>against {text(codec.label)}</span>"
        f"<small>{text(change.range if change else 'no range in common')}</small></span>"
        f"{_bar(change.rate, low, high) if change else '<span></span><b>–</b>'}</li>"
        for codec, change in sorted(against, key=lambda pair: pair[1].rate if pair[1] else last)
    )


def _bar(rate: float, low: float, high: float) -> str:
    """A bar from zero to `rate` on an axis from `low` to `high`, and the rate: savings to the left."""
    kind = "less" if rate < 0 else "more"
    unit = 100 / ((high - low) or 1.0)
    start = unit * (min(rate, 0.0) - low)
    return (
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="{kind}" x="{start:.2f}" width="{unit * abs(rate):.2f}" height="8"/></svg>'
        f'<b class="{kind}">{percent(rate)}</b>'
    )
