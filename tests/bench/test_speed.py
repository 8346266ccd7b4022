import json
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnzip.bench.cold import Tool
from cnnzip.bench.results import CodecInfo, ColdTime, Measurement
from cnnzip.bench.speed import __main__ as command
from cnnzip.bench.speed import measure, pictures, run
from cnnzip.bench.speed.bars import bars
from cnnzip.bench.speed.results import CropTime, Size, SpeedRun
from cnnzip.errors import FileError, UsageError

SQUARE = 32


@pytest.fixture
def data(tmp_path, kodim, monkeypatch):
    """Data with one small picture of Kodak and two photographs, which serve squares of 32 pixels."""
    monkeypatch.setattr(pictures, "SQUARE", SQUARE)
    monkeypatch.setattr(pictures, "START_SIDE", 16)
    made = tmp_path / "data"
    for folder in ("kodak", "train"):
        (made / folder).mkdir(parents=True)
    Image.fromarray(kodim[100:164, 200:264]).save(made / "kodak" / "1.png")
    Image.fromarray(kodim[100:140, 200:270]).save(made / "train" / "clic-00.png")
    Image.fromarray(kodim[200:265, 100:133]).save(made / "train" / "clic-01.png")
    Image.fromarray(kodim[200:230, 100:200]).save(made / "train" / "clic-02.png")  # too low
    return made


@pytest.mark.parametrize(("slope", "expected"), [(0.5, 68), (0.1, 100), (50, 1)])
def test_the_quality_that_comes_nearest_to_the_target_is_found(slope, expected):
    assert measure.nearest_quality(lambda quality: slope * quality) == expected


def test_pictures_are_cut_from_photographs_and_mosaics_mirrored_on_the_second_turn(data, tmp_path, kodim):
    made = pictures.make(data, tmp_path, largest=12)
    assert [path.name for path in made[2]] == ["2mp-0.png", "2mp-1.png", "2mp-2.png"]
    first, second = (np.asarray(Image.open(path)) for path in made[2][:2])
    np.testing.assert_array_equal(first, kodim[104:136, 203:267])
    np.testing.assert_array_equal(second, kodim[200:264, 100:132])
    whole = np.asarray(Image.open(made[12][0]))
    assert whole.shape == (3 * SQUARE, 4 * SQUARE, 3)
    np.testing.assert_array_equal(whole[:SQUARE, : 2 * SQUARE], first)
    np.testing.assert_array_equal(whole[:SQUARE, 2 * SQUARE : 3 * SQUARE], second[:SQUARE])
    np.testing.assert_array_equal(whole[SQUARE : 2 * SQUARE, :SQUARE], first[:, SQUARE - 1 :: -1])
    with Image.open(made[0][0]) as start:
        assert start.size == (16, 16)
    before = {path: path.stat().st_mtime_ns for paths in made.values() for path in paths}
    assert pictures.make(data, tmp_path, largest=12) == made
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_data_without_pictures_are_an_error(data, tmp_path):
    with pytest.raises(FileError, match="no clic-"):
        pictures.crops(data / "kodak")
    with pytest.raises(FileError, match=r"no \*\.png"):
        pictures.kodak(tmp_path)


def copying(codec: str) -> Tool:
    """A program that copies its input."""
    copy = "{python} -c exec('import\\x20shutil,sys;shutil.copy(*sys.argv[1:])') {in} {out}"
    return Tool(codec, 75, ".png", ".cnz", ".png", copy, copy, "{python} --version")


@pytest.fixture
def quick(data, tmp_path, installed_tiny, monkeypatch):
    """A whole run with two codecs in memory, and as programs one that copies and one that is not installed."""
    for name in command.THREAD_VARIABLES:
        monkeypatch.setenv(name, "1")
    monkeypatch.setattr(run, "OTHERS", ("jpeg", "webp"))
    monkeypatch.setitem(sys.modules, "cnnzip.networks.openvino_runtime", None)  # as where it is not installed
    monkeypatch.setattr(
        run, "tools", lambda model: [copying(f"cnnzip-{model}"), replace(copying("jpeg"), encoder="no")]
    )
    monkeypatch.setattr("cnnzip.bench.cold.RUNS", 1)
    monkeypatch.setattr(measure, "RUNS", 1)
    monkeypatch.setattr(measure, "QUALITIES", range(40, 43))
    monkeypatch.setattr("cnnzip.bench.measure.SECONDS", 0)
    return tmp_path / "out", data


def test_a_whole_run_is_measured_shown_kept_and_resumed(quick, capsys, monkeypatch):
    out, data = quick
    crops = []
    monkeypatch.setattr(measure, "knows_crop", lambda: True)
    monkeypatch.setattr(measure, "run_process", lambda words: crops.append(words) or (0.25, 10**8))
    command.main([str(out), "--data", str(data), "--model", "tiny", "--threads", "1", "--largest", "12"])
    told = capsys.readouterr()
    for title in ("Warm, Kodak", "Warm, 12 MP", "Cold, 2 MP", "cnnzip-tiny alone", "The bars of issue 8"):
        assert title in told.out
    assert "jpeg, cold: no is not installed" in told.err
    assert "cnnzip-tiny-openvino: --runtime openvino needs openvino" in told.err
    found = SpeedRun.read(out / "speed.json")
    assert found.sets == {
        "Kodak": ["1.png"],
        "2 MP": ["2mp-0.png", "2mp-1.png", "2mp-2.png"],
        "12 MP": ["12mp-0.png", "12mp-1.png"],
    }
    assert {m.codec for m in found.warm} == {"cnnzip-tiny", "jpeg", "webp"}
    assert len(found.warm) == 3 * 6
    assert [(cold.codec, cold.picture) for cold in found.cold] == [
        ("cnnzip-tiny", name) for name in ("1.png", "2mp-0.png", "12mp-0.png")
    ]
    assert [(size.name, size.width, size.height) for size in found.sizes] == [
        ("start", 16, 16),
        ("2 MP", 64, 32),
        ("12 MP", 128, 96),
    ]

    assert found.crops == [CropTime("12 MP", 128, 96, 96, 0.25, 10**8, 1)]
    assert crops[0][crops[0].index("--crop") + 1] == "96x96+16+0"

    found.warm.pop()
    found.write(out / "speed.json")
    request = run.Request(out, data, "tiny", threads=1, largest=12, resume=True)
    steps = []
    again = run.carry_out(request, steps.append)
    assert [step for step in steps if step.startswith(("warm", "cold"))] == ["warm: 12mp-1.png, WebP"]
    assert len(again.warm) == len(found.warm) + 1
    assert again.created == found.created
    with pytest.raises(UsageError, match="leave --resume out"):
        run.carry_out(replace(request, threads=2), steps.append)
    record = json.loads((out / "speed.json").read_text())
    assert record["warm_quality"].keys() == {"cnnzip-tiny", "jpeg", "webp"}


def run_of(codecs: tuple[str, ...], **measured: Any) -> SpeedRun:
    """A run that has measured these codecs."""
    infos = [CodecInfo(name, name, "1", "", 2) for name in codecs]
    return SpeedRun(created="", machine={}, versions={}, model="tiny", threads=2, codecs=infos, **measured)


def test_another_runtime_is_judged_by_the_same_bars():
    found = run_of(
        sets={"Kodak": ["1.png"]},
        codecs=("cnnzip-tiny", "cnnzip-tiny-openvino", "avif"),
        warm=[
            measured("cnnzip-tiny", "1.png", 0.5, 0.25),
            measured("cnnzip-tiny-openvino", "1.png", 0.25, 0.125),
            measured("avif", "1.png", 0.6, 0.01),
        ],
    )
    assert [(bar.what, bar.measured, bar.met) for bar in bars(found)][:4] == [
        ("warm encode, Kodak: × the speed of AVIF", "1.20", False),
        ("warm decode, Kodak: MP/s", "4.0", False),
        ("warm encode with OpenVINO, Kodak: × the speed of AVIF", "2.40", True),
        ("warm decode with OpenVINO, Kodak: MP/s", "8.0", True),
    ]


def measured(codec: str, picture: str, encode: float, decode: float) -> Measurement:
    return Measurement(codec, picture, 50, 1000, 1000, 1000, encode, decode, {"psnr_rgb": 34.0})


def test_the_bars_are_judged():
    found = run_of(
        sets={"Kodak": ["1.png"], "2 MP": ["2mp-0.png"]},
        codecs=("cnnzip-tiny", "avif"),
        warm=[
            measured("cnnzip-tiny", "1.png", 0.25, 0.1),
            measured("avif", "1.png", 0.6, 0.01),
            measured("cnnzip-tiny", "2mp-0.png", 0.5, 0.5),
            measured("avif", "2mp-0.png", 0.5, 0.01),
        ],
        cold=[
            ColdTime("cnnzip-tiny", 0.49, 0.46, 0, 0, "1.png"),
            ColdTime("cnnzip-tiny", 9, 9, 0, 0, "2mp-0.png"),
            ColdTime("avif", 9, 9, 0, 0, "1.png"),
        ],
        sizes=[
            Size("start", 10, 10, 0.5, 0.5, 10**8, 10**8, 1),
            Size("2 MP", 2000, 1000, 1.5, 0.9, 3 * 10**8, 3 * 10**8, 1),
            Size("12 MP", 4000, 3000, 7.1, 4.5, 10**9, 3 * 10**9, 1),
        ],
        crops=[CropTime("12 MP", 4000, 3000, 512, 0.59, 10**8, 5)],
    )
    judged = [(bar.what, bar.measured, bar.met) for bar in bars(found)]
    assert judged == [
        ("warm encode, Kodak: × the speed of AVIF", "2.40", True),
        ("warm decode, Kodak: MP/s", "10.0", True),
        ("warm encode, 2 MP: × the speed of AVIF", "1.00", False),
        ("warm decode, 2 MP: MP/s", "2.0", False),
        ("cold encode of Kodak, s", "0.49", True),
        ("cold decode of Kodak, s", "0.46", False),
        ("encode, time a megapixel: 12 MP beside 2 MP", "× 1.10", True),
        ("decode, time a megapixel: 12 MP beside 2 MP", "× 1.67", False),
        ("encode, memory a megapixel: 12 MP beside 2 MP", "× 0.75", True),
        ("decode, memory a megapixel: 12 MP beside 2 MP", "× 2.42", False),
        ("encode, memory at 12 MP, GB", "1.00", True),
        ("decode, memory at 12 MP, GB", "3.00", False),
        ("cold crop of 512×512 out of 12 MP, s", "0.59", True),
    ]
    nothing = list(bars(replace(found, warm=[], cold=[], sizes=[], crops=[])))
    assert len(nothing) == len(judged)
    assert {(bar.measured, bar.met) for bar in nothing} == {("–", None)}
