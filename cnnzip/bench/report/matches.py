"""For every picture, each codec at about the same size: what the viewer shows side by side."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cnnzip.bench.pictures import rgb
from cnnzip.bench.report.formats import nearly
from cnnzip.bench.report.images import Exhibit, Pixels, Version
from cnnzip.bench.results import CodecInfo, Measurement, Results
from cnnzip.bench.summary import is_ours

MIDDLE_QUALITIES = (30.0, 60.0)
"""Of cnnzip: where differences can be seen and nothing falls apart."""
MIDDLE_BPP = (0.2, 0.7)
"""The same for a codec whose qualities mean something else."""

Render = Callable[[str, Path, float], tuple[bytes, Pixels]]
"""Codec, picture's path and quality to the coded file and the decoded RGB picture (H, W, 3)."""


@dataclass(frozen=True)
class Match:
    """One picture: the size aimed at, in bytes, whose it is, and each codec's file nearest to it."""

    picture: str
    target: Measurement
    versions: tuple[Measurement, ...]


def match_pictures(results: Results, codecs: list[CodecInfo]) -> list[Match]:
    """A match for every picture; the size is that of one file of the first codec, and of the baseline without it."""
    by_picture: dict[str, dict[str, list[Measurement]]] = {}
    for m in results.measurements:
        by_picture.setdefault(m.picture, {}).setdefault(m.codec, []).append(m)
    names = [codec.name for codec in codecs]
    return [_match(picture, found, names) for picture, found in by_picture.items()]


def _match(picture: str, found: dict[str, list[Measurement]], names: list[str]) -> Match:
    sweeps = [found[name] for name in names if name in found]
    reference = sweeps[0]
    middle = [m for m in reference if _is_middle(m)]

    def spread(m: Measurement) -> tuple[float, float]:
        """How far the codec that comes least near is from the size of `m`, then how far that is from 0.5 bpp."""
        offs = [_off(_nearest(sweep, m.bytes), m.bytes) for sweep in sweeps]
        return max(offs), abs(math.log(m.bpp / 0.5))

    target = min(middle or reference, key=spread)
    return Match(picture, target, tuple(_nearest(sweep, target.bytes) for sweep in sweeps))


def _is_middle(m: Measurement) -> bool:
    (low, high), place = (MIDDLE_QUALITIES, m.quality) if is_ours(m.codec) else (MIDDLE_BPP, m.bpp)
    return low <= place <= high


def _nearest(sweep: list[Measurement], size: int) -> Measurement:
    return min(sweep, key=lambda m: _off(m, size))


def _off(m: Measurement, size: int) -> float:
    return abs(math.log(m.bytes / size))


def exhibits(matches: list[Match], folder: Path, render: Render) -> list[Exhibit]:
    """What the viewer shows of the matches; the pictures are in `folder`."""
    shown = []
    for match in matches:
        path = folder / match.picture
        versions = tuple(
            Version(
                codec=m.codec,
                make=partial(render, m.codec, path, m.quality),
                metrics=m.metrics,
                details=f"{m.bytes:,} B · {m.bpp:.3f} bpp · q {m.quality:g}",
                note=nearly(100 * (m.bytes / match.target.bytes - 1)),
            )
            for m in match.versions
        )
        shown.append(Exhibit(match.picture, partial(rgb, path), versions))
    return shown
