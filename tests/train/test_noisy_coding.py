"""The training of an analysis for noisy pictures."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from cnnzip.codec.decode import decode_picture
from cnnzip.codec.encode import encode_picture
from cnnzip.codec.model import load_model, model_id
from cnnzip.errors import TrainingError
from cnnzip.image import read
from cnnzip.train.config import TrainConfig
from cnnzip.train.data import load
from cnnzip.train.distributed import Ranks
from cnnzip.train.loop import Run
from cnnzip.train.noisy_coding import SIGMAS
from cnnzip.train.tasks import configured_from

CPU = torch.device("cpu")
DATA = Path(__file__).parents[1] / "data"
OPTIONS = {
    "photo": {"latent_channels": 8, "width_4": 8, "width_8": 8, "width_16": 8, "hyper_channels": 4},
    "deconv": {"latent_channels": 8, "width": 8},  # the family with batch normalisation
}
SETTINGS = {"crop": 64, "batch": 2, "steps": 4, "bf16": False, "warmup": 1, "rate": 1e-2}
LEARNT = ("analysis.", "hyper_analysis.")


@pytest.fixture(scope="module")
def pixels():
    pictures = [read((DATA / name).read_bytes()).color for name in ("lighthouse-64x96.png", "parrots-96x64.png")]
    return torch.from_numpy(np.stack([picture[:64, :64] for picture in pictures])).permute(0, 3, 1, 2) / 255


@pytest.fixture(scope="module")
def codec(photo_model, tmp_path_factory):
    """A codec's bundle of a time when `channels` was no option: its id is of the options that it has."""
    bundle = Path(shutil.copytree(photo_model.folder, tmp_path_factory.mktemp("codec") / "codec"))
    described = json.loads((bundle / "model.json").read_text(encoding="utf-8"))
    del described["options"]["channels"]
    decoding = {name: described[name] for name in ("family", "options", "prior", "stride")}
    described["id"] = model_id(decoding, load_file(bundle / "weights.safetensors")).hex()
    (bundle / "model.json").write_text(json.dumps(described), encoding="utf-8")
    return bundle


def begun(codec, **changes):
    """A run that trains the codec's analysis."""
    config = configured_from(codec, TrainConfig(noisy=True, **SETTINGS))
    run = Run(replace(config, **changes), CPU, Ranks())
    run.start_from(codec)
    return run


def copied(run):
    return {name: tensor.clone() for name, tensor in run.model.state_dict().items()}


def test_any_decoder_of_the_codec_reads_its_files(command, codec, photos, tmp_path, photo):
    places = (photos, "--valid", photos, "--run-dir", tmp_path / "run", "-o", tmp_path / "models", "--threads", "1")
    options = ("--noise", "gaussian", "--name", "noisy", "--steps", "2", "--rate", "0.1", "--crop", "64")
    code, lines = command("train", *places, "--from", codec, *options, "--batch", "2")
    assert code == 0
    logged = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [len(point) for point in logged[-1]["points"]] == [2] * len(SIGMAS)
    noisy = tmp_path / "models" / "noisy"
    assert lines[-1] == f"model: {noisy}"
    assert sorted(path.name for path in noisy.iterdir()) == sorted(path.name for path in codec.iterdir())

    plain, joint = load_model(codec), load_model(noisy)
    assert joint.description.id == plain.description.id
    assert joint.description.name == "noisy"
    told = joint.description.training["config"]
    assert (told["start"], told["noisy"], told["noise"]) == (plain.description.id.hex(), True, "gaussian")
    before, after = load_file(codec / "weights.safetensors"), load_file(noisy / "weights.safetensors")
    assert list(before) == list(after)
    for name, array in before.items():
        assert (array.dtype, array.shape) == (after[name].dtype, after[name].shape)
        if not name.startswith(LEARNT):
            assert array.tobytes() == after[name].tobytes(), name
        elif array.size > 100:
            assert array.tobytes() != after[name].tobytes(), name
    assert (noisy / "synthesis.onnx").read_bytes() == (codec / "synthesis.onnx").read_bytes()

    data = encode_picture(photo, joint, joint.runtime(threads=1))
    assert data != encode_picture(photo, plain, plain.runtime(threads=1))
    decoded = [
        decode_picture(data, find_model=lambda _, m=m: m, open_runtime=lambda m: m.runtime(threads=1)).color
        for m in (plain, joint)
    ]
    np.testing.assert_array_equal(*decoded)


@pytest.mark.parametrize("family", OPTIONS)
def test_the_analysis_alone_learns(family, pixels):
    config = TrainConfig(family=family, options=OPTIONS[family], levels=4, noisy=True, dropout=0.1, **SETTINGS)
    run = Run(config, CPU, Ranks())
    before = copied(run)
    for _ in range(5):  # what lies before convolutions that start at zero learns from the second step on
        run.take_step(pixels, 0.0)
    learnt = {name for name, tensor in run.model.state_dict().items() if not torch.equal(tensor, before[name])}
    assert learnt == {name for name in before if name.removeprefix("network.").startswith(LEARNT)}
    states = [state for member in run.optimizers.state_dict() for state in member["state"].values()]
    assert len(states) == len(learnt)
    averaged = run.average.state_dict()
    for name in before.keys() - learnt:
        assert torch.equal(averaged[name], before[name])
    assert run.model.network.analysis.training
    # No decoder loses channels, or normalises a batch by itself.
    assert not any(module.training for module in run.model.network.synthesis.modules())


def test_the_network_sees_noise_and_is_asked_for_the_clean_picture(codec, pixels):
    run = begun(codec)
    noisy, level, clean = run.task.inputs(pixels)
    assert torch.equal(clean, pixels)
    assert level.shape == (2,)
    assert (noisy - clean).abs().max() > 0.01
    torch.testing.assert_close(noisy * 255, (noisy * 255).round().clamp(0, 255), rtol=0, atol=1e-4)
    run.model.eval()
    shown = run.model(noisy, level, noisy)
    asked = run.model(noisy, level, clean)
    assert torch.equal(shown.bpp, asked.bpp)
    latent, _ = run.model.density(run.model.network.analysis(noisy), level, run.model.network.hyper_analysis)
    error = (run.model.network.synthesis(latent) - clean).square().mean(dim=(1, 2, 3))
    torch.testing.assert_close(asked.mse, error)


def test_it_learns(codec, pixels, photos):
    run, data = begun(codec, noise="gaussian"), load(photos)
    before = run.task.validate(run.model, data, CPU)
    assert before.points[0][0] < before.points[1][0] < before.points[2][0]
    assert before == run.task.validate(run.model, data, CPU)
    for _ in range(25):
        run.take_step(pixels, 0.0)
    after = run.task.validate(run.model, data, CPU)
    assert after.loss < 0.95 * before.loss
    assert after.points[2][0] < before.points[2][0]


def test_a_resumed_run_repeats_an_unbroken_one(codec, pixels):
    unbroken, first, second = begun(codec), begun(codec), Run(begun(codec).config, CPU, Ranks())
    for _ in range(2):
        unbroken.take_step(pixels, 0.0)
    first.take_step(pixels, 0.0)
    second.load(first.state())
    second.take_step(pixels, 0.0)
    for mine, theirs in zip(copied(unbroken).values(), copied(second).values(), strict=True):
        assert torch.equal(mine, theirs)


def test_a_codec_that_was_replaced_meanwhile(codec, pixels, tmp_path):
    run = begun(codec, start="0123456789abcdef")
    with pytest.raises(TrainingError, match="is no longer model 0123456789abcdef, with which the run began"):
        run.task.write_bundle(tmp_path, "noisy", run.model, load(DATA), {}, start=codec, force=False)
    assert list(tmp_path.iterdir()) == []


def test_usage(command, codec, photos, tmp_path):
    rest = ("train", photos, "--run-dir", tmp_path / "run", "-o", tmp_path / "models", "--steps", "1")
    for options in (("--family", "residual", "--name", "noisy"), ("--from", codec)):
        code, lines = command(*rest, *options, "--noise", "camera")
        assert (code, len(lines)) == (2, 1)
        assert lines[0].startswith("cnnzip: --noise without a denoiser trains the analysis of a codec; say --from and")
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]
