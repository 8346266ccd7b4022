from dataclasses import replace

import numpy as np
import pytest

from cnnzip.bench import noisy_rates
from cnnzip.bench.noisy_rates import BLIND, CLEAN, JOINT, PLAIN, TOLD, Coder, measure, rate_at, report, saved
from cnnzip.errors import ModelError


class Flat:
    """Leaves the mean of each channel, which costs next to nothing."""

    multiple, halo, channels = 8, 8, 3

    def run(self, noisy, level):
        return np.broadcast_to(noisy.mean(axis=(2, 3), keepdims=True), noisy.shape)


def test_noise_costs_bits_that_denoising_saves(folder, tiny, tiny_runtime):
    found = measure(folder, Coder(tiny, tiny_runtime), Flat(), [25.0], [60.0, 20.0], limit=1)
    curves = found[25.0]
    assert list(curves) == [PLAIN, BLIND, TOLD, CLEAN]
    for curve in curves.values():
        assert [quality for quality, _, _ in curve] == [20, 60]
    _, rates, values = zip(*(curves[way][1] for way in curves), strict=True)
    bpp, psnr = dict(zip(curves, rates, strict=True)), dict(zip(curves, values, strict=True))
    assert bpp[PLAIN] > bpp[CLEAN] > bpp[TOLD]
    assert psnr[CLEAN] > psnr[PLAIN] > psnr[TOLD]


class Unseeing:
    """A model's networks, of which the analysis sees a gray picture in every one."""

    def __init__(self, runtime):
        self.runtime = runtime
        self.synthesis = runtime.synthesis
        self.hyper_analysis = runtime.hyper_analysis
        self.preload = runtime.preload

    def analysis(self, pixels):
        return self.runtime.analysis(np.full_like(pixels, 0.5))


def test_an_analysis_made_for_noise_codes_the_noisy_picture(folder, tiny, tiny_runtime, capsys):
    joint = Coder(tiny, Unseeing(tiny_runtime))
    curves = measure(folder, Coder(tiny, tiny_runtime), Flat(), [25.0], [60.0], limit=1, joint=joint)[25.0]
    assert list(curves) == [PLAIN, BLIND, TOLD, JOINT, CLEAN]
    (_, noisy, _), (_, unseen, _) = curves[PLAIN][0], curves[JOINT][0]
    assert unseen < noisy
    report(25.0, {**CURVES, JOINT: CURVES[PLAIN]})
    assert "BD-rate, joint against blind: +" in capsys.readouterr().out


def test_the_analysis_must_be_of_the_same_model(tiny, tiny_runtime):
    assert noisy_rates.with_analysis(tiny, str(tiny.folder)).model is tiny
    other = replace(tiny, description=replace(tiny.description, id=bytes(8)))
    with pytest.raises(ModelError, match="is no analysis for model 'tiny': their ids differ"):
        noisy_rates.with_analysis(other, str(tiny.folder))


# The noisy picture gets no better beyond 0.8 bpp; the other takes half of its bits.
CURVES = {
    PLAIN: [(0.0, 0.2, 23.0), (30.0, 0.4, 25.0), (60.0, 0.8, 26.0), (90.0, 1.6, 25.5)],
    BLIND: [(0.0, 0.1, 23.0), (30.0, 0.2, 25.0), (60.0, 0.4, 26.0), (90.0, 0.8, 27.0)],
    TOLD: [(0.0, 0.1, 23.0), (30.0, 0.2, 25.0), (60.0, 0.4, 26.0), (90.0, 0.8, 27.0)],
    CLEAN: [(0.0, 0.1, 33.0), (30.0, 0.2, 35.0), (60.0, 0.4, 36.0), (90.0, 0.8, 37.0)],
}


def test_bits_are_compared_up_to_the_best_of_the_noisy_picture(capsys):
    assert saved(CURVES, BLIND) == (pytest.approx(-50, abs=1), 23, 26)
    assert saved(CURVES, CLEAN) is None
    assert rate_at(CURVES[BLIND], 25.0) == pytest.approx(0.2)
    assert rate_at(CURVES[BLIND], 28.0) is None
    report(25.0, CURVES)
    printed = capsys.readouterr().out
    assert "26.00     0.800      0.400  -50.0 %      0.400  -50.0 %" in printed
    assert "BD-rate, clean against noisy: no range in common" in printed


def test_a_plateau_does_not_make_the_mean_overshoot():
    plateau = {**CURVES, PLAIN: [(0.0, 0.2, 23.15), (30.0, 1.0, 25.20), (60.0, 2.5, 25.22), (90.0, 4.0, 24.9)]}
    rate, low, high = saved(plateau, BLIND)
    assert -90 < rate < -50
    assert (low, high) == (23.15, 25.22)


def test_what_cannot_be_measured_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr("sys.argv", ["noisy_rates", str(tmp_path), "--model", "none"])
    with pytest.raises(SystemExit) as ended:
        noisy_rates.main()
    assert str(ended.value).startswith("cnnzip.bench.noisy_rates: no model is called 'none'")
