"""Denoising: pixels and a noise level to pixels, tile by tile.

The network does the work (`networks/denoise.py`); here is what stands around it: how tiles meet without seams, what
becomes of gray, alpha and 16 bits, and what `strength`, `keep_detail` and `chroma` mean.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnzip.denoise.level import estimate_level
from cnnzip.errors import PictureError
from cnnzip.image import Picture, Samples, from_planes
from cnnzip.networks.windows import Window, windows

if TYPE_CHECKING:
    from cnnzip.denoise.model import Denoiser

Pixels = NDArray[np.float32]

MAX_SIGMA = 255.0

TILE_SIDE = 1024
"""Pixels. What the network holds of one tile bounds the memory; larger tiles share less of it with their neighbours."""

CHROMA = 1.75
"""By this the level is raised for colour where colour is to be treated more strongly."""

KEPT = 0.5
"""Of what was taken from the luma, the share that `keep_detail` puts back where there is much structure."""

_REACH = 3
"""Pixels: structure is looked for in squares of 2·3 + 1 a side."""

_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass(frozen=True)
class _Manner:
    """The arguments of `denoise_pixels`, checked."""

    sigma: float
    strength: float
    keep_detail: bool
    chroma: bool

    def __post_init__(self) -> None:
        if not 0 <= self.sigma <= MAX_SIGMA:
            raise ValueError(f"sigma must lie in 0 … {MAX_SIGMA:g}, not {self.sigma:g}")
        if not 0 <= self.strength <= 1:
            raise ValueError(f"strength must lie in 0 … 1, not {self.strength:g}")

    @property
    def changes_nothing(self) -> bool:
        """Whether the result is the input."""
        return self.sigma == 0 or self.strength == 0

    def tiles(self, size: tuple[int, ...], denoiser: "Denoiser", side: int) -> Iterator[Window]:
        """Those of a picture of `size`, its height and width."""
        halo = denoiser.halo + (_REACH if self.keep_detail else 0)
        return windows(*size, multiple=denoiser.multiple, halo=halo, side=side)


def denoise_pixels(
    color: Pixels,
    denoiser: "Denoiser",
    *,
    sigma: float,
    strength: float = 1.0,
    keep_detail: bool = False,
    chroma: bool = False,
    tile_side: int = TILE_SIDE,
) -> Pixels:
    """Take the noise out of `color`.

    Args:
        color: (H, W, C) in 0…1, C = 1 or 3. Unclipped noise may reach beyond.
        denoiser: what does it.
        sigma: the noise's standard deviation, of each sample on the scale 0…255; 0 gives the input back.
        strength: 1 is all of it, 0 gives the input back, between them is a blend.
        keep_detail: of what was taken from the luma, put back v / (2·(v + σ²)), with v the variance of the denoised
            luma in the 7×7 pixels around: nearly half where there is texture or an edge, which hides noise, and
            next to nothing in flat areas, where it is seen.
        chroma: take colour from a second pass with 1.75 times the level, and luma alone from the first. Twice the time.
        tile_side: about the longest side of a tile, in pixels; the result depends on it no more than by rounding.

    Returns:
        (H, W, C), not clipped.

    Raises:
        ValueError: a sigma outside 0…255 or a strength outside 0…1.
        PictureError: a colour picture, and a denoiser that knows gray alone.
        BadModelError: the network fails.
    """
    manner = _Manner(sigma, strength, keep_detail, chroma)
    if manner.changes_nothing:
        return color
    _check_channels(color, denoiser)
    result = np.empty_like(color)
    for tile in manner.tiles(color.shape[:2], denoiser, tile_side):
        result[tile.inner] = _denoised(color[tile.outer], denoiser, manner)[tile.within]
    return result


def denoise_picture(
    picture: Picture,
    denoiser: "Denoiser",
    *,
    sigma: float | None = None,
    strength: float = 1.0,
    keep_detail: bool = False,
    chroma: bool = False,
) -> tuple[Picture, float]:
    """Take the noise out of a picture; depth, alpha and metadata stay, and so do colours under full transparency.

    Args:
        picture: what to denoise.
        denoiser: what does it.
        sigma: see `denoise_pixels`; None has the level estimated from what is not fully transparent.
        strength: see `denoise_pixels`.
        keep_detail: see `denoise_pixels`.
        chroma: see `denoise_pixels`; without effect on gray pictures.

    Returns:
        The picture, and the level that was given or found. Where that is 0, it is the very same picture.

    Raises:
        ValueError, PictureError, BadModelError: as `denoise_pixels`.
    """
    hidden = None if picture.alpha is None else picture.alpha == 0
    if sigma is None:
        sigma = estimate_level(picture.color, None if hidden is None else ~hidden)
    manner = _Manner(sigma, strength, keep_detail, chroma)
    if manner.changes_nothing:
        return picture, sigma
    _check_channels(picture.color, denoiser)
    top = np.float32(2**picture.depth - 1)
    color = np.empty_like(picture.color)
    # The whole picture is never here as floats: with its halo, a tile of it is.
    for tile in manner.tiles(picture.color.shape[:2], denoiser, TILE_SIDE):
        denoised = _denoised(picture.color[tile.outer].astype(np.float32) / top, denoiser, manner)[tile.within]
        color[tile.inner] = from_planes(denoised.transpose(2, 0, 1)[None], picture.depth)
    if hidden is not None:
        color[hidden] = picture.color[hidden]
    return replace(picture, color=color), sigma


def _check_channels(color: Pixels | Samples, denoiser: "Denoiser") -> None:
    """Raises PictureError where colour meets a denoiser of gray."""
    if color.shape[2] > denoiser.channels:
        raise PictureError(f"a colour picture, and model '{denoiser.description.name}' knows gray alone")


def _denoised(noisy: Pixels, denoiser: "Denoiser", manner: _Manner) -> Pixels:
    """A tile (h, w, C) without its noise; towards its borders it lacks the surroundings."""
    clean = _run(noisy, denoiser, manner.sigma)
    if manner.chroma and noisy.shape[2] == 3:
        smooth = _run(noisy, denoiser, CHROMA * manner.sigma)
        clean = smooth + (_luma(clean) - _luma(smooth))
    if manner.keep_detail:
        luma = _luma(clean)
        structure = _variance(luma[..., 0])[..., None]
        share = np.float32(KEPT) * structure / (structure + np.float32((manner.sigma / 255) ** 2))
        clean = clean + share * (_luma(noisy) - luma)
    if manner.strength == 1:
        return clean
    return noisy + np.float32(manner.strength) * (clean - noisy)


def _run(noisy: Pixels, denoiser: "Denoiser", sigma: float) -> Pixels:
    """What the network makes of (h, w, C): gray is repeated, and sides are mirrored up to its multiples."""
    height, width, channels = noisy.shape
    bottom, right = -height % denoiser.multiple, -width % denoiser.multiple
    # Mirrored noise is noise like any other; repeated samples would be stripes.
    padded = np.pad(noisy, ((0, bottom), (0, right), (0, 0)), mode="symmetric")
    planes = np.repeat(padded.transpose(2, 0, 1)[None], denoiser.channels // channels, axis=1)
    level = np.full((1, 1, *planes.shape[2:]), sigma / 255, dtype=np.float32)
    clean = denoiser.run(np.ascontiguousarray(planes), level)[0, :, :height, :width]
    return clean.mean(axis=0)[..., None] if channels == 1 else clean.transpose(1, 2, 0)


def _luma(color: Pixels) -> Pixels:
    """(h, w, C) to (h, w, 1): Rec. 601."""
    return color if color.shape[2] == 1 else (color @ _LUMA)[..., None]


def _variance(plane: Pixels) -> Pixels:
    """The variance in the square around each pixel of (h, w), in which the border is repeated."""
    mean = _mean(plane)
    return np.maximum(_mean(plane * plane) - mean * mean, 0)


def _mean(plane: Pixels) -> Pixels:
    """The mean of the square around each pixel, added in the same order wherever a tile begins."""
    side = 2 * _REACH + 1
    height, width = plane.shape
    padded = np.pad(plane, _REACH, mode="edge")
    rows = sum((padded[i : i + height] for i in range(1, side)), padded[:height])
    both: Pixels = sum((rows[:, j : j + width] for j in range(1, side)), rows[:, :width])
    return both / np.float32(side * side)
