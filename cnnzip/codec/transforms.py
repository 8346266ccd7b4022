"""Pixels ↔ latent by a model's networks, in windows, so that memory does not grow with the picture beyond both."""

from threading import Lock

import numpy as np
from numpy.typing import NDArray

from cnnzip.codec.model import Model
from cnnzip.codec.workers import side_by_side, usable_cores
from cnnzip.image import Picture, Samples, from_planes, to_planes
from cnnzip.networks.runtime import Runtime
from cnnzip.networks.windows import Region, windows

WINDOW_SIDE = 1152
"""Pixels: networks hold up to 200 bytes a pixel of a window, and a halo of 80 pixels adds a third to its work."""

AT_ONCE = 2
"""So many windows are worked on side by side: while one does what a network leaves to a single thread, the other has
all cores. More would take more memory."""

WHOLE_PIXELS = 1 << 20
"""A picture no larger is worked on in one piece: its halves would share too much."""


def analyse(
    picture: Picture, model: Model, runtime: Runtime, *, side: int = WINDOW_SIDE, threads: int = 0
) -> NDArray[np.float32]:
    """The latent (M, h, w) of a picture; it depends on the windows no more than by rounding.

    Args:
        picture: whose colour it is.
        model: whose networks these are.
        runtime: what runs its analysis.
        side: about the longest side of a window, in pixels.
        threads: for the windows; 0 is all cores.
    """
    stride, sides = model.stride, (picture.height, picture.width)
    halo, side = (max(sides),) * 2 if model.halo is None else (model.halo, side_of(*sides, side))
    parts = list(windows(*sides, multiple=stride, halo=halo, side=side))
    runtime = shared(runtime, len(parts))

    def analysis(seen: Picture) -> NDArray[np.float32]:
        found: NDArray[np.float32] = runtime.analysis(pad(to_planes(seen), stride, model.channels))[0]
        return found

    seen = (Picture(picture.color[window.outer]) for window in parts)
    latent = np.empty(model.latent_shape(picture.width, picture.height), dtype=np.float32)
    for window, found in zip(parts, side_by_side(analysis, seen, min(threads or usable_cores(), AT_ONCE)), strict=True):
        latent[:, *positions(window.inner, stride)] = found[:, *positions(window.within, stride)]
    return latent


class Synthesis:
    """The pixels of a region of a picture, made window by window, by several threads or one.

    Args:
        sides: of the whole latent, in positions.
        model: whose networks these are.
        runtime: what runs its synthesis.
        channels: 1 for gray, 3 for colour.
        depth: bits a sample.
        region: the pixels that are wanted; by default all that the latent covers.
        side: about the longest side of a window, in pixels.
        shrink: 2, 4 or 8 for a preview of ⌈H / shrink⌉ × ⌈W / shrink⌉ pixels, each about the mean of so many a side;
            the region then begins at multiples of the stride.
    """

    def __init__(
        self,
        sides: tuple[int, int],
        model: Model,
        runtime: Runtime,
        *,
        channels: int,
        depth: int,
        region: Region | None = None,
        side: int = WINDOW_SIDE,
        shrink: int = 1,
    ) -> None:
        stride = model.stride
        height, width = (stride * length for length in sides)
        rows, columns = region or (slice(0, height), slice(0, width))
        self._shrink, self._channels, self._depth = shrink, channels, depth
        self._samples: Samples | None = None
        self._lock = Lock()
        self._wanted = [slice(span.start // shrink, -(-span.stop // shrink)) for span in (rows, columns)]
        if model.halo is None:
            halo = side = max(height, width)
        else:
            halo, side = model.halo, side_of(rows.stop - rows.start, columns.stop - columns.start, side)
        top, left = (span.start // stride * stride for span in (rows, columns))
        bottom, right = (-(-span.stop // stride) * stride for span in (rows, columns))
        aligned = slice(top, bottom), slice(left, right)
        self.windows = list(windows(height, width, multiple=stride, halo=halo, side=side, region=aligned))
        self.seen: list[Region] = [positions(window.outer, stride) for window in self.windows]
        """The positions of the latent that each window is made of."""
        self._runtime = shared(runtime, len(self.windows))
        self._runtime.preload("synthesis" if shrink == 1 else "preview")

    @property
    def samples(self) -> Samples:
        """(H, W, C), of which each window that was made has written its part."""
        with self._lock:
            # Not before the first window: until a tile has turned out to be sound, the picture's size is but a claim.
            if self._samples is None:
                shape = *(span.stop - span.start for span in self._wanted), self._channels
                self._samples = np.empty(shape, f"u{self._depth // 8}")
            return self._samples

    def make(self, number: int, latent: NDArray[np.float32]) -> None:
        """Write those samples that a window has, given what it sees of the latent, (M, h, w)."""
        window, shrink = self.windows[number], self._shrink
        planes = _pixels(latent[None], self._runtime, shrink)
        planes = planes[:, :, *(_shrunk(span, shrink) for span in window.within)]
        if self._channels < planes.shape[1]:
            planes = planes.mean(axis=1, keepdims=True)
        shown = from_planes(planes, self._depth)
        made = tuple(_shrunk(span, shrink) for span in window.inner)
        there = [slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(made, self._wanted, strict=True)]
        written = tuple(_moved(span, -whole.start) for span, whole in zip(there, self._wanted, strict=True))
        read = tuple(_moved(span, -whole.start) for span, whole in zip(there, made, strict=True))
        self.samples[written] = shown[read]


def shared(runtime: Runtime, count: int) -> Runtime:
    """The runtime for so many windows."""
    return runtime if count == 1 else runtime.sharing(min(AT_ONCE, count))


def side_of(height: int, width: int, side: int = WINDOW_SIDE) -> int:
    """The longest side of the windows of a region, in pixels, for which about `side` are allowed."""
    shorter, longer = sorted((height, width))
    if height * width > side**2:
        return side
    # Two windows side by side take less time than one, if what they share is little.
    return longer if height * width <= WHOLE_PIXELS else max(shorter, -(-longer // 2))


def _pixels(latent: NDArray[np.float32], runtime: Runtime, shrink: int) -> NDArray[np.float32]:
    """The pixels of a latent (1, M, h, w), or the means of `shrink` a side."""
    if shrink == 1:
        return runtime.synthesis(latent)
    preview = runtime.preview(latent)
    if preview is None:
        return _means(runtime.synthesis(latent), shrink)
    return _means(preview, shrink // 2)


def _means(planes: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """The means of `side` × `side` pixels, (1, C, H, W) to (1, C, H / side, W / side)."""
    _, channels, height, width = planes.shape
    cells = planes.reshape(1, channels, height // side, side, width // side, side)
    means: NDArray[np.float32] = cells.mean(axis=(3, 5))
    return means


def positions(pixels: Region, stride: int) -> Region:
    """The positions of the latent for a region that begins at multiples of the stride."""
    rows, columns = (slice(span.start // stride, -(-span.stop // stride)) for span in pixels)
    return rows, columns


def _shrunk(span: slice, shrink: int) -> slice:
    return slice(span.start // shrink, span.stop // shrink)


def _moved(span: slice, by: int) -> slice:
    return slice(span.start + by, span.stop + by)


def pad(planes: NDArray[np.float32], stride: int, channels: int = 3) -> NDArray[np.float32]:
    """(1, C, H, W) to (1, channels, H', W'): sides up to multiples of `stride`, the border and gray repeated."""
    _, own, height, width = planes.shape
    known = np.repeat(planes, channels, axis=1) if own == 1 else planes
    return np.pad(known, ((0, 0), (0, 0), (0, -height % stride), (0, -width % stride)), mode="edge")
