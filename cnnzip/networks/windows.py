"""Windows on a picture with a halo around them, so that a network sees of each all that its output depends on."""

from collections.abc import Iterator
from dataclasses import dataclass

Region = tuple[slice, slice]


@dataclass(frozen=True)
class Window:
    """A part of a picture; each region is rows and columns.

    Attributes:
        outer: what is read: the window and its halo, as far as the picture reaches.
        inner: what is written, within the picture.
        within: the same, within what was read.
    """

    outer: Region
    inner: Region
    within: Region


def windows(
    height: int, width: int, *, multiple: int, halo: int, side: int, region: Region | None = None
) -> Iterator[Window]:
    """Windows that cover height × width pixels, or a region of them, once, row by row.

    Every outer region begins at multiples of `multiple`, and ends there or at the picture's end.

    Args:
        height: of the picture, in pixels.
        width: of the picture.
        multiple: of this, in pixels, is the grid on which a network works.
        halo: how far, in pixels, its output depends on what is beyond a window.
        side: about the longest side of a window: what a network holds of one bounds the memory, but larger ones share
            less of it with their neighbours.
        region: what is to be covered; its beginnings are multiples of `multiple`, its ends too or the picture's.
    """
    rows, columns = region or (slice(0, height), slice(0, width))
    # What is repeated behind the picture's end, up to a multiple, must be the same for a window as for the whole.
    halo = -(-max(halo, multiple) // multiple) * multiple
    for down in _spans(rows, height, multiple, halo, side):
        for across in _spans(columns, width, multiple, halo, side):
            outer, inner, within = zip(down, across, strict=True)
            yield Window(outer, inner, within)


def _spans(span: slice, length: int, multiple: int, halo: int, side: int) -> list[tuple[slice, slice, slice]]:
    """Outer, inner and inner within outer of each window along one side, all of about equal length."""
    extent = span.stop - span.start
    count = -(-extent // side)
    step = -(-extent // (count * multiple)) * multiple
    spans = []
    for start in range(span.start, span.stop, step):
        stop = min(start + step, span.stop)
        first, last = max(start - halo, 0), min(stop + halo, length)
        spans.append((slice(first, last), slice(start, stop), slice(start - first, stop - first)))
    return spans
