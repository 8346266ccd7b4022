import json
import math
from dataclasses import replace

import pytest

from cnnzip.bench.results import CodecInfo, ColdTime, Failure, Results
from cnnzip.errors import BenchError, FileError

from .conftest import curves


@pytest.fixture
def results() -> Results:
    made = curves(jpeg=[(1, 30), (2, 35)], webp=[(1, 31), (2, math.inf)])
    made.cold = [ColdTime("jpeg", 0.1, 0.2, 10, 20, "a.png", 75, "cjpeg 3", 1)]
    made.failures = [Failure("webp", "b.png", None, "broke")]
    made.skipped = {"jxl": "not installed"}
    made.kept = [replace(made.measurements[0], quality=99)]
    return made


def test_json_brings_everything_back(results):
    text = results.to_json()
    assert Results.from_json(text) == results
    # An infinite PSNR is null: JSON has no infinity, and browsers refuse Python's.
    assert json.loads(text)["measurements"][3]["metrics"] == {"psnr_rgb": None}


@pytest.mark.parametrize(
    "damage",
    [
        lambda fields: fields.pop("codecs"),
        lambda fields: fields.update(format=99),
        lambda fields: fields.update(jobs="two"),
        lambda fields: fields.update(surprise=1),
        lambda fields: fields["measurements"][0].update(bytes="many"),
        lambda fields: fields["measurements"][0].pop("metrics"),
        lambda fields: fields["measurements"][0].update(metrics={"psnr_rgb": "good"}),
        lambda fields: fields.update(measurements=[7]),
    ],
)
def test_what_is_no_results_file_is_refused(results, damage):
    fields = json.loads(results.to_json())
    damage(fields)
    with pytest.raises(BenchError):
        Results.from_json(json.dumps(fields))


def test_a_bad_file_is_named(tmp_path):
    path = tmp_path / "results.json"
    with pytest.raises(FileError, match="no such file"):
        Results.read(path)
    for text in ("", "[]", "{}", "{"):
        path.write_text(text)
        with pytest.raises(BenchError, match=r"results\.json: no results of cnnzip bench"):
            Results.read(path)


def test_a_curve_takes_the_pictures_that_all_qualities_share():
    results = curves(jpeg=[(1, 30), (2, 36)])
    other = [replace(m, picture="b.png", bytes=3 * m.bytes, metrics={"psnr_rgb": 40}) for m in results.measurements]
    results.measurements += [other[1]]
    assert results.complete("jpeg", "psnr_rgb") == ["a.png"]
    assert results.curve("jpeg", "psnr_rgb") == [(0, 1, 30), (1, 2, 36)]
    results.measurements += [other[0]]
    assert results.curve("jpeg", "psnr_rgb") == [(0, 2, 35), (1, 4, 38)]
    assert results.curve("jpeg", "psnr_rgb", ["b.png"]) == [(0, 3, 40), (1, 6, 40)]


def test_a_picture_that_was_lossless_or_too_small_is_left_out_of_the_means(results):
    assert results.complete("webp", "psnr_rgb") == []
    assert results.curve("webp", "psnr_rgb") == []
    assert results.complete("jpeg", "ms_ssim") == []


def test_whatever_changes_a_codec_changes_its_fingerprint():
    codec = CodecInfo("jpeg", "JPEG", "1", "4:2:0", 1)
    changes = ({"version": "2"}, {"settings": "4:4:4"}, {"threads": 2}, {"name": "other"})
    assert len({codec.fingerprint, *(replace(codec, **change).fingerprint for change in changes)}) == 5
    assert replace(codec, label="Jpeg").fingerprint == codec.fingerprint
