"""One picture, one codec, one quality: coded, decoded again, timed, compared."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

import numpy as np

from cnnzip.bench.codecs.codec import Codec, Pixels
from cnnzip.bench.metrics import Metric, measure_all, psnr_rgb
from cnnzip.errors import BenchError

RUNS = 3
SECONDS = 1.0
"""Runs are repeated until there are so many, or until they have taken so long: the quick ones are the noisy ones."""

RUBBISH_PSNR = 15.0
"""dB. What is below, and further from the picture than twice its variance, is no picture of it."""

T = TypeVar("T")


@dataclass(frozen=True)
class Measured:
    """What came of it."""

    bytes: int
    encode_seconds: float
    decode_seconds: float
    metrics: dict[str, float]


def warm_up(codec: Codec) -> None:
    """Load what the codec needs, so that no measurement pays for it; its failures show later, on real pictures."""
    gray = np.full((64, 64, 3), 128, np.uint8)
    try:
        codec.decode(codec.encode(gray, codec.qualities[len(codec.qualities) // 2]))
    except Exception:
        return


def measure(codec: Codec, picture: Pixels, quality: float, metrics: list[Metric]) -> Measured:
    """Code `picture`, (H, W, 3), at `quality`, decode the file and compare.

    Raises:
        BenchError: the codec failed, or what it decoded is not the picture.
    """
    try:
        data, encode_seconds = median_seconds(lambda: codec.timed_encode(picture, quality))
        decoded, decode_seconds = median_seconds(lambda: codec.timed_decode(data))
    except BenchError:
        raise
    except Exception as error:  # a codec may raise anything; the others are still measured
        reason = " ".join(str(error).split())[:300]
        raise BenchError(f"{type(error).__name__}: {reason}" if reason else type(error).__name__) from error
    check(picture, decoded)
    return Measured(len(data), encode_seconds, decode_seconds, measure_all(metrics, picture, decoded))


def check(picture: Pixels, decoded: Pixels) -> None:
    """Refuse what no codec should decode; raises BenchError."""
    if decoded.shape != picture.shape or decoded.dtype != np.uint8:
        sizes = [f"{p.shape[1]}×{p.shape[0]}" if p.ndim > 1 else str(p.shape) for p in (decoded, picture)]
        raise BenchError(f"decoded as {sizes[0]} {decoded.dtype}, and the picture is {sizes[1]} uint8")
    psnr = psnr_rgb(picture, decoded)
    error = 255**2 / 10 ** (psnr / 10)
    if psnr < RUBBISH_PSNR and error > 2 * picture.var():
        raise BenchError(f"decoded to something else: PSNR {psnr:.1f} dB")


def median_seconds(work: Callable[[], tuple[T, float]]) -> tuple[T, float]:
    """The result of `work`, and the median of the seconds that its runs took."""
    times: list[float] = []
    while not times or (len(times) < RUNS and sum(times) < SECONDS):
        result, seconds = work()
        # Below the resolution of the clock, a rate would be infinite.
        times.append(max(seconds, 1e-6))
    return result, median(times)
