import json
import math

import numpy as np
import pytest
from PIL import Image

from cnnzip.bench.denoising.classical import Gaussian, Noisy
from cnnzip.bench.denoising.results import DenoisingResults, Failure
from cnnzip.bench.denoising.run import carry_out
from cnnzip.bench.results import Results
from cnnzip.errors import BenchError, UsageError

from .conftest import Broken, ours


@pytest.fixture
def counted(monkeypatch):
    """The sigmas of everything that Gaussian filters, but for the warming up of 64×64."""
    calls = []
    plain = Gaussian.denoise

    def count(self, noisy, sigma):
        if noisy.shape[:2] != (64, 64):
            calls.append(sigma)
        return plain(self, noisy, sigma)

    monkeypatch.setattr(Gaussian, "denoise", count)
    return calls


def untimed(results: DenoisingResults) -> list[tuple]:
    return [(m.denoiser, m.picture, m.noise, m.metrics) for m in results.measurements]


def test_every_picture_noise_and_denoiser_is_measured_and_saved(request_for, tmp_path):
    told = []
    results = carry_out(request_for(), lambda done, total: told.append((done, total)))
    assert [(m.picture, m.noise.kind, m.sigma, m.denoiser) for m in results.measurements] == [
        (picture, kind, sigma, denoiser)
        for picture in ("a.png", "b.png")
        for kind in ("unclipped", "8-bit")
        for sigma in (15, 25)
        for denoiser in ("noisy", "gaussian")
    ]
    assert told == [(done, 16) for done in range(17)]
    assert results.measurements[0].metrics["psnr_rgb"] == pytest.approx(20 * math.log10(255 / 15), abs=0.3)
    assert DenoisingResults.read(tmp_path / "results.json") == results


def test_a_second_run_measures_only_what_is_missing(request_for, counted):
    first = carry_out(request_for(sigmas=(15.0,), limit=1))
    counted.clear()
    second = carry_out(request_for())
    # Each is measured three times, in two kinds of noise.
    assert (counted.count(15), counted.count(25)) == (3 * 2, 3 * 2 * 2)
    counted.clear()
    assert untimed(carry_out(request_for())) == untimed(second)
    assert counted == []
    fewer = carry_out(request_for(sigmas=(15.0,), limit=1))
    assert untimed(fewer) == untimed(first)
    assert len(fewer.kept) == 12
    carry_out(request_for(sigmas=(15.0,), limit=1, fresh=True))
    assert len(counted) == 3 * 2


def test_another_setting_or_library_is_measured_anew(request_for, counted, monkeypatch):
    request = request_for(sigmas=(15.0,), limit=1)
    carry_out(request)
    counted.clear()
    monkeypatch.setattr(Gaussian, "version", "scipy 99")
    carry_out(request)
    assert len(counted) == 6
    path = request.output / "results.json"
    fields = json.loads(path.read_text())
    fields["metrics"][0]["version"] = "numpy 1"
    path.write_text(json.dumps(fields))
    carry_out(request)
    assert len(counted) == 12


def test_results_of_another_task_or_way_of_measuring_are_not_mixed(request_for, tmp_path):
    carry_out(request_for(sigmas=(15.0,), limit=1))
    with pytest.raises(UsageError, match="was measured with --jobs 1, and times do not mix"):
        carry_out(request_for(sigmas=(15.0,), limit=1, jobs=2))
    with pytest.raises(BenchError, match=r"results\.json: results of another task or version of cnnzip bench"):
        Results.read(tmp_path / "results.json")


def test_what_fails_is_named_and_the_rest_is_measured(request_for, folder):
    (folder / "bad.png").write_bytes(b"no picture")
    results = carry_out(request_for(denoisers=[Noisy(), Broken()], sigmas=(1.0,), limit=1))
    assert results.failures == [
        Failure("broken", "a.png", 1, False, "ZeroDivisionError: no way"),
        Failure("broken", "a.png", 1, True, "ZeroDivisionError: no way"),
    ]
    assert {m.denoiser for m in results.measurements} == {"noisy"}
    everything = carry_out(request_for(denoisers=[Noisy()], sigmas=(1.0,)))
    assert everything.failures == [Failure("", "bad.png", None, None, "this is no picture of a known format")]


def test_several_processes_measure_the_same(request_for):
    alone = carry_out(request_for(sigmas=(15.0,)))
    together = carry_out(request_for(sigmas=(15.0,), jobs=2, fresh=True))
    assert untimed(together) == untimed(alone)
    assert together.jobs == 2


def test_clean_pictures_are_measured_with_the_blind_ones_alone(request_for, network):
    denoisers = [ours(blind=True), ours(blind=False), Noisy(), Gaussian()]
    results = carry_out(request_for(denoisers=denoisers, sigmas=(0.0,), limit=1))
    assert [m.denoiser for m in results.measurements] == 2 * ["cnnzip-denoise", "noisy"]
    assert all(m.metrics["psnr_rgb"] == math.inf for m in results.measurements if m.denoiser == "noisy")


def test_an_interrupt_keeps_what_was_measured(request_for, tmp_path):
    def progress(done, total):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        carry_out(request_for(), progress)
    assert len(DenoisingResults.read(tmp_path / "results.json").measurements) == 5


def test_a_gray_picture_is_measured_as_rgb_and_it_is_said(request_for, folder):
    Image.fromarray(np.full((32, 32), 99, np.uint8)).save(folder / "a.png")
    results = carry_out(request_for(sigmas=(15.0,), limit=1))
    assert results.notes == ["a.png: gray, measured as RGB"]
