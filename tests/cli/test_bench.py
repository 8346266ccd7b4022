"""`cnnzip bench` from end to end: what is written, printed and told, and the exit codes."""

import builtins
import json
import shlex
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("bjontegaard", reason="the extra bench is not installed")

QUICK = ("--metrics", "psnr_rgb", "--no-cold", "--no-report")
TWO = ("--codecs", "jpeg,webp", "--qualities", "20,40,60,80")
DENOISE = ("pictures", "--task", "denoise")
MODEL = ("--codecs", "jpeg,cnnzip-tiny", "--qualities", "20,40,60")


@pytest.fixture
def pictures(work) -> Path:
    """The folder `pictures` with one in it; beside it nothing."""
    made = work / "pictures"
    made.mkdir()
    shutil.move(work / "photo.png", made / "photo.png")
    return made


def test_everything_is_written_and_the_summary_printed(cnnzip, pictures, work):
    done = cnnzip("bench", "pictures", *MODEL, "--metrics", "psnr_rgb,ssim", "--no-cold")
    assert (done.code, done.stderr) == (0, "")
    printed = done.stdout.decode()
    assert "BD-rate against JPEG" in printed
    assert "cnnzip tiny" in printed
    plots = {f"{metric}.{kind}" for metric in ("psnr_rgb", "ssim") for kind in ("svg", "png")}
    written = {path.name for path in (work / "report").iterdir()}
    assert written == {"results.json", "results.csv", "report.html", *plots}
    results = json.loads((work / "report" / "results.json").read_text())
    command = shlex.split(results["command"])
    assert command == ["cnnzip", "bench", "pictures", *MODEL, "--metrics", "psnr_rgb,ssim", "--no-cold"]
    assert results["machine"].keys() == {"processor", "cores", "memory", "system"}
    assert results["versions"]["pillow"]


def test_the_summary_as_json(cnnzip, pictures):
    done = cnnzip("bench", "pictures", *TWO, *QUICK, "-o", "out", "--json")
    assert (done.code, done.stderr) == (0, "")
    (record,) = done.records
    assert (record["status"], record["baseline"], record["pictures"]) == ("ok", "jpeg", 1)
    assert [delta["codec"] for delta in record["deltas"]] == ["webp"]
    assert {speed["codec"] for speed in record["speeds"]} == {"jpeg", "webp"}
    assert Path(record["results"]) == Path("out/results.json")


def test_a_second_run_goes_on_where_the_first_ended(cnnzip, pictures):
    cnnzip("bench", "pictures", *TWO, *QUICK)
    first = json.loads(Path("report/results.json").read_text())["measurements"]
    assert cnnzip("bench", "pictures", *TWO, *QUICK, "--qualities", "jpeg=20,40,60,90").code == 0
    second = json.loads(Path("report/results.json").read_text())["measurements"]
    # To the last digit of the times: these were not measured again.
    assert [m for m in second if m not in first] == [m for m in second if (m["codec"], m["quality"]) == ("jpeg", 90)]


def test_whole_processes_are_timed(cnnzip, pictures, monkeypatch):
    monkeypatch.setattr("cnnzip.bench.cold.RUNS", 1)
    done = cnnzip("bench", "pictures", *MODEL, "--metrics", "psnr_rgb", "--no-report")
    assert done.code == 0
    cold = json.loads(Path("report/results.json").read_text())["cold"]
    assert "cnnzip-tiny" in [entry["codec"] for entry in cold]
    assert "Cold: whole processes on photo.png" in done.stdout.decode()


def test_bad_pictures_and_codecs_are_named_and_the_rest_is_measured(cnnzip, pictures):
    (pictures / "bad.png").write_bytes(b"no picture")
    Image.new("RGB", (1, 1)).save(pictures / "one.png")
    python = shlex.quote(sys.executable)
    fails = f"fails={python} -c pass {{in}} {{out}} {{q}} ;; {python} -c pass {{in}} {{out}}"
    rubbish = "rubbish=touch {in} {out} {q} ;; cp {in} {out}"
    arguments = ("--codec", fails, "--codec", rubbish, "--codecs", "jpeg,fails,rubbish", "--qualities", "20,40,60")
    done = cnnzip("bench", "pictures", *arguments, *QUICK)
    assert done.code == 1
    lines = done.stderr.splitlines()
    assert lines[0] == "cnnzip: bad.png: this is no picture of a known format"
    assert lines[1] == "cnnzip: one.png: 1×1: too small to measure; a side takes 16 pixels"
    assert lines[2].startswith("cnnzip: photo.png: fails: ")
    assert lines[2].endswith("wrote no file (3 qualities)")
    assert lines[3] == "cnnzip: photo.png: rubbish: cp: wrote no picture (3 qualities)"
    assert len(lines) == 4
    results = json.loads(Path("report/results.json").read_text())
    assert [m["codec"] for m in results["measurements"]] == ["jpeg"] * 3
    assert "JPEG" in done.stdout.decode()
    again = cnnzip("bench", "pictures", *arguments, *QUICK, "--json")
    assert (again.code, again.stderr, again.records[0]["status"]) == (1, "", "error")
    assert len(again.records[0]["failures"]) == 8


def test_nothing_to_measure(cnnzip, work, pictures):
    (work / "empty").mkdir()
    for folder, message in {
        "empty": "empty: no picture in it",
        "none": "none: not a folder of pictures",
        "pictures/photo.png": "pictures/photo.png: not a folder of pictures",
    }.items():
        done = cnnzip("bench", folder, *QUICK)
        assert (done.code, done.stdout, done.error) == (1, b"", message)
    (pictures / "photo.png").write_bytes(b"no picture")
    done = cnnzip("bench", "pictures", *TWO, *QUICK)
    assert (done.code, done.stdout) == (1, b"")
    assert done.stderr.splitlines() == [
        "cnnzip: photo.png: this is no picture of a known format",
        "cnnzip: nothing could be measured",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give either a folder of pictures or --compare with two results"),
        (("pictures", "--compare", "a", "b"), "give either a folder of pictures or --compare with two results"),
        (("pictures", "--codecs", "heic"), "no codec is called 'heic'"),
        (("pictures", "--metrics", "vmaf"), "no metric is called 'vmaf'"),
        (("pictures", "--baseline", "heic"), "--baseline: no codec is called 'heic'"),
        (("pictures", "--qualities", "high"), "--qualities takes [CODEC=]Q,Q,…, not 'high'"),
        (("pictures", "--qualities", "heic=5"), "--qualities: 'heic' is not among the codecs"),
        (("pictures", "--codec", "x=y"), "--codec takes 'NAME=ENCODER {in} {out} {q} ;; DECODER {in} {out}'"),
        (("--compare", "a", "b", "--tolerance", "nan"), "--tolerance is a number of per cent"),
        (("pictures", "--sigma", "25"), "--sigma does not go with --task codecs"),
        ((*DENOISE, "--codecs", "jpeg"), "--codecs does not go with --task denoise"),
        ((*DENOISE, "--no-cold"), "--cold does not go with --task denoise"),
        ((*DENOISE, "--denoisers", "gaussian,tvv"), "no denoiser is called 'tvv'"),
        ((*DENOISE, "--sigma", "15,high"), "--sigma takes S,S,… of 0 to 255, not '15,high'"),
        ((*DENOISE, "--sigma", "-1"), "--sigma takes S,S,… of 0 to 255, not '-1'"),
    ],
)
def test_usage_errors(arguments, message, cnnzip, pictures, work):
    done = cnnzip("bench", *arguments)
    assert (done.code, done.stdout) == (2, b"")
    assert done.error.startswith(message)
    assert not list(work.glob("report*"))


def test_an_interrupt_says_how_to_go_on(cnnzip, pictures, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("cnnzip.bench.run.measure", interrupted)
    done = cnnzip("bench", "pictures", *TWO, *QUICK)
    assert done.code == 130
    assert done.error == "interrupted; report/results.json is saved, and the same command goes on from there"


def test_what_got_worse_is_found(cnnzip, pictures):
    cnnzip("bench", "pictures", *TWO, *QUICK, "-o", "before")
    shutil.copytree("before", "after")
    path = Path("after/results.json")
    fields = json.loads(path.read_text())
    for m in fields["measurements"]:
        m["bytes"] = round(m["bytes"] * (1.03 if m["codec"] == "jpeg" else 0.9))
    path.write_text(json.dumps(fields))
    compare = ("bench", "--compare", "before/results.json", "after/results.json")
    worse = cnnzip(*compare)
    assert worse.code == 1
    rows = [line.split() for line in worse.stdout.decode().splitlines()]
    assert [row[-1] for row in rows if "JPEG" in row] == ["worse"]
    assert [row[-1] for row in rows if "WebP" in row] != ["worse"]
    assert cnnzip(*compare, "--tolerance", "4").code == 0
    done = cnnzip(*compare, "--json")
    assert (done.code, done.records[0]["worse"]) == (1, True)
    done = cnnzip("bench", "--compare", "before/results.json", "pictures/photo.png")
    assert done.code == 1
    assert done.error.startswith("pictures/photo.png: no results of cnnzip bench")


def test_a_missing_extra_is_one_line(cnnzip, pictures, monkeypatch):
    plain = builtins.__import__

    def without(name, *arguments):
        if name == "bjontegaard":
            raise ModuleNotFoundError("no", name=name)
        return plain(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    done = cnnzip("bench", "pictures")
    assert done.code == 1
    assert done.error == "the benchmark needs more packages (bjontegaard): pip install 'cnnzip[bench]'"


def test_the_report_shows_the_codecs_again(cnnzip, pictures, monkeypatch):
    seen = []

    def write_report(results, folder, output, render):
        data, decoded = render("cnnzip-tiny", folder / "photo.png", 40)
        seen.append((len(data), decoded.shape, decoded.dtype, output))

    monkeypatch.setattr("cnnzip.bench.report.write_report", write_report)
    assert cnnzip("bench", "pictures", *MODEL, "--metrics", "psnr_rgb", "--no-cold").code == 0
    measurements = json.loads(Path("report/results.json").read_text())["measurements"]
    (size,) = [m["bytes"] for m in measurements if (m["codec"], m["quality"]) == ("cnnzip-tiny", 40)]
    assert seen == [(size, (64, 96, 3), np.uint8, Path("report/report.html"))]


def test_denoisers_are_compared(cnnzip, pictures, work):
    (pictures / "bad.png").write_bytes(b"no picture")
    done = cnnzip("bench", *DENOISE, "--denoisers", "gaussian,tv", "--sigma", "0,25")
    assert done.code == 1
    assert done.stderr == "cnnzip: bad.png: this is no picture of a known format\n"
    rows = [line.split() for line in done.stdout.decode().splitlines()]
    assert [row[-2:] for row in rows if row[:2] == ["Noisy", "input"]][-1][0] == "same"
    noisy, gaussian = (float([row for row in rows if row[:1] == [name]][-1][-1]) for name in ("Noisy", "Gaussian"))
    assert gaussian > noisy + 4
    plots = {f"psnr-{kind}.{suffix}" for kind in ("unclipped", "8-bit") for suffix in ("svg", "png")}
    written = {path.name for path in (work / "report-denoise").iterdir()}
    assert written == {"results.json", "results.csv", "report.html", *plots}

    (pictures / "bad.png").unlink()
    again = cnnzip("bench", *DENOISE, "--denoisers", "gaussian", "--sigma", "25", "--no-report", "--json")
    assert (again.code, again.stderr) == (0, "")
    (record,) = again.records
    assert (record["status"], record["results"]) == ("ok", "report-denoise/results.json")
    values = {row["denoiser"]: row["metrics"]["psnr_rgb"] for row in record["rows"] if row["eight_bit"]}
    # Not measured again.
    assert values["gaussian"] == pytest.approx(gaussian, abs=0.005)
    clash = cnnzip("bench", "pictures", *TWO, *QUICK, "-o", "report-denoise")
    assert clash.code == 1
    assert clash.error == "report-denoise/results.json: results of another task or version of cnnzip bench"


def test_an_interrupted_run_of_denoisers_says_how_to_go_on(cnnzip, pictures, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("cnnzip.bench.denoising.run.measure", interrupted)
    done = cnnzip("bench", *DENOISE, "--denoisers", "gaussian")
    assert done.code == 130
    assert done.error == "interrupted; report-denoise/results.json is saved, and the same command goes on from there"
