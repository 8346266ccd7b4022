"""What is asked of cnnzip's speed (issue 8), beside what was measured."""

from collections.abc import Iterator
from dataclasses import dataclass

from cnnzip.bench.speed.results import KODAK, START, Size, SpeedRun
from cnnzip.bench.summary import median_mps
from cnnzip.bench.table import NONE

AVIF_RATIO = 2.0
DECODE_MPS = 5.0
COLD_ENCODE_SECONDS, COLD_DECODE_SECONDS = 0.5, 0.45
GROWTH = 1.2
PEAK_BYTES = 2e9
CROP_SECONDS = 0.6


@dataclass(frozen=True)
class Bar:
    """One of them."""

    what: str
    asked: str
    measured: str
    met: bool | None
    """None where it could not be measured."""


@dataclass(frozen=True)
class Growth:
    """What a megapixel costs beyond the start of the program: seconds and bytes."""

    encode_seconds: float
    decode_seconds: float
    encode_bytes: float
    decode_bytes: float

    @classmethod
    def of(cls, size: Size, start: Size) -> "Growth":
        """Of a size, with what the start costs taken off."""
        return cls(
            (size.encode_seconds - start.encode_seconds) / size.megapixels,
            (size.decode_seconds - start.decode_seconds) / size.megapixels,
            (size.encode_peak_bytes - start.encode_peak_bytes) / size.megapixels,
            (size.decode_peak_bytes - start.decode_peak_bytes) / size.megapixels,
        )


def bars(run: SpeedRun) -> Iterator[Bar]:
    """Every bar; those about sizes are judged by the largest that was measured."""
    yield from _warm(run, run.ours, "")
    openvino = f"{run.ours}-openvino"
    if any(run.warm_of(pictures, openvino) for pictures in run.sets):
        yield from _warm(run, openvino, " with OpenVINO")
    cold = next((cold for cold in run.cold_of(KODAK) if cold.codec == run.ours), None)
    yield _below(f"cold encode of {KODAK}, s", COLD_ENCODE_SECONDS, cold.encode_seconds if cold else None)
    yield _below(f"cold decode of {KODAK}, s", COLD_DECODE_SECONDS, cold.decode_seconds if cold else None)
    yield from _growth(run)
    largest = next((size for size in reversed(run.sizes) if size.name != START), None)
    name = largest.name if largest else "the largest"
    for what, peak in (
        ("encode", largest.encode_peak_bytes if largest else None),
        ("decode", largest.decode_peak_bytes if largest else None),
    ):
        yield _below(f"{what}, memory at {name}, GB", PEAK_BYTES / 1e9, None if peak is None else peak / 1e9)
    crop = run.crops[0] if run.crops else None
    what = f"cold crop of {crop.side}×{crop.side} out of {crop.name}, s" if crop else f"cold crop out of {name}, s"
    yield _below(what, CROP_SECONDS, crop.seconds if crop else None)


def _warm(run: SpeedRun, codec: str, how: str) -> Iterator[Bar]:
    for pictures in run.sets:
        ours, avif = run.warm_of(pictures, codec), run.warm_of(pictures, "avif")
        ratio = median_mps(ours)[0] / median_mps(avif)[0] if ours and avif else None
        yield _at_least(f"warm encode{how}, {pictures}: × the speed of AVIF", AVIF_RATIO, ratio, 2)
        yield _at_least(f"warm decode{how}, {pictures}: MP/s", DECODE_MPS, median_mps(ours)[1] if ours else None, 1)


def _growth(run: SpeedRun) -> Iterator[Bar]:
    """The dearest size beside the smallest."""
    start = run.size(START)
    sizes = [size for size in run.sizes if size.name != START]
    costs = [Growth.of(size, start) for size in sizes] if start else []
    for field, what in (
        ("encode_seconds", "encode, time"),
        ("decode_seconds", "decode, time"),
        ("encode_bytes", "encode, memory"),
        ("decode_bytes", "decode, memory"),
    ):
        first, *others = (getattr(cost, field) for cost in costs) if costs else (0.0,)
        said = f"{what} a megapixel"
        if not others or first <= 0:
            yield Bar(said, f"≤ × {GROWTH:g}", NONE, None)
        else:
            worst = max(others)
            said += f": {sizes[1 + others.index(worst)].name} beside {sizes[0].name}"
            yield Bar(said, f"≤ × {GROWTH:g}", f"× {worst / first:.2f}", worst <= GROWTH * first)


def _below(what: str, limit: float, measured: float | None) -> Bar:
    asked = f"< {limit:g}"
    return Bar(what, asked, NONE, None) if measured is None else Bar(what, asked, f"{measured:.2f}", measured < limit)


def _at_least(what: str, limit: float, measured: float | None, digits: int) -> Bar:
    asked = f"≥ {limit:g}"
    if measured is None:
        return Bar(what, asked, NONE, None)
    return Bar(what, asked, f"{measured:.{digits}f}", measured >= limit)
