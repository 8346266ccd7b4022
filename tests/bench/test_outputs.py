"""What is written beside results.json, and printed."""

import csv
import io
import math
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from PIL import Image
from rich.console import Console

from cnnzip.bench.csv import write_csv
from cnnzip.bench.plots import plot, write_plots
from cnnzip.bench.results import ColdTime, MetricInfo
from cnnzip.bench.summary import summarise
from cnnzip.bench.table import print_tables

from .conftest import curves

JPEG = [(0.1 * 1.5**q, 25.0 + 2 * q) for q in range(8)]


@pytest.fixture
def results():
    return curves(jpeg=JPEG, webp=[(bpp * 0.8, psnr) for bpp, psnr in JPEG])


def test_csv_has_a_row_a_measurement(results, tmp_path):
    results.metrics.append(MetricInfo("ssim", "SSIM", "", True))
    results.measurements[0] = replace(results.measurements[0], picture='a, "b".png', metrics={"psnr_rgb": math.inf})
    write_csv(results, tmp_path / "results.csv")
    with (tmp_path / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(results.measurements)
    assert (rows[0]["picture"], rows[0]["psnr_rgb"], rows[0]["ssim"]) == ('a, "b".png', "inf", "")
    assert [int(row["bytes"]) for row in rows] == [m.bytes for m in results.measurements]
    assert float(rows[1]["bpp"]) == results.measurements[1].bpp


def test_plots_show_every_codec_and_are_the_same_each_time(results, tmp_path):
    results.metrics.append(MetricInfo("ssim", "SSIM", "", True))
    svg, png = write_plots(results, tmp_path)
    assert (svg.name, png.name) == ("psnr_rgb.svg", "psnr_rgb.png")
    ET.parse(svg)
    for label in ("JPEG", "WEBP", "PSNR (RGB), dB"):
        assert f"<!-- {label} -->" in svg.read_text()
    with Image.open(png) as image:
        assert image.size == (1200, 780)
    before = svg.read_bytes(), png.read_bytes()
    write_plots(results, tmp_path)
    assert (svg.read_bytes(), png.read_bytes()) == before


def test_no_two_codecs_look_alike():
    results = curves(**{f"codec{number}": JPEG for number in range(24)})
    figure = plot(results, results.metrics[0])
    looks = {(line.get_color(), line.get_marker(), line.get_linestyle()) for line in figure.axes[0].lines}
    assert len(looks) == 24


def shown(results) -> str:
    console = Console(width=80, file=io.StringIO(), record=True)
    print_tables(results, summarise(results), console)
    return console.export_text()


def test_tables_fit_into_80_columns_and_show_what_matters(results):
    results.codecs[1] = replace(results.codecs[1], version="libwebp [enc/dec] 9")
    results.cold = [ColdTime("jpeg", 0.0123, 0.0456, 7_000_000, 8_000_000, "a.png", 75, "cjpeg 3.0", 1)]
    text = shown(results)
    lines = [line.split() for line in text.splitlines()]
    assert ["WEBP", "-20.0", "%"] in lines
    assert ["jpeg", "cjpeg", "3.0", "12", "7", "46", "8", "1"] in lines
    # Not taken for markup.
    assert "libwebp [enc/dec] 9" in text
    assert "…" not in text.replace("from … to", "")
    assert max(map(len, text.splitlines())) <= 80


def test_what_a_curve_does_not_reach_is_a_dash(results):
    results.measurements = [m for m in results.measurements if m.codec == "jpeg" or m.quality < 4]
    # A place that one codec alone reaches is no row, so there is a third.
    results.codecs.append(replace(results.codecs[0], name="third", label="Third"))
    results.measurements += [replace(m, codec="third") for m in results.measurements if m.codec == "jpeg"]
    row = next(line for line in shown(results).splitlines() if line.strip().startswith("WEBP"))
    assert row.split()[-1] == "–"


def test_a_single_codec_has_tables_without_deltas(results):
    results.codecs, results.measurements = results.codecs[:1], results.measurements[: len(JPEG)]
    assert "BD-rate" not in shown(results)
    assert "MP/s" in shown(results)
