import math
from dataclasses import replace

import pytest

from cnnzip.bench.results import MetricInfo
from cnnzip.bench.summary import frontier, summarise

from .conftest import curves

JPEG = [(0.1 * 1.5**q, 25.0 + 2 * q) for q in range(10)]
PSNR = MetricInfo("psnr_rgb", "PSNR (RGB)", "dB", True)


def test_half_the_rate_is_a_bd_rate_of_minus_fifty():
    summary = summarise(curves(jpeg=JPEG, half=[(bpp / 2, psnr) for bpp, psnr in JPEG[2:8]]))
    (delta,) = summary.deltas
    assert (delta.codec, delta.metric, delta.pictures) == ("half", "psnr_rgb", 1)
    # Bytes are whole, so rates are not quite halved.
    assert delta.bd_rate == pytest.approx(-50, abs=0.5)
    assert (delta.low, delta.high) == (29, 39)
    assert delta.bd_metric == pytest.approx(2 * math.log(2) / math.log(1.5), abs=0.05)
    assert delta.low_bpp == pytest.approx(0.1125, abs=0.001)
    assert delta.high_bpp == pytest.approx(0.05 * 1.5**7, abs=0.001)


def test_curves_without_a_common_range_are_not_compared():
    summary = summarise(curves(jpeg=JPEG, better=[(bpp, psnr + 40) for bpp, psnr in JPEG]))
    (delta,) = summary.deltas
    assert (delta.bd_rate, delta.low, delta.high) == (None, None, None)
    assert delta.bd_metric == pytest.approx(40)


def test_too_few_points_are_not_interpolated():
    summary = summarise(curves(jpeg=JPEG, two=JPEG[:2]))
    assert summary.deltas[0].bd_rate is None
    assert all(row.values["two"] is None for row in summary.sizes)


def test_pictures_that_one_of_them_has_not_whole_do_not_count():
    results = curves(jpeg=JPEG, same=JPEG)
    # A second picture, which is much larger, and which the second codec did not finish.
    other = [replace(m, picture="b.png", bytes=9 * m.bytes) for m in results.measurements]
    results.measurements += other[:-1]
    summary = summarise(results)
    assert summary.deltas[0].bd_rate == pytest.approx(0, abs=1e-9)
    assert (summary.deltas[0].pictures, summary.pictures) == (1, 1)
    results.measurements += other[-1:]
    assert (summarise(results).deltas[0].pictures, summarise(results).pictures) == (2, 2)


def test_rows_at_equal_size_and_quality_are_interpolated():
    half = [(bpp / 2, psnr) for bpp, psnr in JPEG]  # up to 1.92 bpp
    summary = summarise(curves(jpeg=JPEG, half=half))
    sizes = {row.at: row.values for row in summary.sizes}
    # PSNR is linear in the logarithm of the rate here, so Akima's interpolation is exact.
    assert sizes[0.5]["jpeg"] == pytest.approx(25 + 2 * math.log(5, 1.5), abs=0.02)
    assert sizes[0.5]["half"] == pytest.approx(25 + 2 * math.log(10, 1.5), abs=0.02)
    levels = {row.at: row.values for row in summary.levels}
    assert levels[36]["jpeg"] == pytest.approx(0.1 * 1.5**5.5, rel=0.002)
    assert levels[36]["half"] == pytest.approx(0.05 * 1.5**5.5, rel=0.002)
    # A place that only one curve reaches compares nothing.
    assert (0.15 in sizes, 2.0 in sizes) == (True, False)
    assert all(sum(v is not None for v in row.values.values()) == 2 for row in summary.sizes)


def test_speed_is_the_median_of_megapixels_a_second():
    results = curves(jpeg=JPEG[:3])
    results.measurements[0] = replace(results.measurements[0], encode_seconds=99)
    (speed,) = summarise(results).speeds
    assert (speed.encode_mps, speed.decode_mps) == (pytest.approx(1), pytest.approx(0.5))


def test_without_the_baseline_there_are_rows_but_no_deltas():
    summary = summarise(curves(webp=JPEG, avif=JPEG))
    assert summary.deltas == []
    assert summary.sizes


def test_points_that_get_worse_with_the_rate_are_left_out():
    curve = [(0, 0.1, 30), (1, 0.2, 29), (2, 0.3, 33), (3, 0.3, 34), (4, 0.4, 33)]
    assert [point[0] for point in frontier(curve, PSNR)] == [0, 2]
    lower = replace(PSNR, higher_is_better=False)
    assert [point[0] for point in frontier(curve, lower)] == [0, 1]


def test_every_model_is_compared_with_every_other_codec_directly():
    given = {"jpeg": JPEG, "webp": [(bpp * 0.8, psnr) for bpp, psnr in JPEG]}
    ours = {"cnnzip-a": [(bpp * 0.4, psnr) for bpp, psnr in JPEG], "cnnzip-b": JPEG}
    summary = summarise(curves(**given, **ours))
    direct = {(delta.codec, delta.baseline): delta.bd_rate for delta in summary.direct}
    expected = {
        ("cnnzip-a", "jpeg"): -60,
        ("cnnzip-a", "webp"): -50,
        ("cnnzip-b", "jpeg"): 0,
        ("cnnzip-b", "webp"): 25,
    }
    assert direct == pytest.approx(expected, abs=0.5)
