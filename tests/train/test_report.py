import io
import json

import pytest
from PIL import Image
from rich.console import Console

from cnnzip.errors import FileError
from cnnzip.train.coding import Coding
from cnnzip.train.denoising import Denoising
from cnnzip.train.report import CURVES, EVERY, LOG, FileReporter, draw_curves, read_log
from cnnzip.train.task import Validation

MEASURES = Coding.measures
POINTS = ((0.1, 25.0), (0.5, 30.0), (2.0, 38.0))


def values(step, of=100, **changes):
    return {"step": step, "progress": step / of, "seconds": 2.0 * step, "loss": 1.0 * step, "bpp": 0.5, "psnr": 30.0,
            "rate": 1e-3, **changes}  # fmt: skip


def quiet():
    return Console(file=io.StringIO())


def lines(folder):
    return [json.loads(line) for line in (folder / LOG).read_text(encoding="utf-8").splitlines()]


def test_lines_are_means_over_some_steps(tmp_path):
    with FileReporter(tmp_path, quiet(), MEASURES) as reporter:
        reporter.begin(0)
        for step in range(1, 46):
            reporter.step(values(step, of=45))
    assert EVERY == 20
    assert [line["step"] for line in lines(tmp_path)] == [20, 40, 45]
    assert [line["loss"] for line in lines(tmp_path)] == [10.5, 30.5, 43.0]
    assert lines(tmp_path)[0] == {**values(20, of=45), "loss": 10.5}


def test_validations_are_lines_of_their_own(tmp_path):
    console = quiet()
    with FileReporter(tmp_path, console, MEASURES) as reporter:
        reporter.begin(0)
        reporter.validation(7, Validation(1.25, POINTS), True)
        reporter.validation(9, Validation(2.0, POINTS), False)
    assert lines(tmp_path) == [
        {"step": 7, "valid": 1.25, "points": [list(p) for p in POINTS], "best": True},
        {"step": 9, "valid": 2.0, "points": [list(p) for p in POINTS], "best": False},
    ]
    assert console.file.getvalue().splitlines() == [
        "step 7  valid 1.250 (best)  0.100 bpp 25.00 dB  0.500 bpp 30.00 dB  2.000 bpp 38.00 dB",
        "step 9  valid 2.000  0.100 bpp 25.00 dB  0.500 bpp 30.00 dB  2.000 bpp 38.00 dB",
    ]


def test_a_denoiser_has_no_rate(tmp_path):
    console = Console(file=io.StringIO(), force_terminal=True, width=90, color_system=None, legacy_windows=False)
    with FileReporter(tmp_path, console, Denoising.measures) as reporter:
        reporter.begin(0)
        for step in range(1, 21):
            reporter.step(
                {"step": step, "progress": step / 20, "seconds": 1.0, "loss": 0.0123, "psnr": 31.0, "rate": 1}
            )
    assert set(lines(tmp_path)[0]) == {"step", "progress", "seconds", "loss", "psnr", "rate"}
    assert "step 20  loss 0.01230  31.00 dB" in console.file.getvalue()
    plain = quiet()
    reporter = FileReporter(tmp_path, plain, Denoising.measures)
    reporter.validation(20, Validation(0.02, ((33.0,), (30.5,), (27.25,))), True)
    assert plain.file.getvalue() == "step 20  valid 0.02000 (best)  33.00 dB  30.50 dB  27.25 dB\n"
    with Image.open(draw_curves(tmp_path, Denoising.measures)) as image:
        assert image.width < 2.5 * image.height


@pytest.mark.parametrize(("resumed_at", "kept"), [(0, []), (40, [20, 40]), (59, [20, 40]), (60, [20, 40, 60])])
def test_a_resumed_log_tells_nothing_twice(tmp_path, resumed_at, kept):
    with FileReporter(tmp_path, quiet(), MEASURES) as reporter:
        reporter.begin(0)
        for step in range(1, 61):
            reporter.step(values(step))
    with (tmp_path / LOG).open("a") as log:
        log.write('{"step": 80, "lo')  # cut off by a crash
    with FileReporter(tmp_path, quiet(), MEASURES) as reporter:
        reporter.begin(resumed_at)
        assert [line["step"] for line in lines(tmp_path)] == kept
        for step in range(resumed_at + 1, 81):
            reporter.step(values(step))
    assert [line["step"] for line in lines(tmp_path)] == [20, 40, 60, 80]


def test_a_log_that_cannot_be_written(tmp_path):
    with FileReporter(tmp_path / "missing", quiet(), MEASURES) as reporter:
        with pytest.raises(FileError, match=r"log\.jsonl"):
            reporter.begin(0)
        with pytest.raises(FileError, match=r"log\.jsonl: cannot be written: No such file or directory$"):
            reporter.validation(1, Validation(1.0, POINTS), True)


def test_a_terminal_of_80_columns_shows_all(tmp_path):
    console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None, legacy_windows=False)
    with FileReporter(tmp_path, console, MEASURES) as reporter:
        reporter.begin(0)
        reporter.validation(99_999, Validation(2.34567, POINTS), True)
        reporter.step(values(100_000, of=400_000, loss=12.3456, seconds=3600.0))
    shown = console.file.getvalue()
    assert "step 100000  loss 12.35  0.500 bpp  30.00 dB  valid 2.346" in shown
    assert " 25 %  3:00:00 left" in shown  # one hour for a quarter
    assert "…" not in shown


def test_curves(tmp_path):
    with FileReporter(tmp_path, quiet(), MEASURES) as reporter:
        reporter.begin(0)
        for step in range(1, 61):
            reporter.step(values(step))
        reporter.validation(60, Validation(1.0, POINTS), True)
    assert draw_curves(tmp_path, MEASURES) == tmp_path / CURVES
    with Image.open(tmp_path / CURVES) as image:
        image.load()
        assert image.format == "PNG"
        assert image.width > 2 * image.height > 400


def test_curves_of_nothing(tmp_path):
    assert read_log(tmp_path / LOG) == []
    with Image.open(draw_curves(tmp_path, MEASURES)) as image:
        image.load()
