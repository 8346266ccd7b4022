"""`cnnzip train` as a whole: through the command line, in this process or in others."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from cnnzip.train import checkpoint

SMALL = (
    "--family",
    "residual",
    "--set",
    "width=8",
    "--set",
    "blocks=1",
    "--set",
    "latent_channels=8",
    "--set",
    "stride=8",
)
TINY = (*SMALL, "--crop", "32", "--batch", "2", "--threads", "1")

# A checkout is found from anywhere, installed or not.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def places(photos, tmp_path):
    """What every run of these tests is given: its pictures, its folder, and where its bundle goes."""
    return (photos, "--run-dir", tmp_path / "run", "-o", tmp_path / "models")


def test_from_pictures_to_a_model_that_codes_pictures(command, places, photos, tmp_path, monkeypatch):
    options = (*TINY, "--steps", "22", "--name", "fresh", "--valid", photos, "--validate-every", "10")
    code, lines = command("train", *places, *options)
    run, bundle = tmp_path / "run", tmp_path / "models" / "fresh"
    assert code == 0
    assert lines[0].startswith("family residual: ")
    assert lines[0].endswith("on cpu; training on 2 pictures (0.0 MP, 0 files skipped), validating on 2")
    assert [line.split("  ")[0] for line in lines[1:4]] == ["step 10", "step 20", "step 22"]
    assert lines[4:] == [f"curves: {run / 'curves.png'}", f"model: {bundle}"]

    assert sorted(p.name for p in run.iterdir()) == ["best.pt", "curves.png", "last.pt", "log.jsonl"]
    log = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(line["step"], "valid" in line) for line in log] == [
        (10, True), (20, False), (20, True), (22, False), (22, True)
    ]  # fmt: skip
    assert set(log[1]) == {"step", "progress", "seconds", "loss", "bpp", "psnr", "rate"}
    assert set(log[0]) == {"step", "valid", "points", "best"}
    with Image.open(run / "curves.png") as image:
        image.load()

    training = json.loads((bundle / "model.json").read_text(encoding="utf-8"))["training"]
    best = min((line for line in log if "valid" in line), key=lambda line: line["valid"])
    assert (training["steps"], training["validation_loss"]) == (best["step"], best["valid"])
    assert training["pictures"] == 2

    monkeypatch.setenv("CNNZIP_MODELS", str(tmp_path / "models"))
    coded, decoded = tmp_path / "photo.cnz", tmp_path / "photo.png"
    assert command("encode", photos / "parrots-96x64.png", "--model", "fresh", "-o", coded)[0] == 0
    assert command("decode", coded, "-o", decoded)[0] == 0
    with Image.open(decoded) as image:
        image.load()
        assert (image.mode, image.size) == ("RGB", (96, 64))

    def state():
        return {path: path.read_bytes() for path in (*run.iterdir(), *bundle.iterdir())}

    before = state()
    again = ("train", *places, *TINY, "--steps", "30")
    code, lines = command(*again, "--name", "fresh")
    assert (code, lines) == (
        1, [f"cnnzip: {bundle}: exists; use --force to overwrite, or --name for another one"]
    )  # fmt: skip
    code, lines = command(*again, "--name", "other")
    assert (code, lines) == (1, [f"cnnzip: {run}: holds a run; --resume goes on with it, --force starts anew"])
    code, lines = command(*again, "--name", "other", "--resume", "--seed", "5", "--optimizer", "adam")
    assert (code, lines[-1]) == (
        1, f"cnnzip: {run / 'last.pt'}: belongs to a run with other settings (optimizer, seed)"
    )  # fmt: skip
    assert state() == before


def test_the_flagship_from_pictures_to_a_model(command, places, photos, tmp_path, monkeypatch):
    widths = {"latent_channels": 8, "width_4": 4, "width_8": 8, "width_16": 8, "hyper_channels": 4}
    widths |= {"blocks_8": 1, "blocks_16": 1}
    options = [part for name, value in widths.items() for part in ("--set", f"{name}={value}")]
    shape = (*options, "--crop", "64", "--batch", "1", "--threads", "1")
    code, lines = command("train", *places, "--family", "photo", *shape, "--steps", "3")
    bundle = tmp_path / "models" / "photo"
    assert (code, lines[-1]) == (0, f"model: {bundle}")
    assert sorted(path.name for path in bundle.iterdir()) == [
        "analysis.onnx", "hyper_analysis.onnx", "model.json", "preview.onnx", "synthesis.onnx", "weights.safetensors"
    ]  # fmt: skip
    monkeypatch.setenv("CNNZIP_MODELS", str(tmp_path / "models"))
    coded, decoded = tmp_path / "photo.cnz", tmp_path / "photo.png"
    for coder in ("huffman", "rans"):
        picture = photos / "parrots-96x64.png"
        assert command("encode", picture, "--model", "photo", "--coder", coder, "-o", coded, "--force")[0] == 0
        assert command("decode", coded, "-o", decoded, "--force")[0] == 0
        with Image.open(decoded) as image:
            image.load()
            assert (image.mode, image.size) == ("RGB", (96, 64))


RESIDUAL = ("--family", "residual")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "give either --steps or --minutes"),
        (("--steps", "2", "--minutes", "2"), "give either --steps or --minutes"),
        (("--minutes", "nan"), "--minutes must be a finite number, not nan"),
        (("--steps", "2", "--rate", "inf"), "--rate must be a finite number, not inf"),
        (("--steps", "2", "--cache-gb", "nan"), "--cache-gb must be a finite number, not nan"),
        (("--steps", "2", "--crop", "50"), "--crop must be a multiple of 32"),
        (("--steps", "2", "--optimizer", "sgd"), "--optimizer is soap or adam, not 'sgd'"),
        (("--steps", "2", "--family", "nosuch"), "no family is called 'nosuch'; there are: pool, dense"),
        (("--steps", "2", *RESIDUAL, "--set", "depth=3"), "family 'residual' has no option 'depth'; there are: "),
        (("--steps", "2", "--set", "width"), "--set takes NAME=VALUE, not 'width'"),
        (
            ("--steps", "2", *RESIDUAL, "--set", "width=abc"),
            "family 'residual': width must be a whole number in 1 … 4096, not 'abc'",
        ),
        (
            ("--steps", "2", *RESIDUAL, "--set", "width=-3"),
            "family 'residual': width must be a whole number in 1 … 4096, not -3",
        ),
        (("--steps", "2", *RESIDUAL, "--set", "kernel=2"), "family 'residual': kernel must be odd, not 2"),
        (("--steps", "2", *RESIDUAL, "--set", "channels=2"), "family 'residual': channels must be 3 or 1, not 2"),
        (("--steps", "2", "--channels", "2"), "family 'photo': channels must be 3 or 1, not 2"),
        (("--steps", "2", "--channels", "4"), "Invalid value for '--channels': 4 is not in the range 1<=x<=3"),
        (("--steps", "2", "--patience", "2"), "--patience needs --valid: without it there is nothing to wait for"),
        (("--steps", "2", "--dropout", "1"), "Invalid value for '--dropout': 1.0 is not in the range 0<=x<=0.99"),
        (("--steps", "2", "--dropout", "nan"), "--dropout must be a finite number, not nan"),
        (("--steps", "2", "--weight-decay", "-1"), "Invalid value for '--weight-decay': -1.0 is not in the range"),
        (("--steps", "0"), "Invalid value for '--steps': 0 is not in the range x>=1"),
    ],
)
def test_usage_errors(command, places, options, message, tmp_path):
    code, lines = command("train", *places, *options)
    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith(f"cnnzip: {message}")
    assert [p.name for p in tmp_path.iterdir()] == ["photos"]


def test_folders_that_cannot_be_trained_on(command, photos, tmp_path):
    run = ("--run-dir", tmp_path / "run", "-o", tmp_path / "models", *TINY, "--steps", "1")
    (tmp_path / "empty").mkdir()
    for arguments, message in (
        ((tmp_path / "missing",), f"{tmp_path}/missing: not a folder of pictures"),
        ((tmp_path / "empty",), f"{tmp_path}/empty: no usable picture with sides of 32 pixels at least among 0 files"),
        ((photos, "--crop", "96"), f"{photos}: no usable picture with sides of 96 pixels at least among 2 files"),
        ((photos, "--valid", tmp_path / "empty"), f"{tmp_path}/empty: no usable picture among 0 files"),
        ((photos, "--name", "No Name"), "'No Name' cannot be a model's name: a-z, 0-9, '.', '_' and '-', 32 at most"),
        ((photos, "--resume"), f"{tmp_path}/run/last.pt: no checkpoint there"),
    ):
        assert command("train", *run, *arguments) == (1, [f"cnnzip: {message}"])


def test_a_corrupt_checkpoint(command, places, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "last.pt").write_bytes(b"PK\x03\x04 and no more")
    code, lines = command("train", *places, *TINY, "--steps", "1", "--resume")
    assert code == 1
    assert lines[-1].startswith(f"cnnzip: {tmp_path}/run/last.pt: damaged checkpoint (")


def test_an_interrupt_from_outside(places, photos, tmp_path):
    options = (*TINY, "--minutes", "50", "--valid", photos, "--validate-every", "1")
    arguments = [sys.executable, "-m", "cnnzip", "train", *map(str, (*places, *options))]
    with subprocess.Popen(arguments, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True) as process:
        told = [process.stderr.readline()]
        # The loop is known to run once it has told of a step.
        while told[-1] and not told[-1].startswith("step 1 "):
            told.append(process.stderr.readline())
        process.send_signal(signal.SIGINT)
        told += process.stderr.readlines()
    assert process.returncode == 130
    last = tmp_path / "run" / "last.pt"
    step = checkpoint.load(last)["step"]
    assert told[-1] == f"cnnzip: stopped at step {step}; --resume goes on from {last}\n"
    assert not any("Traceback" in line for line in told)
    assert sorted(p.name for p in last.parent.iterdir()) == ["best.pt", "last.pt", "log.jsonl"]
    assert list((tmp_path / "models").iterdir()) == []


RANK = """
import hashlib, os, sys
from pathlib import Path
from cnnzip.cli.app import run
from cnnzip.train import loop

runs, begin = [], loop.Run.__init__
def remembered(run, *arguments, **options):
    begin(run, *arguments, **options)
    runs.append(run)
loop.Run.__init__ = remembered
try:
    run()
finally:
    digest = hashlib.sha256()
    for tensor in (*runs[0].model.state_dict().values(), *runs[0].average.state_dict().values()):
        digest.update(tensor.contiguous().numpy().tobytes())
    line = f"{runs[0].step} {digest.hexdigest()}"
    Path(os.environ["DIGESTS"], os.environ["RANK"]).write_text(line)
"""


def test_two_processes_stay_in_step(places, tmp_path):
    (tmp_path / "rank.py").write_text(RANK)
    (tmp_path / "digests").mkdir()
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    arguments = (*torchrun, tmp_path / "rank.py", "train", *places, *TINY, "--steps", "3")
    environment = {**ENVIRONMENT, "DIGESTS": str(tmp_path / "digests")}
    done = subprocess.run([*map(str, arguments)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first, second = ((tmp_path / "digests" / rank).read_text() for rank in "01")
    assert first == second
    state = checkpoint.load(tmp_path / "run" / "last.pt")
    digest = hashlib.sha256()
    for tensor in (*state["model"].values(), *state["average"].values()):
        digest.update(tensor.contiguous().numpy().tobytes())
    assert first == f"3 {digest.hexdigest()}"
    assert [p.name for p in (tmp_path / "models").iterdir()] == ["residual"]
    assert done.stderr.count("model: ") == 1
    assert Path(tmp_path / "models" / "residual" / "model.json").is_file()
