"""Pixels ↔ latent by a model's networks, in windows, so that memory does not grow with the picture beyond both."""

import numpy as np
from numpy.typing import NDArray

from cnnzip.codec.model import Model
from cnnzip.image import Picture, Samples, from_planes, to_planes
from cnnzip.networks.runtime import Runtime
from cnnzip.networks.windows import Region, windows

WINDOW_SIDE = 1536
"""Pixels: networks hold up to 200 bytes a pixel of a window, and a halo of 80 pixels adds a fifth to its work."""


def analyse(picture: Picture, model: Model, runtime: Runtime, side: int = WINDOW_SIDE) -> NDArray[np.float32]:
    """The latent (M, h, w) of a picture; it depends on the windows' `side` no more than by rounding."""
    stride = model.stride
    if model.halo is None or picture.height * picture.width <= side**2:
        found: NDArray[np.float32] = runtime.analysis(pad(to_planes(picture), stride, model.channels))[0]
        return found
    latent = np.empty(model.latent_shape(picture.width, picture.height), dtype=np.float32)
    for window in windows(picture.height, picture.width, multiple=stride, halo=model.halo, side=side):
        seen = Picture(picture.color[window.outer])
        found = runtime.analysis(pad(to_planes(seen), stride, model.channels))[0]
        latent[:, *positions(window.inner, stride)] = found[:, *positions(window.within, stride)]
    return latent


def synthesise(
    latent: NDArray[np.float32],
    model: Model,
    runtime: Runtime,
    *,
    channels: int,
    depth: int,
    region: Region | None = None,
    side: int = WINDOW_SIDE,
    shrink: int = 1,
) -> Samples:
    """The pixels (H, W, C) that a latent (M, h, w) stands for; they depend on the windows' `side` by one step at most.

    Args:
        latent: what was decoded.
        model: whose networks these are.
        runtime: what runs its synthesis.
        channels: 1 for gray, 3 for colour.
        depth: bits a sample.
        region: the pixels that are wanted; by default all that the latent covers. The latent must reach beyond them by
            the model's halo, as far as the picture does.
        side: about the longest side of a window, in pixels.
        shrink: 2, 4 or 8 for a preview of ⌈H / shrink⌉ × ⌈W / shrink⌉ pixels, each about the mean of so many a side;
            the region then begins at multiples of the stride.
    """
    stride = model.stride
    height, width = (stride * length for length in latent.shape[1:])
    rows, columns = region or (slice(0, height), slice(0, width))
    wanted = tuple(slice(span.start // shrink, -(-span.stop // shrink)) for span in (rows, columns))
    samples = np.empty((*(span.stop - span.start for span in wanted), channels), f"u{depth // 8}")
    halo = model.halo
    if halo is None or (rows.stop - rows.start) * (columns.stop - columns.start) <= side**2:
        halo = side = max(height, width)
    aligned = tuple(slice(s.start // stride * stride, -(-s.stop // stride) * stride) for s in (rows, columns))
    for window in windows(height, width, multiple=stride, halo=halo, side=side, region=(aligned[0], aligned[1])):
        seen = np.ascontiguousarray(latent[:, *positions(window.outer, stride)])
        planes = _pixels(seen[None], runtime, shrink)[:, :, *(_shrunk(span, shrink) for span in window.within)]
        if channels < planes.shape[1]:
            planes = planes.mean(axis=1, keepdims=True)
        shown = from_planes(planes, depth)
        made = tuple(_shrunk(span, shrink) for span in window.inner)
        there = tuple(slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(made, wanted, strict=True))
        written = tuple(_moved(span, -whole.start) for span, whole in zip(there, wanted, strict=True))
        read = tuple(_moved(span, -whole.start) for span, whole in zip(there, made, strict=True))
        samples[written] = shown[read]
    return samples


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
