"""Rate control: the quality that gives a file its wanted size, or a picture its wanted PSNR.

Nothing is estimated: every size is that of a file, every PSNR that of its decoded pixels. Both rise with the quality,
so the search closes in on the goal from both sides, by false position (on the logarithm of sizes, which is nearly
linear in the quality) as long as that is quicker than halving.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cnnzip.codec.decode import decode_picture
from cnnzip.codec.encode import DEFAULT_QUALITY, Encoder
from cnnzip.errors import TargetError
from cnnzip.image import Samples
from cnnzip.prior.quality import MAX_QUALITY, QUALITY_UNITS, to_units

SIZE_TOLERANCE = 0.02
"""A file within this fraction of its target size has reached it."""

PSNR_TOLERANCE = 0.1
"""A picture within this many dB of its target PSNR has reached it."""

CLOSE_ENOUGH = 0.1
"""The search ends this far into the tolerance: the next try would cost more than it brings."""


@dataclass(frozen=True)
class Target:
    """What a picture is to be coded to; ValueError where that is no positive number."""

    kind: Literal["bytes", "bpp", "psnr"]
    value: float

    def __post_init__(self) -> None:
        if not 0 < self.value < math.inf:
            raise ValueError(f"a target is a positive number, not {self.value:g}")


def goal_of(
    quality: float | None, size: float | None = None, bpp: float | None = None, psnr: float | None = None
) -> Target | int:
    """What a caller asks for by one of them: a target, or a quality in hundredths (where all are None, the default).

    Raises:
        ValueError: more than one is given, or one is outside its range.
    """
    if sum(value is not None for value in (quality, size, bpp, psnr)) > 1:
        raise ValueError("a quality and a target, or two targets, contradict one another")
    if size is not None:
        return Target("bytes", size)
    if bpp is not None:
        return Target("bpp", bpp)
    if psnr is not None:
        return Target("psnr", psnr)
    return to_units(DEFAULT_QUALITY if quality is None else quality)


@dataclass(frozen=True)
class Encoded:
    """A file, its quality in hundredths, and its PSNR in dB where that was measured."""

    data: bytes
    units: int
    psnr: float | None = None

    @property
    def quality(self) -> float:
        """Quality 0 … 100."""
        return self.units / QUALITY_UNITS


def encode_to(encoder: Encoder, target: Target | int, max_bytes: int | None = None) -> Encoded:
    """Code a picture to its target, or at a quality in hundredths, but into `max_bytes` at most.

    Raises:
        TargetError: no quality reaches the target, or makes the file as small as `max_bytes`.
    """
    encoded = _Search(encoder).reach(target)
    if max_bytes is None or len(encoded.data) <= max_bytes:
        return encoded
    return _Search(encoder).below(max_bytes, encoded)


def psnr(reference: Samples, decoded: Samples, depth: int) -> float:
    """PSNR in dB over all samples of two pictures of `depth` bits; infinite for equal ones."""
    error = float(np.mean((reference.astype(np.float64) - decoded) ** 2))
    return 10 * math.log10((2**depth - 1) ** 2 / error) if error else math.inf


class _Search:
    """Tries qualities of one picture."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    def reach(self, target: Target | int) -> Encoded:
        if isinstance(target, int):
            return Encoded(self.encoder.at(target), target)
        if target.kind == "psnr":
            nearest = closest(self._with_psnr, _psnr_of, target.value, PSNR_TOLERANCE)
            if not abs(_psnr_of(nearest) - target.value) <= PSNR_TOLERANCE:
                raise TargetError(f"{target.value:g} dB cannot be reached: quality {_quality(nearest)}")
            return nearest
        pixels = self.encoder.picture.width * self.encoder.picture.height
        size = target.value if target.kind == "bytes" else target.value * pixels / 8
        nearest = closest(self._plain, _log_size, math.log(size), SIZE_TOLERANCE)
        if abs(len(nearest.data) / size - 1) > SIZE_TOLERANCE:
            asked = f"{size:,.0f} bytes" if target.kind == "bytes" else f"{target.value:g} bpp ({size:,.0f} bytes)"
            raise TargetError(f"{asked} cannot be reached: quality {_quality(nearest)}")
        return nearest

    def below(self, max_bytes: int, too_large: Encoded) -> Encoded:
        """The largest file of `max_bytes` at most, at a lower quality than one that is too large."""
        fitting: list[Encoded] = []

        def plain(units: int) -> Encoded:
            encoded = self._plain(units)
            if len(encoded.data) <= max_bytes:
                fitting.append(encoded)
            return encoded

        # From below: the goal lies so far inside that what is close to it also fits.
        goal = math.log(max_bytes) - SIZE_TOLERANCE * CLOSE_ENOUGH
        smallest = closest(plain, _log_size, goal, SIZE_TOLERANCE, highest=too_large.units)
        if not fitting:
            raise TargetError(f"at most {max_bytes:,} bytes cannot be reached: quality {_quality(smallest)}")
        return max(fitting, key=lambda encoded: len(encoded.data))

    def _plain(self, units: int) -> Encoded:
        return Encoded(self.encoder.at(units), units)

    def _with_psnr(self, units: int) -> Encoded:
        encoder, data = self.encoder, self.encoder.at(units)
        decoded = decode_picture(
            data,
            limit_pixels=encoder.picture.width * encoder.picture.height,
            find_model=lambda _: encoder.model,
            open_runtime=lambda _: encoder.runtime,
            threads=encoder.threads,
        )
        return Encoded(data, units, psnr(encoder.picture.color, decoded.color, encoder.picture.depth))


def closest(
    encode: Callable[[int], Encoded],
    measure: Callable[[Encoded], float],
    goal: float,
    tolerance: float,
    highest: int = MAX_QUALITY,
) -> Encoded:
    """The file whose measure is closest to `goal` among all tried: the lowest, the highest, and what lies between.

    Args:
        encode: a quality in hundredths to a file.
        measure: what is wanted of a file; it rises with the quality.
        goal: what it should be.
        tolerance: how far from it a file may be; the search ends well within.
        highest: the quality, in hundredths, up to which to search.
    """
    low, high = encode(0), encode(highest)
    tried = [low, high]
    halve = False
    while measure(low) < goal < measure(high) and high.units - low.units > 1:
        share = 0.5 if halve else (goal - measure(low)) / (measure(high) - measure(low))
        width = high.units - low.units
        units = low.units + min(max(round(share * width), 1), width - 1)
        found = encode(units)
        tried.append(found)
        if abs(measure(found) - goal) <= CLOSE_ENOUGH * tolerance:
            break
        if measure(found) < goal:
            low = found
        else:
            high = found
        # False position can creep up on the goal from one side.
        halve = high.units - low.units > width / 2
    return min(tried, key=lambda encoded: abs(measure(encoded) - goal))


def _log_size(encoded: Encoded) -> float:
    return math.log(len(encoded.data))


def _psnr_of(encoded: Encoded) -> float:
    assert encoded.psnr is not None
    return encoded.psnr


def _quality(encoded: Encoded) -> str:
    """`0 takes 1,234 bytes`, to end a message with."""
    reached = f"takes {len(encoded.data):,} bytes" if encoded.psnr is None else f"gives {encoded.psnr:.2f} dB"
    return f"{encoded.quality:g} {reached}"
