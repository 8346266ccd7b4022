"""One picture, one noise, one denoiser: denoised, timed, compared with the clean picture."""

import math
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnzip.bench.denoising.denoiser import Denoiser
from cnnzip.bench.denoising.noise import Noise, Pixels, Samples, add_noise
from cnnzip.bench.measure import median_seconds
from cnnzip.bench.metrics import METRICS, measure_all
from cnnzip.errors import BenchError

MEASURES = [METRICS["psnr_rgb"], METRICS["ssim"]]
PSNR = MEASURES[0].name

SAME_PSNR = 100.0
"""dB. What is nearer to the clean picture is the same: only float32 has rounded it."""


@dataclass(frozen=True)
class Measured:
    """What came of it."""

    seconds: float
    metrics: dict[str, float]
    level: float | None


def warm_up(denoiser: Denoiser) -> None:
    """Load what the denoiser needs, so that no measurement pays for it; its failures show later, on real pictures."""
    noise = Noise(25.0, eight_bit=True)
    try:
        denoiser.denoise(add_noise(np.full((64, 64, 3), 128, np.uint8), noise), noise.sigma)
    except Exception:
        return


def measure(denoiser: Denoiser, clean: Pixels, noisy: Samples, noise: Noise) -> Measured:
    """Denoise `noisy`, (H, W, 3), and compare with `clean`.

    Raises:
        BenchError: the denoiser failed.
    """

    def run() -> tuple[tuple[Samples, float | None], float]:
        start = time.perf_counter()
        result = denoiser.denoise(noisy, noise.sigma)
        return result, time.perf_counter() - start

    try:
        (denoised, level), seconds = median_seconds(run)
    except BenchError:
        raise
    except Exception as error:  # a denoiser may raise anything; the others are still measured
        reason = " ".join(str(error).split())[:300]
        raise BenchError(f"{type(error).__name__}: {reason}" if reason else type(error).__name__) from error
    if denoised.shape != clean.shape or not np.isfinite(denoised).all():
        raise BenchError("gave another size or what are no numbers")
    metrics = measure_all(MEASURES, clean, shown(denoised, noise))
    if metrics[PSNR] > SAME_PSNR:
        metrics[PSNR] = math.inf
    return Measured(seconds, metrics, level)


def shown(denoised: Samples, noise: Noise) -> NDArray[np.float64]:
    """What is compared with the clean picture: 0…255.

    From unclipped noise, outputs are clipped and not rounded, as in the literature. From noise of 8 bits they are
    clipped and rounded, as in a file.
    """
    values = np.clip(denoised.astype(np.float64) * 255, 0, 255)
    return np.rint(values) if noise.eight_bit else values
