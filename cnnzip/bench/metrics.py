"""The metrics. Pictures are (H, W, 3), sRGB, 0…255: uint8, and for PSNR and SSIM also real numbers.

LPIPS and DISTS are left out: their packages load the weights of a backbone from the network when they run.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnzip.bench.results import MetricInfo
from cnnzip.errors import UsageError

Pixels = NDArray[np.uint8 | np.float64]

LUMA = np.array([0.299, 0.587, 0.114])
"""Of R, G and B: BT.601, full range, as in JPEG."""


@dataclass(frozen=True)
class Metric:
    """How good a decoded picture is beside its original."""

    name: str
    label: str
    unit: str
    package: str
    """The package that computes it; what is missing is left out and named."""
    min_side: int
    """Pixels that the shorter side needs at least."""
    measure: Callable[[Pixels, Pixels], float]
    higher_is_better: bool = True

    @property
    def info(self) -> MetricInfo:
        """What the results say of it."""
        return MetricInfo(self.name, self.label, self.unit, self.higher_is_better, _version(self.package) or "")

    @property
    def missing(self) -> str | None:
        """Why it cannot be measured here; None if it can."""
        return None if _version(self.package) else f"{self.package} is not installed"


def _version(package: str) -> str | None:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return None


def psnr_rgb(original: Pixels, decoded: Pixels) -> float:
    """PSNR in dB over all samples; infinite where nothing was lost."""
    return _psnr(original.astype(np.float64) - decoded)


def psnr_y(original: Pixels, decoded: Pixels) -> float:
    """PSNR in dB of luma, which is not rounded."""
    return _psnr((original.astype(np.float64) - decoded) @ LUMA)


def _psnr(difference: NDArray[np.float64]) -> float:
    mse = np.mean(difference**2)
    return float(10 * np.log10(255**2 / mse)) if mse else float("inf")


def ssim(original: Pixels, decoded: Pixels) -> float:
    """SSIM as Wang et al., 2004, define it (Gaussian window of 11 pixels, σ 1.5), mean over R, G and B."""
    from skimage.metrics import structural_similarity

    options: dict[str, Any] = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return float(structural_similarity(original, decoded, data_range=255, channel_axis=-1, **options))


def ms_ssim(original: Pixels, decoded: Pixels) -> float:
    """MS-SSIM of Wang et al., 2003, over five scales, mean over R, G and B."""
    import torch
    from pytorch_msssim import ms_ssim as measure

    ours, theirs = (torch.from_numpy(p.astype(np.float32)).permute(2, 0, 1)[None] for p in (original, decoded))
    return float(measure(ours, theirs, data_range=255))


def ssimulacra2(original: Pixels, decoded: Pixels) -> float:
    """SSIMULACRA2, version 2.1: 100 is the original, 90 very high quality, 70 high, 50 medium, 30 low."""
    height, width = original.shape[:2]
    score: float = _reference(original.tobytes(), height, width).score(decoded)
    return score


@lru_cache(maxsize=1)
def _reference(samples: bytes, height: int, width: int) -> Any:
    """The half of SSIMULACRA2 that only depends on the original, which all codecs and qualities share."""
    from cnnzip.bench.ssimulacra2 import Reference

    return Reference.of(np.frombuffer(samples, np.uint8).reshape(height, width, 3))


METRICS = {
    metric.name: metric
    for metric in (
        Metric("psnr_rgb", "PSNR (RGB)", "dB", "numpy", 1, psnr_rgb),
        Metric("psnr_y", "PSNR (Y)", "dB", "numpy", 1, psnr_y),
        Metric("ssim", "SSIM", "", "scikit-image", 11, ssim),
        # Four halvings have to leave more than the window.
        Metric("ms_ssim", "MS-SSIM", "", "pytorch-msssim", 161, ms_ssim),
        Metric("ssimulacra2", "SSIMULACRA2", "", "ssimulacra2", 8, ssimulacra2),
    )
}


def choose(names: list[str] | None) -> tuple[list[Metric], dict[str, str]]:
    """The metrics called `names`, by default all, and those of them that cannot be measured here, with the reason.

    Raises:
        UsageError: there is no such metric, or one that was asked for cannot be measured here.
    """
    unknown = [name for name in names or () if name not in METRICS]
    if unknown:
        raise UsageError(f"no metric is called '{unknown[0]}'; there are {', '.join(METRICS)}")
    chosen = [METRICS[name] for name in names or METRICS]
    missing = {metric.name: reason for metric in chosen if (reason := metric.missing)}
    if names and missing:
        name, reason = next(iter(missing.items()))
        raise UsageError(f"{name} cannot be measured: {reason}; pip install 'cnnzip[bench]'")
    return [metric for metric in chosen if metric.name not in missing], missing


def measure_all(metrics: list[Metric], original: Pixels, decoded: Pixels) -> dict[str, float]:
    """Name and value of every metric for which the picture is large enough."""
    side = min(original.shape[:2])
    return {metric.name: metric.measure(original, decoded) for metric in metrics if side >= metric.min_side}
