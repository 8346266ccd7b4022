from pathlib import Path

import numpy as np
import pytest

from cnnzip.bench.denoising import classical
from cnnzip.bench.denoising.measure import measure, warm_up
from cnnzip.bench.denoising.noise import Noise, add_noise, noises
from cnnzip.bench.denoising.registry import choose, every
from cnnzip.bench.denoising.tune import DENOISERS
from cnnzip.errors import BenchError, UsageError

from .conftest import Broken, description, ours

KINDS = (*DENOISERS, classical.Bm3d)


@pytest.mark.parametrize("kind", DENOISERS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("eight_bit", [False, True])
def test_classical_denoisers_take_noise_away(kind, eight_bit, kodim):
    denoiser, noise = kind(), Noise(25.0, eight_bit)
    if denoiser.available():
        pytest.skip(denoiser.available())
    if not denoiser.takes(noise):
        assert denoiser.eight_bit_only
        return
    crop = kodim[100:196, 300:428]
    noisy = add_noise(crop, noise)
    before = measure(classical.Noisy(), crop, noisy, noise).metrics
    after = measure(denoiser, crop, noisy, noise)
    assert after.metrics["psnr_rgb"] > before["psnr_rgb"] + 4
    assert after.metrics["ssim"] > before["ssim"] + 0.1
    assert after.seconds > 0
    assert after.level is None


@pytest.mark.parametrize("kind", DENOISERS, ids=lambda kind: kind.name)
def test_the_parameters_in_use_are_of_the_grid_and_in_the_settings(kind):
    for sigma, parameters in kind.tuned.items():
        assert all(one in tried for one, tried in zip(parameters, kind.grid, strict=True))
        assert f"σ {sigma:g}: {kind.meaning.format(*parameters)}" in kind().settings


def test_other_sigmas_take_the_parameters_of_the_nearest(kodim):
    noisy = add_noise(kodim[:32, :32], Noise(48.0, eight_bit=False))
    blurred, _ = classical.Gaussian().denoise(noisy, 48.0)
    assert np.array_equal(blurred, classical.Gaussian().apply(noisy, 48.0, *classical.Gaussian.tuned[50]))


def test_opencv_keeps_the_order_of_the_channels():
    pytest.importorskip("cv2", reason="OpenCV is not installed")
    orange = np.broadcast_to(np.array([255, 128, 0], np.float32) / 255, (32, 32, 3))
    denoised, _ = classical.OpenCvNlm().denoise(orange, 15.0)
    assert np.abs(denoised - orange).max() < 0.02


def test_a_blind_denoiser_finds_the_level_and_the_other_is_told_it(network, kodim):
    crop = kodim[100:228, 300:428]
    noisy = add_noise(crop, Noise(25.0, eight_bit=False))
    _, level = ours(blind=True).denoise(noisy, 50.0)
    assert level == pytest.approx(25, rel=0.3)
    denoised, none = ours(blind=False).denoise(noisy, 50.0)
    assert none is None
    assert network.levels == [pytest.approx(level, abs=1e-3), 50]
    assert np.abs(denoised - crop / 255).mean() < np.abs(noisy - crop / 255).mean()


def test_what_is_measured_by_default(installed):
    chosen, skipped = choose(every(1), None)
    names = [denoiser.name for denoiser in chosen]
    assert names[:3] == ["cnnzip-denoise", "cnnzip-denoise-sigma", "noisy"]
    assert "bm3d" not in [*names, *skipped]
    assert len({denoiser.info.fingerprint for denoiser in chosen}) == len(chosen)
    assert "weights 01234567" in chosen[0].version


def test_the_noisy_input_is_always_measured(installed):
    chosen, _ = choose(every(1), ["gaussian"])
    assert [denoiser.name for denoiser in chosen] == ["noisy", "gaussian"]
    with pytest.raises(UsageError, match="no denoiser is called 'bm4d'; there are cnnzip-denoise, "):
        choose(every(1), ["bm4d"])


def test_what_is_missing_is_skipped_and_named(monkeypatch):
    monkeypatch.setattr("cnnzip.bench.denoising.registry.installed", list)
    monkeypatch.setattr(classical.OpenCvNlm, "packages", ("no-such-package",))
    _, skipped = choose(every(1), None)
    missing = "no usable model 'denoise' is installed"
    assert skipped["cnnzip-denoise"] == skipped["cnnzip-denoise-sigma"] == missing
    assert skipped["opencv-nlm"] == "no-such-package is not installed"


def test_a_codec_is_no_denoiser_and_a_gray_model_is_not_for_colour(monkeypatch):
    codec, gray = description(prior="hyper"), description(options={"channels": 1})
    found = [(Path("photo"), codec), (Path("denoise-gray"), gray), (Path("denoise"), description())]
    monkeypatch.setattr("cnnzip.bench.denoising.registry.installed", lambda: found)
    chosen, skipped = choose(every(1), None)
    assert [d.name for d in chosen if d.name.startswith("cnnzip-")] == ["cnnzip-denoise", "cnnzip-denoise-sigma"]
    assert skipped["cnnzip-denoise-gray"] == "takes gray pictures only"


def test_who_is_told_that_there_is_no_noise_is_not_measured():
    takes = {kind().name: [kind().takes(noise) for noise in noises((0.0, 15.0))] for kind in KINDS}
    assert takes.pop("opencv-nlm") == [False, False, False, True]
    assert set(map(tuple, takes.values())) == {(False, True, False, True)}
    assert [ours(blind=blind).takes(Noise(0.0, eight_bit=True)) for blind in (True, False)] == [True, False]


@pytest.mark.parametrize(("sigma", "message"), [(1, "ZeroDivisionError: no way"), (2, "another size"), (3, "numbers")])
def test_what_is_no_result_is_refused(sigma, message, kodim):
    crop, noise = kodim[:32, :32], Noise(sigma, eight_bit=False)
    warm_up(Broken())
    with pytest.raises(BenchError, match=message):
        measure(Broken(), crop, add_noise(crop, noise), noise)


def test_outputs_are_clipped_and_those_of_8_bits_rounded(kodim):
    crop = np.full((16, 16, 3), 255, np.uint8)

    def psnr(offset: float, eight_bit: bool) -> float:
        noise = Noise(15.0, eight_bit)
        return measure(classical.Noisy(), crop, crop / np.float32(255) + offset / 255, noise).metrics["psnr_rgb"]

    assert psnr(9.0, eight_bit=False) == psnr(9.0, eight_bit=True) == float("inf")
    assert psnr(-0.25, eight_bit=False) == pytest.approx(10 * np.log10(255**2 / 0.25**2), abs=0.01)
    assert psnr(-0.25, eight_bit=True) == float("inf")
    assert psnr(-0.75, eight_bit=True) == pytest.approx(10 * np.log10(255**2), abs=0.01)
