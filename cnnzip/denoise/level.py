"""How noisy a picture is, from the picture alone.

White noise has the same energy at every frequency; clean pictures have next to none at the highest ones, and least
where they are smooth. So blocks of 8×8 pixels are taken by the discrete cosine transform to frequencies, those that
have least energy at the low ones are chosen, and the level is read from the high ones: choosing by some frequencies
and reading others leaves white noise unbiased (Ponomarenko et al., IGARSS 2007; Colom and Buades, IPOL 2013). Three
things are added.

Texture reads as noise even so. But it has more energy the lower the frequency, and noise has equal: a share of the
energy at lower frequencies is subtracted from that at higher ones.

Colour tells more than brightness: differences of colour have hardly any detail. Where they say nearly as much white
noise as the luma does, they alone are believed.

Noise is not white when it comes as a JPEG: its high frequencies are gone, and so is most of what colour had. Then it is
looked for in the luma at middle frequencies, where texture is harder to tell from it: only more of it is believed.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from cnnzip.image.picture import Samples

Blocks = NDArray[np.float32 | np.uint8 | np.uint16 | np.bool_]

BLOCK = 8

DEAD_ZONE = 2.5
"""Levels below it are told as 0: a clean picture must pass unharmed, and noise as faint is hardly seen."""

MAX_BLOCKS = 8_000
"""Blocks that are looked at, however large the picture is."""

SMOOTHEST = 0.03
"""The share of the blocks that is read."""

FEWEST = 60
"""Blocks to read, if there are that many."""

TEXTURE = 0.25
"""Energy of texture at high frequencies, of that at middle ones. It is 0.1 … 0.28 in clean pictures."""

SMOOTH_TEXTURE = 0.4
"""Energy of texture at middle frequencies, of that at the lowest ones."""

SMOOTH_DEAD_ZONE = 7.0
"""The dead zone for noise that lacks the high frequencies."""

WHITE_SLOPE = 1.4
"""Energy of colour at middle frequencies, of that at high ones, up to which its noise is white, and so the luma's."""

SMOOTH_EXCESS = 1.6
"""Such noise is believed where it is above this times the white noise."""

LUMA_EXCESS = 1.5
"""Luma noise above this times that of colour is believed, as in photographs, whose colour has been smoothed."""

CLIPPED = 0.03
"""Of a block's samples: with more at either end of the scale, it hides noise."""

MARGIN = 2.0
"""In deviations of the noise, how far a block's mean is from either end of the scale, where clipping is in play."""

_ORDER = np.add.outer(np.arange(BLOCK), np.arange(BLOCK)).ravel()
_LOWEST, _LOW, _MIDDLE, _HIGH, _COLOR_HIGH = (
    np.isin(_ORDER, band) for band in ((1, 2), range(1, 5), (5, 6), range(11, 15), range(8, 15))
)


def _transform() -> NDArray[np.float32]:
    """(64, 64): frequencies by samples, the orthonormal cosine transform of 8×8 blocks."""
    at = np.arange(BLOCK)
    rows = np.cos((2 * at + 1) * at[:, None] * np.pi / (2 * BLOCK)) * np.sqrt(2 / BLOCK)
    rows[0] /= np.sqrt(2)
    return np.kron(rows, rows).astype(np.float32)


_TRANSFORM = _transform()

_OPPONENT = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]], dtype=np.float32)
_OPPONENT /= np.sqrt(np.square(_OPPONENT).sum(axis=1, keepdims=True))
"""RGB to luma and two differences of colour, orthonormal: white noise stays white, and of the same level."""


def estimate_level(color: NDArray[np.float32] | Samples, seen: NDArray[np.bool_] | None = None) -> float:
    """The noise's standard deviation, of each sample on the scale 0…255; 0.0 where a picture seems clean.

    Args:
        color: (H, W, C), C = 1 or 3: samples of 8 or 16 bits, or numbers in 0…1; unclipped noise may reach beyond.
        seen: (H, W), which pixels count; by default, or where no block is seen whole, all.

    Returns:
        The level; 0.0 also where a side is below 8 pixels.
    """
    height, width, _ = color.shape
    if min(height, width) < BLOCK:
        return 0.0
    # An odd step meets every phase of the blocks of a JPEG.
    step = 3
    while (height // step) * (width // step) > MAX_BLOCKS:
        step += 2
    blocks = _blocks(color, step)
    if seen is not None:
        whole = _blocks(seen[..., None], step).all(axis=(1, 2))
        blocks = blocks[whole] if whole.any() else blocks
    return _level(blocks)


def _blocks(samples: Blocks, step: int) -> Blocks:
    """(H, W, C) to (n, C, 64): the blocks that begin at every `step`-th row and column."""
    windows = sliding_window_view(samples, (BLOCK, BLOCK), axis=(0, 1))[::step, ::step]
    return windows.reshape(-1, samples.shape[2], BLOCK * BLOCK)


def _level(blocks: Blocks) -> float:
    """The level that blocks (n, C, 64) tell."""
    top = 1 if np.issubdtype(blocks.dtype, np.floating) else 2 ** (8 * blocks.itemsize) - 1
    clipped = ((blocks == 0) | (blocks == top)).mean(axis=(1, 2))
    samples = blocks.astype(np.float32) * np.float32(255 / top)
    energy = _energy(samples)
    lowness = energy[:, 0, _LOW].sum(axis=1)

    def read(usable: NDArray[np.intp]) -> float:
        count = max(min(FEWEST, len(usable)), int(SMOOTHEST * len(usable)))
        smooth = usable[np.argpartition(lowness[usable], count - 1)[:count]]
        return _read(energy[smooth])

    usable = np.flatnonzero(clipped <= CLIPPED)
    level = read(usable if len(usable) >= FEWEST else np.argsort(clipped)[:FEWEST])
    if level == 0 or len(usable) > 0.95 * len(blocks):
        return level
    # The unclipped blocks of a noisy picture are those that happen to have little noise: choose anew by their means.
    means = samples.mean(axis=2)
    margin = np.minimum(means, 255 - means).min(axis=1)
    for _ in range(2):
        usable = np.flatnonzero(margin >= MARGIN * level)
        few = max(FEWEST, len(blocks) // 10)
        level = read(usable if len(usable) >= few else np.argsort(-margin)[:few])
    return level


def _energy(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Blocks (n, C, 64) to the energy at each frequency of luma and, for colour, of two differences."""
    planes = samples if samples.shape[1] == 1 else _OPPONENT @ samples
    return np.square(planes @ _TRANSFORM.T)


def _read(energy: NDArray[np.float32]) -> float:
    """The level that the energy (n, C, 64) of smooth blocks tells."""

    def at(plane: int, frequencies: NDArray[np.bool_]) -> float:
        # The median of all frequencies: one that a grid or a scanner adds changes nothing.
        return float(np.median(energy[:, plane][:, frequencies].mean(axis=0)))

    # Energies are squares of levels.
    white = max(0.0, (at(0, _HIGH) - TEXTURE * at(0, _MIDDLE)) / (1 - TEXTURE))
    smooth = max(0.0, (at(0, _MIDDLE) - SMOOTH_TEXTURE * at(0, _LOWEST)) / (1 - SMOOTH_TEXTURE))
    if energy.shape[1] == 3:
        color = (at(1, _COLOR_HIGH) + at(2, _COLOR_HIGH)) / 2
        middle = (at(1, _MIDDLE) + at(2, _MIDDLE)) / 2
        white = color if white <= LUMA_EXCESS**2 * color else (white + 2 * color) / 3
        is_white = color >= DEAD_ZONE**2 and middle <= WHITE_SLOPE * color
        smooth = 0.0 if is_white else (smooth + 2 * min(smooth, middle)) / 3
    if smooth >= max(SMOOTH_DEAD_ZONE**2, SMOOTH_EXCESS**2 * white):
        return math.sqrt(smooth)
    return math.sqrt(white) if white >= DEAD_ZONE**2 else 0.0
