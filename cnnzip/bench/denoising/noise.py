"""White Gaussian noise that is the same wherever and in whatever order it is measured."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Samples = NDArray[np.float32]

SIGMAS = (15.0, 25.0, 50.0)
LARGEST_SIGMA = 255.0


@dataclass(frozen=True)
class Noise:
    """A strength: the standard deviation of each sample on the scale 0…255, and how the noisy picture is kept."""

    sigma: float
    eight_bit: bool
    """Clipped to 0…255 and rounded, as a file has it; else real numbers of any size, as the literature has it."""

    @property
    def kind(self) -> str:
        """Its name in files."""
        return "8-bit" if self.eight_bit else "unclipped"


KINDS = {False: "unclipped", True: "clipped to 8 bits"}
"""By `Noise.eight_bit`, for people; in the order in which they are shown."""


def noises(sigmas: tuple[float, ...]) -> list[Noise]:
    """Every strength in both kinds."""
    return [Noise(sigma, eight_bit) for eight_bit in KINDS for sigma in sigmas]


def add_noise(clean: Pixels, noise: Noise) -> Samples:
    """The noisy picture, (H, W, 3), where 1 is white.

    The seed is made of the pixels and sigma, so both kinds of noise have the same realisation.
    """
    content = hashlib.sha256(repr((clean.shape, noise.sigma)).encode() + clean.tobytes()).digest()
    random = np.random.default_rng(int.from_bytes(content, "big"))
    noisy = clean + noise.sigma * random.standard_normal(clean.shape)
    return (np.clip(np.rint(noisy), 0, 255) if noise.eight_bit else noisy).astype(np.float32) / np.float32(255)


def to_pixels(picture: Samples) -> Pixels:
    """The picture with 8 bits a sample, clipped and rounded to the nearest."""
    return np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8)
