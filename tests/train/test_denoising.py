"""The training of denoisers."""

import json

import numpy as np
import pytest
import torch

from cnnzip.errors import TrainingError
from cnnzip.train import checkpoint
from cnnzip.train.config import TrainConfig
from cnnzip.train.data import load
from cnnzip.train.denoising import SIGMAS, Denoising
from cnnzip.train.distributed import Ranks
from cnnzip.train.loop import BEST, Run
from cnnzip.train.tasks import configured_from

CPU = torch.device("cpu")


def config(**changes):
    return TrainConfig(**{"family": "denoise", "options": {"width": 8}, "steps": 4, "bf16": False, **changes})


def test_what_a_run_leaves(denoiser_bundle):
    run = denoiser_bundle.parents[1] / "run"
    assert sorted(path.name for path in run.iterdir()) == ["best.pt", "curves.png", "last.pt", "log.jsonl"]
    step, valid = (json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines())
    assert set(step) == {"step", "progress", "seconds", "loss", "psnr", "rate"}
    assert [len(point) for point in valid["points"]] == [1] * len(SIGMAS)
    assert sorted(path.name for path in denoiser_bundle.iterdir()) == [
        "denoise.onnx", "model.json", "weights.safetensors"
    ]  # fmt: skip
    described = json.loads((denoiser_bundle / "model.json").read_text(encoding="utf-8"))
    assert {name: described[name] for name in ("name", "family", "options", "prior", "stride", "halo")} == {
        "name": "faint", "family": "denoise", "options": {"channels": 3, "width": 8, "blocks": 1}, "prior": "none",
        "stride": 8, "halo": 48,
    }  # fmt: skip
    assert described["training"]["steps"] == 4
    assert described["training"]["validation_loss"] == valid["valid"]
    assert described["training"]["config"]["noise"] == "mixed"


def test_the_bundle_holds_the_averaged_weights(denoiser_bundle):
    best = checkpoint.load(denoiser_bundle.parents[1] / "run" / BEST)["average"]
    task = Denoising(config())
    model = task.model()
    task.load_weights(model, denoiser_bundle)
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(tensor, best[name].half().float(), rtol=0, atol=0)


def test_training_on_from_a_bundle(denoiser_bundle):
    again = configured_from(denoiser_bundle, config(family="photo", options={}, noise="camera", seed=3))
    identity = json.loads((denoiser_bundle / "model.json").read_text())["id"]
    options = {"channels": 3, "width": 8, "blocks": 1}
    assert again == config(options=options, noise="camera", seed=3, start=identity)
    run = Run(again, CPU, Ranks())
    before = {name: tensor.clone() for name, tensor in run.model.state_dict().items()}
    run.start_from(denoiser_bundle)
    assert not all(torch.equal(before[name], tensor) for name, tensor in run.model.state_dict().items())
    with pytest.raises(TrainingError, match=r"the model lacks what training goes on from \('denoise\.body\.fine\.1\."):
        Run(config(options={"width": 8, "blocks": 2}), CPU, Ranks()).start_from(denoiser_bundle)


@pytest.mark.parametrize("channels", [3, 1])
def test_it_learns(photos, channels):
    torch.manual_seed(0)
    run = Run(config(options={"width": 8, "channels": channels}, warmup=10, noise="gaussian"), CPU, Ranks())
    data = load(photos)
    pictures = [torch.from_numpy(data.at(number).copy()).permute(2, 0, 1)[None] / 255 for number in range(2)]
    pixels = torch.cat([picture[:, :channels, :64, :64] for picture in pictures]).repeat(2, 1, 1, 1)
    before = run.task.validate(run.model, data, CPU)
    for _ in range(60):
        run.take_step(pixels, 0.0)
    after = run.task.validate(run.model, data, CPU)
    # A fresh network gives its input back: the PSNR of the noise, but for clipping.
    for (psnr,), sigma in zip(before.points, SIGMAS, strict=True):
        assert 0 <= psnr - 20 * np.log10(255 / sigma) < 1
    for (old,), (new,) in zip(before.points, after.points, strict=True):
        assert new > old + 0.5
    assert after.loss < 0.95 * before.loss


def test_validation_is_the_same_every_time(photos):
    task, data = Denoising(config()), load(photos)
    model = task.model()
    first = task.validate(model, data, CPU)
    torch.rand(5)
    assert task.validate(model, data, CPU) == first
    assert model.training


def test_half_precision_keeps_faint_noise(photos):
    """The picture itself never passes through bfloat16, which has 8 bits."""
    task = Denoising(config(bf16=True))
    model = task.model().eval()
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
        noisy = torch.rand(1, 3, 32, 32)
        level = torch.full((1, 1, 32, 32), 0.02)
        exact = model.network(noisy, level)
        rough = model.denoised(noisy, level)
    assert rough.dtype == torch.float32
    residual = (exact - noisy).abs().max()
    assert 0 < (rough - exact).abs().max() < 0.02 * residual


def test_noise_on_the_command_line(command, photos, tmp_path):
    rest = (photos, "--run-dir", tmp_path / "run", "-o", tmp_path / "models", "--steps", "1")
    for options, message in (
        (("--family", "denoise", "--noise", "pink"), "--noise is mixed, gaussian or camera, not 'pink'"),
        (("--family", "denoise", "--crops", "gpu"), "--crops is auto, host or device, not 'gpu'"),
        (("--family", "denoise", "--set", "stride=8"), "family 'denoise' has no option 'stride'; there are: channels"),
    ):
        code, lines = command("train", *rest, *options)
        assert (code, len(lines)) == (2, 1)
        assert lines[0].startswith(f"cnnzip: {message}")
