"""Pixels ↔ latent by a model's networks, in windows, so that memory does not grow with the picture beyond both."""

import numpy as np
from numpy.typing import NDArray

from cnnzip.codec.model import Model
from cnnzip.image import Picture, Samples, from_planes, to_planes
from cnnzip.networks.runtime import Runtime
from cnnzip.networks.windows import Region, windows

WINDOW_SIDE = 2048
"""Pixels: networks hold some 80 bytes a pixel of a window, and a halo of 80 pixels adds a sixth to its work."""


def analyse(picture: Picture, model: Model, runtime: Runtime, side: int = WINDOW_SIDE) -> NDArray[np.float32]:
    """The latent (M, h, w) of a picture; it depends on the windows' `side` no more than by rounding."""
    stride = model.stride
    if model.halo is None or max(picture.height, picture.width) <= side:
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
    """
    stride = model.stride
    height, width = (stride * length for length in latent.shape[1:])
    rows, columns = region or (slice(0, height), slice(0, width))
    samples = np.empty((rows.stop - rows.start, columns.stop - columns.start, channels), f"u{depth // 8}")
    halo = model.halo
    if halo is None or max(rows.stop - rows.start, columns.stop - columns.start) <= side:
        halo = side = max(height, width)
    aligned = tuple(slice(s.start // stride * stride, -(-s.stop // stride) * stride) for s in (rows, columns))
    for window in windows(height, width, multiple=stride, halo=halo, side=side, region=(aligned[0], aligned[1])):
        seen = np.ascontiguousarray(latent[:, *positions(window.outer, stride)])
        planes = runtime.synthesis(seen[None])[:, :, *window.within]
        if channels < planes.shape[1]:
            planes = planes.mean(axis=1, keepdims=True)
        shown = from_planes(planes, depth)
        there = tuple(
            slice(max(inner.start, wanted.start), min(inner.stop, wanted.stop))
            for inner, wanted in zip(window.inner, (rows, columns), strict=True)
        )
        written = tuple(_moved(span, -wanted.start) for span, wanted in zip(there, (rows, columns), strict=True))
        read = tuple(_moved(span, -inner.start) for span, inner in zip(there, window.inner, strict=True))
        samples[written] = shown[read]
    return samples


def positions(pixels: Region, stride: int) -> Region:
    """The positions of the latent for a region that begins at multiples of the stride."""
    rows, columns = (slice(span.start // stride, -(-span.stop // stride)) for span in pixels)
    return rows, columns


def _moved(span: slice, by: int) -> slice:
    return slice(span.start + by, span.stop + by)


def pad(planes: NDArray[np.float32], stride: int, channels: int = 3) -> NDArray[np.float32]:
    """(1, C, H, W) to (1, channels, H', W'): sides up to multiples of `stride`, the border and gray repeated."""
    _, own, height, width = planes.shape
    known = np.repeat(planes, channels, axis=1) if own == 1 else planes
    return np.pad(known, ((0, 0), (0, 0), (0, -height % stride), (0, -width % stride)), mode="edge")
