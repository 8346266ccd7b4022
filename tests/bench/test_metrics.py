"""The metrics against other implementations, on distortions that are the same on every machine.

The constants were computed once, from the same pixels, by: SSIMULACRA2: libjxl's tool `ssimulacra2` of version 0.11.2
(Debian's libjxl-devtools 0.11.2-0.1~deb13u3); SSIM: pytorch-msssim 1.0.0 in double precision.
"""

import numpy as np
import pytest
from PIL import Image
from scipy.signal import convolve2d

from cnnzip.bench import metrics
from cnnzip.errors import UsageError


def coarse(picture):
    """Eight levels."""
    return (picture // 32 * 32 + 16).astype(np.uint8)


def moved(picture):
    """One pixel to the right."""
    return np.roll(picture, 1, axis=1)


def noisy(picture):
    """A little is added to or taken from every sample, by a hash of its place."""
    y, x, c = np.indices(picture.shape)
    noise = ((x * 7 + y * 13 + c * 29) * 2654435761 % 2**32) // 2**27 - 16
    return np.clip(picture.astype(int) + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def named(kodim, photo_file):
    crop = np.ascontiguousarray(kodim[100:276, 300:508])
    return {
        "crop": crop,
        # Odd sides at several scales; and so small that scales are left out.
        "odd": np.ascontiguousarray(kodim[:171, :203]),
        "small": np.asarray(Image.open(photo_file).convert("RGB")),
    }


@pytest.mark.parametrize(
    ("name", "distort", "expected"),
    [
        ("crop", coarse, 5.7358),
        ("crop", moved, 30.3253),
        ("crop", noisy, 38.1849),
        ("odd", coarse, -40.8429),
        ("odd", moved, 60.4055),
        ("odd", noisy, 24.0694),
        ("small", coarse, 17.7608),
        ("small", moved, 83.1606),
        ("small", noisy, 35.9766),
    ],
)
def test_ssimulacra2_is_that_of_libjxl(name, distort, expected, named):
    # libjxl computes in single precision, and its scores go from 0 to 100 and below.
    assert metrics.ssimulacra2(named[name], distort(named[name])) == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(
    ("name", "distort", "expected"),
    [
        ("crop", coarse, 0.807806),
        ("crop", moved, 0.853828),
        ("crop", noisy, 0.606046),
        ("odd", coarse, 0.795154),
        ("small", noisy, 0.447857),
    ],
)
def test_ssim_is_that_of_another_implementation(name, distort, expected, named):
    assert metrics.ssim(named[name], distort(named[name])) == pytest.approx(expected, abs=1e-5)


def ms_ssim_of_the_paper(ours, theirs):
    """MS-SSIM of two planes, written down from Wang, Simoncelli and Bovik, 2003."""
    taps = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = np.outer(taps, taps) / taps.sum() ** 2
    a, b = ours.astype(float), theirs.astype(float)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    product = 1.0
    for weight in (0.0448, 0.2856, 0.3001, 0.2363, 0.1333):
        mean_a, mean_b, aa, bb, ab = (convolve2d(x, window, "valid") for x in (a, b, a * a, b * b, a * b))
        structure = (2 * (ab - mean_a * mean_b) + c2) / (aa - mean_a**2 + bb - mean_b**2 + c2)
        luminance = (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
        last = weight == 0.1333
        product *= np.mean(structure * luminance if last else structure) ** weight
        a, b = (x.reshape(len(x) // 2, 2, -1, 2).mean(axis=(1, 3)) if not last else x for x in (a, b))
    return product


@pytest.mark.parametrize("distort", [coarse, moved, noisy])
def test_ms_ssim_is_that_of_the_paper(distort, named):
    pytest.importorskip("pytorch_msssim", reason="pytorch-msssim is not installed")
    picture = named["crop"]
    distorted = distort(picture)
    expected = np.mean([ms_ssim_of_the_paper(picture[..., c], distorted[..., c]) for c in range(3)])
    assert metrics.ms_ssim(picture, distorted) == pytest.approx(expected, abs=1e-5)


def test_psnr_of_a_known_difference():
    black = np.zeros((4, 4, 3), np.uint8)
    off_by_one = black.copy()
    off_by_one[..., 0] = 1  # a third of the samples: MSE 1/3
    assert metrics.psnr_rgb(black, off_by_one) == pytest.approx(10 * np.log10(255**2 * 3))
    assert metrics.psnr_y(black, off_by_one) == pytest.approx(20 * np.log10(255 / 0.299))
    assert metrics.psnr_rgb(black, black) == metrics.psnr_y(black, black) == float("inf")


def test_psnr_is_that_of_scikit_image(named):
    from skimage.metrics import peak_signal_noise_ratio

    picture = named["small"]
    ours = metrics.psnr_rgb(picture, coarse(picture))
    assert ours == pytest.approx(peak_signal_noise_ratio(picture, coarse(picture)))


def test_the_original_has_the_best_value(named):
    picture = named["crop"]
    assert metrics.ssimulacra2(picture, picture) == 100
    assert metrics.ssim(picture, picture) == pytest.approx(1)


def test_the_reference_that_is_kept_is_that_of_the_picture(named):
    first, second = named["small"], moved(named["small"])
    alone = metrics.ssimulacra2(second, noisy(second))
    metrics.ssimulacra2(first, noisy(first))
    assert metrics.ssimulacra2(second, noisy(second)) == alone


@pytest.mark.parametrize("metric", metrics.METRICS.values(), ids=lambda metric: metric.name)
def test_each_metric_takes_the_smallest_side_that_it_names(metric, kodim):
    if metric.missing:
        pytest.skip(metric.missing)
    picture = np.ascontiguousarray(kodim[: metric.min_side, : metric.min_side + 1])
    assert np.isfinite(metric.measure(picture, coarse(picture)))


def test_a_picture_that_is_too_small_for_a_metric_has_no_value_of_it():
    picture = np.zeros((10, 200, 3), np.uint8)
    chosen = [metrics.METRICS[name] for name in ("psnr_rgb", "ssim")]
    assert metrics.measure_all(chosen, picture, picture + np.uint8(1)).keys() == {"psnr_rgb"}


def test_metrics_are_chosen_by_name(monkeypatch):
    chosen, missing = metrics.choose(["ssim", "psnr_y"])
    assert ([metric.name for metric in chosen], missing) == (["ssim", "psnr_y"], {})
    with pytest.raises(UsageError, match="no metric is called 'vmaf'"):
        metrics.choose(["vmaf"])
    monkeypatch.setattr(metrics, "_version", lambda package: None if package == "pytorch-msssim" else package)
    chosen, missing = metrics.choose(None)
    assert "ms_ssim" not in [metric.name for metric in chosen]
    assert missing == {"ms_ssim": "pytorch-msssim is not installed"}
    with pytest.raises(UsageError, match="ms_ssim cannot be measured"):
        metrics.choose(["ms_ssim"])
