"""A denoiser: a bundle as a codec's model is one, with one network and no prior."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cnnzip.codec.model import Description, checked_arrays, read_description
from cnnzip.codec.models import find_bundle
from cnnzip.errors import ModelError
from cnnzip.networks.runtime import DenoiseRuntime, open_denoise_runtime

DEFAULT_DENOISER = "denoise"


@dataclass(frozen=True)
class Denoiser:
    """A denoiser that is ready to run."""

    description: Description
    runtime: DenoiseRuntime

    @property
    def multiple(self) -> int:
        """The sides of what it is given must be multiples of it."""
        return self.description.stride

    @property
    def halo(self) -> int:
        """Pixels, a multiple of `multiple`, that the output of a tile depends on beyond it.

        The tile must lie on a multiple in the picture.
        """
        assert self.description.halo is not None  # as it is with every denoiser that could be loaded
        return self.description.halo

    @property
    def channels(self) -> int:
        """Planes that it takes and gives: 3, or 1 in a gray model."""
        return self.description.channels

    def run(self, noisy: NDArray[np.float32], level: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take the noise away.

        Args:
            noisy: (1, C, H, W) in 0…1.
            level: (1, 1, H, W), σ / 255.

        Returns:
            (1, C, H, W), not clipped.

        Raises:
            BadModelError: the network fails.
        """
        return self.runtime.denoise(noisy, level)


def load_denoiser(folder: Path, runtime: str = "onnx", threads: int = 0) -> Denoiser:
    """Load the bundle in `folder`, checking every file against the description and the weights against the id.

    Raises:
        BadModelError: a file is missing or damaged, or the weights are not those of the id.
        ModelError: it is a codec's model, there is no such runtime, or torch is not installed.
    """
    description = read_description(folder)
    if description.codes:
        raise ModelError(f"model '{description.name}' codes pictures and takes no noise away; see cnnzip models")
    checked_arrays(folder, description)
    family, options = description.family, description.options
    return Denoiser(description, open_denoise_runtime(runtime, folder, family, options, threads))


def open_denoiser(name: str = DEFAULT_DENOISER, runtime: str = "onnx", threads: int = 0) -> Denoiser:
    """The denoiser called `name`, or in the folder `name`, found where models are.

    Args:
        name: of the bundle.
        runtime: one of `networks.runtime.RUNTIMES`.
        threads: for the network; 0 takes all cores.

    Raises:
        ModelNotFoundError: there is none.
        BadModelError, ModelError: see `load_denoiser`.
    """
    return load_denoiser(find_bundle(name), runtime, threads)
