"""Numbers as people read them."""

import math
from datetime import datetime

from cnnzip.bench.results import MetricInfo

MINUS = "−"


def signed(value: float, digits: int) -> str:
    """With its sign, a true minus."""
    return f"{value:+.{digits}f}".replace("-", MINUS)


def percent(value: float) -> str:
    """A change in per cent, with its sign."""
    return f"{signed(value, 1)} %"


def nearly(value: float) -> str:
    """A change in whole per cent, with its sign."""
    return f"{signed(value, 0)} %" if round(value) else "±0 %"


def digits(metric: MetricInfo) -> int:
    """Behind the point: SSIM and its kin lie between 0 and 1, the others are tens."""
    return 2 if metric.unit or "ssimulacra" in metric.name else 4


def value(metric: MetricInfo, number: float) -> str:
    """A value of a metric, without its unit."""
    return "∞" if math.isinf(number) else f"{number:.{digits(metric)}f}".replace("-", MINUS)


def span(metric: MetricInfo, low: float, high: float) -> str:
    """A range of a metric, with its unit."""
    return f"{value(metric, low)} to {value(metric, high)} {metric.unit}".rstrip()


def seconds(number: float) -> str:
    """A time: milliseconds below one second."""
    return f"{1000 * number:.0f} ms" if number < 1 else f"{number:.2f} s"


def mebibytes(number: int) -> str:
    """An amount of memory."""
    return f"{number / (1 << 20):,.0f} MiB"


def speed(number: float) -> str:
    """Megapixels a second, three digits."""
    return f"{number:.0f}" if number >= 100 else f"{number:.3g}"


def date(moment: str) -> str:
    """A moment in ISO 8601; what is none, as it is."""
    try:
        return f"{datetime.fromisoformat(moment):%d %B %Y, %H:%M %Z}".strip().lstrip("0")
    except ValueError:
        return moment


def machine(found: dict[str, str]) -> str:
    """What the figures were measured on."""
    parts = [found.get(name, "") for name in ("processor", "cores", "memory", "system")]
    if parts[1].isdigit():
        parts[1] += " cores"
    return ", ".join(part for part in parts if part) or "unknown"
