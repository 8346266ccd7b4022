"""What is made of the results: the summary, tables, CSV, plots and the report."""

import csv
import io
import json
import math
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from rich.console import Console

from cnnzip.bench.denoising.classical import Gaussian, Noisy, OpenCvNlm
from cnnzip.bench.denoising.noise import Noise
from cnnzip.bench.denoising.outputs import write_csv, write_plots
from cnnzip.bench.denoising.report import write_report
from cnnzip.bench.denoising.results import DenoisingResults, Failure, Measurement
from cnnzip.bench.denoising.run import carry_out
from cnnzip.bench.denoising.summary import summarise
from cnnzip.bench.denoising.table import print_tables
from cnnzip.bench.results import MetricInfo

from .conftest import ours

DENOISERS = [ours(blind=True), Noisy(), Gaussian(), OpenCvNlm()]


@pytest.fixture
def results() -> DenoisingResults:
    """Two pictures; cnnzip gains 10 dB, gives one clean picture back and moves the other by 48 dB."""
    values = {
        Noise(0.0, eight_bit=True): {"noisy": (math.inf, math.inf), "cnnzip-denoise": (48.0, math.inf)},
        Noise(25.0, eight_bit=True): {
            "noisy": (20.0, 21.0),
            "cnnzip-denoise": (30.0, 31.0),
            "gaussian": (26.0, 27.0),
            "opencv-nlm": (27.0, 28.0),
        },
        Noise(25.0, eight_bit=False): {"noisy": (20.0, 21.0), "cnnzip-denoise": (30.5, 31.5), "gaussian": (26.0, 27.0)},
        Noise(50.0, eight_bit=True): {"noisy": (14.0, 15.0), "cnnzip-denoise": (27.0, 28.0), "gaussian": (23.0, 24.0)},
    }
    measurements = [
        Measurement(name, picture, noise.sigma, noise.eight_bit, 100, 100, seconds, {"psnr_rgb": value}, level)
        for number, picture in enumerate(("a.png", "b.png"))
        for noise, found in values.items()
        for name, pair in found.items()
        for value, seconds in [(pair[number], 0.02 if name == "gaussian" else 0.05)]
        for level in [noise.sigma + 0.5 if name == "cnnzip-denoise" else None]
    ]
    return DenoisingResults(
        command="cnnzip bench --task denoise",
        created="2026-01-01T00:00:00+00:00",
        machine={"processor": "p", "cores": "1", "memory": "1 GiB", "system": "s"},
        versions={},
        denoisers=[denoiser.info for denoiser in DENOISERS],
        metrics=[MetricInfo("psnr_rgb", "PSNR (RGB)", "dB", True)],
        measurements=measurements,
    )


def test_means_gains_and_times(results):
    summary = summarise(results)
    row = summary.row("cnnzip-denoise", Noise(25.0, eight_bit=True))
    assert (row.metrics, row.gain, row.level, row.pictures) == ({"psnr_rgb": 30.5}, 10.0, 25.5, 2)
    assert row.seconds_a_megapixel == pytest.approx(5)
    assert {speed.denoiser: speed.seconds_a_megapixel for speed in summary.speeds}["gaussian"] == pytest.approx(2)
    assert "noisy" not in {speed.denoiser for speed in summary.speeds}
    assert summary.row("opencv-nlm", Noise(25.0, eight_bit=False)) is None
    assert summary.best(Noise(25.0, eight_bit=True), ours=False).denoiser == "opencv-nlm"
    assert summary.best(Noise(25.0, eight_bit=True), ours=True, blind=False) is None


def test_a_picture_that_came_back_exactly_is_counted_and_in_no_mean(results):
    summary = summarise(results)
    row = summary.row("cnnzip-denoise", Noise(0.0, eight_bit=True))
    assert (row.metrics["psnr_rgb"], row.same, row.gain) == (48, 1, None)
    noisy = summary.row("noisy", Noise(0.0, eight_bit=True))
    assert (noisy.metrics["psnr_rgb"], noisy.same) == (None, 2)
    text = shown(results)
    assert "48.00, 1 same" in text
    assert "2 same" in text


def test_means_are_over_the_pictures_that_all_have(results):
    results.measurements = [m for m in results.measurements if (m.denoiser, m.picture) != ("opencv-nlm", "b.png")]
    summary = summarise(results)
    assert summary.row("gaussian", Noise(25.0, eight_bit=True)).metrics == {"psnr_rgb": 26}
    assert summary.row("gaussian", Noise(50.0, eight_bit=True)).metrics == {"psnr_rgb": 23.5}
    assert "8-bit, 1 to 2 pictures" in shown(results)


def shown(results: DenoisingResults) -> str:
    console = Console(width=80, file=io.StringIO(), record=True)
    print_tables(results, summarise(results), console)
    return console.export_text()


def test_tables_fit_into_80_columns_and_show_what_matters(results):
    text = shown(results)
    lines = [line.split() for line in text.splitlines()]
    assert ["Gaussian", "filter", "–", "26.50", "23.50"] in lines
    assert ["NLM", "(OpenCV)", "–", "27.50", "–"] in lines
    assert ["cnnzip", "denoise,", "blind", "0.50", "25.50", "50.50"] in lines
    # What only takes 8 bits has no row where noise is not clipped.
    assert "NLM" not in text[text.index("PSNR (RGB), dB, unclipped") : text.index("PSNR (RGB), dB, 8-bit")]
    assert max(map(len, text.splitlines())) <= 80


def test_csv_has_a_row_a_measurement(results, tmp_path):
    write_csv(results, tmp_path / "results.csv")
    with (tmp_path / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(results.measurements)
    assert [row["psnr_rgb"] for row in rows[:2]] == ["inf", "48.0"]
    assert (rows[1]["noise"], rows[1]["level"], rows[0]["level"]) == ("8-bit", "0.5", "")


def test_a_plot_a_kind_of_noise_without_the_clean_pictures(results, tmp_path):
    written = write_plots(results, summarise(results), tmp_path)
    names = ["psnr-unclipped.svg", "psnr-unclipped.png", "psnr-8-bit.svg", "psnr-8-bit.png"]
    assert [path.name for path in written] == names
    for path, labels in ((written[0], {"Gaussian filter"}), (written[2], {"Gaussian filter", "NLM (OpenCV)"})):
        ET.parse(path)
        text = path.read_text()
        found = {label for label in ("Gaussian filter", "NLM (OpenCV)") if f"<!-- {label} -->" in text}
        assert found == labels
        assert "<!-- 0 -->" not in text
    results.measurements = [m for m in results.measurements if m.sigma == 0]
    assert write_plots(results, summarise(results), tmp_path) == []


@pytest.fixture
def page(request_for, network, tmp_path, folder) -> str:
    """The report of a real run, with names and messages as hostile as they come."""
    (folder / "a.png").rename(folder / "<marquee>.png")
    denoisers = [ours(blind=True), Noisy(), Gaussian()]
    request = request_for(denoisers=denoisers, sigmas=(0.0, 25.0), skipped={"tv": "<b>gone</b>"})
    results = carry_out(request)
    results.failures = [Failure("nlm", "b.png", 25.0, True, "</script><script>alert(1)</script>")]
    write_report(results, summarise(results), folder, tmp_path / "report.html", denoisers)
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def data_of(page: str) -> dict:
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_the_report_shows_curves_and_pictures(page):
    data = data_of(page)
    views = ["psnr_rgb-8-bit", "psnr_rgb-unclipped", "ssim-8-bit", "ssim-unclipped"]
    assert [metric["name"] for metric in data["metrics"]] == views
    for curves in data["curves"].values():
        assert {name: len(curve) for name, curve in curves.items()} == {"cnnzip-denoise": 1, "noisy": 1, "gaussian": 1}
    assert [picture["name"] for picture in data["pictures"]] == ["b.png, σ 25", "<marquee>.png, σ 25"]
    versions = {version["codec"]: version for version in data["pictures"][0]["versions"]}
    assert list(versions) == ["cnnzip-denoise", "noisy", "gaussian"]
    gain = versions["gaussian"]["metrics"]["psnr_rgb-8-bit"] - versions["noisy"]["metrics"]["psnr_rgb-8-bit"]
    assert versions["gaussian"]["note"] == f"+{gain:.1f} dB"
    assert "found σ" in versions["cnnzip-denoise"]["details"]
    assert data["start"] == {"left": "noisy", "right": "cnnzip-denoise"}
    assert re.search(r"At σ 25, cnnzip denoise, blind reaches <em>[\d.]+\xa0dB</em>, [\d.]+\xa0dB", page)


def test_names_and_messages_from_outside_stay_text_in_the_report(page):
    assert "<marquee>" not in page
    assert "&lt;marquee&gt;.png" in page
    assert "<b>gone</b>" not in page
    assert "<script>alert(1)" not in page


def test_without_cnnzip_or_noise_there_is_a_page_that_says_so(results, folder, tmp_path):
    clean = replace(results, measurements=[m for m in results.measurements if m.sigma == 0])
    write_report(clean, summarise(clean), folder, tmp_path / "report.html", [])
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "2 denoisers, side by side." in page
    assert data_of(page)["pictures"] == []
