"""The parameters with which the classical denoisers do best, by mean PSNR over pictures that no result is shown on.

    python -m cnnzip.bench.denoising.tune FOLDER [--sigma 15,25,50] [--limit N] [--denoisers A,B]

Every value of each denoiser's grid is tried on all pictures. The noise is unclipped, but for what only takes 8 bits.
"""

import argparse
import itertools
import sys
from pathlib import Path

import numpy as np

from cnnzip.bench.denoising import classical
from cnnzip.bench.denoising.noise import Noise, Pixels, Samples, add_noise
from cnnzip.bench.pictures import Entry, rgb, survey
from cnnzip.errors import CnnzipError

DENOISERS: tuple[type[classical.Tuned], ...] = (
    classical.Gaussian,
    classical.Median,
    classical.BayesShrink,
    classical.VisuShrink,
    classical.TotalVariation,
    classical.Nlm,
    classical.OpenCvNlm,
)


def psnr(clean: Pixels, denoised: Samples) -> float:
    """PSNR in dB of samples clipped to 0…1."""
    error = np.clip(denoised, 0, 1) - clean / np.float32(255)
    return float(-10 * np.log10(np.mean(error.astype(np.float64) ** 2)))


def main() -> None:
    """Print the best parameters for each denoiser and sigma, and beside them what is in use."""
    parser = argparse.ArgumentParser(description="Tune the classical denoisers.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sigma", default="15,25,50")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--denoisers", default=",".join(kind.name for kind in DENOISERS))
    arguments = parser.parse_args()
    names = arguments.denoisers.split(",")
    try:
        sigmas = [float(sigma) for sigma in arguments.sigma.split(",")]
        found = survey(arguments.folder, arguments.limit)
    except (CnnzipError, ValueError) as error:
        sys.exit(f"cnnzip.bench.denoising.tune: {error}")
    pictures = [rgb(arguments.folder / entry.name) for entry in found if isinstance(entry, Entry)]
    print(f"{len(pictures)} pictures")
    for denoiser in (kind() for kind in DENOISERS if kind.name in names):
        for sigma in sigmas:
            noisy = [add_noise(clean, Noise(sigma, denoiser.eight_bit_only)) for clean in pictures]
            scores = {}
            for parameters in itertools.product(*denoiser.grid):
                outputs = (denoiser.apply(picture, sigma, *parameters) for picture in noisy)
                scores[parameters] = float(np.mean(list(map(psnr, pictures, outputs))))
            best = sorted(scores, key=lambda parameters: -scores[parameters])[:3]
            ranking = "   ".join(f"{denoiser.meaning.format(*one)} {scores[one]:.2f} dB" for one in best)
            print(f"{denoiser.name:14} σ {sigma:<4g} {ranking}", flush=True)


if __name__ == "__main__":
    main()
