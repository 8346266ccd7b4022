"""Training that goes on from a finished model."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cnnzip.codec.model import load_model
from cnnzip.errors import TrainingError
from cnnzip.train.bundle import write_bundle
from cnnzip.train.data import load
from cnnzip.train.distributed import Ranks
from cnnzip.train.lambdas import Lambdas
from cnnzip.train.loop import Run
from cnnzip.train.model import TrainingModel
from cnnzip.train.start import load_weights
from cnnzip.train.tasks import configured_from
from cnnzip.train.validate import validate

OPTIONS = {
    "residual": {"width": 8, "blocks": 1, "latent_channels": 8, "stride": 8},
    "deconv": {"width": 8, "latent_channels": 8},
    "photo": {"latent_channels": 8, "width_4": 8, "width_8": 8, "width_16": 8, "hyper_channels": 4},
}
TINY = Path(__file__).parents[1] / "golden" / "models" / "tiny"


@pytest.fixture(params=["residual", "deconv", "photo"])
def trained(request, photos, small_config, tmp_path):
    """Settings and model of a run of some steps, and the bundle of it."""
    config = small_config(family=request.param, options=OPTIONS[request.param], levels=4, lowest_lambda=0.002)
    run = Run(config, torch.device("cpu"), Ranks.from_environment("cpu"))
    torch.manual_seed(1)
    for _ in range(3):
        run.take_step(torch.rand(2, 3, 64, 64), 0.0)
    bundle = write_bundle(tmp_path, "first", run.model, config, load(photos), {}, force=False)
    return config, run.model, bundle


def test_the_weights_come_back_but_for_their_rounding(trained, photos, small_config):
    config, model, bundle = trained
    again = configured_from(bundle, small_config(seed=5))
    assert again == replace(config, seed=5, options=again.options, start=load_model(bundle).description.id.hex())
    assert again.options.items() >= config.options.items()
    fresh = TrainingModel(again)
    load_weights(fresh, bundle)
    fresh.network = fresh.network.deployed()  # as the bundle made it of the first
    for (name, old), new in zip(model.state_dict().items(), fresh.state_dict().values(), strict=True):
        np.testing.assert_allclose(new.numpy(), old.numpy(), rtol=2**-11, atol=2**-13, err_msg=name)
    pictures = load(photos)
    before, after = (validate(m, pictures, torch.device("cpu")).loss for m in (model, fresh))
    assert after == pytest.approx(before, rel=1e-3)


def test_gains_are_carried_over_to_other_levels(trained, small_config):
    """Where λ is the same, rate and distortion are; beyond what there was, they go on."""
    _, model, bundle = trained
    again = configured_from(bundle, small_config())
    wider = TrainingModel(replace(again, **Lambdas(6, 0.001, 0.016 * 4, 0.2).settings()))
    load_weights(wider, bundle)
    former = model.lambdas
    levels = torch.linspace(0, 3, 7)
    there = torch.tensor([wider.lambdas.level(former.at(float(level))) for level in levels])
    for old, new in zip(model.density.gains(levels), wider.density.gains(there), strict=True):
        torch.testing.assert_close(new, old, rtol=0.05, atol=0)
    gain, _ = wider.density.gains(torch.arange(6.0))
    assert (gain.diff(dim=0) > 0).all()
    same = TrainingModel(again)
    load_weights(same, bundle)
    np.testing.assert_allclose(same.density.log_gain.detach(), model.density.log_gain.detach(), rtol=1e-5, atol=1e-6)


def test_a_bundle_without_the_densities_of_training_is_refused(tmp_path, small_config):
    with pytest.raises(TrainingError, match=r"lacks what training goes on from \('density\.mixture\.log_scale'\)"):
        load_weights(TrainingModel(configured_from(TINY, small_config())), TINY)


@pytest.mark.parametrize("training", [{}, {"config": {"levels": "many"}}, {"config": {"levels": 1}}, {"config": 3}])
def test_a_bundle_that_does_not_tell_its_levels_is_refused(training, tmp_path, small_config):
    bundle = Path(shutil.copytree(TINY, tmp_path / "tiny"))
    described = json.loads((bundle / "model.json").read_text(encoding="utf-8"))
    described["training"] = training
    (bundle / "model.json").write_text(json.dumps(described), encoding="utf-8")
    with pytest.raises(TrainingError, match="the model does not tell how it was trained"):
        configured_from(bundle, small_config())


@pytest.mark.parametrize("trained", ["residual"], indirect=True)
def test_from_on_the_command_line(command, photos, trained, tmp_path):
    config, _, bundle = trained
    rest = (photos, "--run-dir", tmp_path / "run", "-o", tmp_path / "models", "--threads", "1")
    options = ("--steps", "1", "--crop", "32", "--batch", "2", "--rate", "1e-6", "--name", "second")
    assert command("train", *rest, "--from", bundle, *options)[0] == 0
    second = load_model(tmp_path / "models" / "second")
    assert second.description.training["config"]["start"] == load_model(bundle).description.id.hex()
    # So small a rate of learning leaves the gains where they were.
    np.testing.assert_allclose(second.prior.gains.gain, load_model(bundle).prior.gains.gain, rtol=1e-4)
    code, lines = command("train", *rest, "--from", bundle, "--family", config.family, *options)
    assert (code, lines) == (
        2,
        ["cnnzip: --from takes the family and its options from the model; leave out --family, --set and --channels"],
    )
    assert command("train", *rest, "--from", tmp_path / "none", *options)[0] == 1


@pytest.mark.parametrize("trained", ["photo"], indirect=True)
def test_another_scale_of_quality_on_the_command_line(command, photos, trained, tmp_path):
    _, _, bundle = trained
    rest = ("train", photos, "--run-dir", tmp_path / "run", "-o", tmp_path / "models", "--threads", "1", "--steps", "1")
    rest += ("--crop", "32", "--batch", "1")
    code, lines = command(*rest, "--from", bundle, "--name", "wide", "--lambdas", "0.0005:0.032")
    assert (code, lines[-1]) == (0, f"model: {tmp_path / 'models' / 'wide'}")
    settings = load_model(tmp_path / "models" / "wide").description.training["config"]
    assert [settings[name] for name in ("levels", "lowest_lambda", "highest_lambda")] == [7, 0.0005, 0.032]
    assert load_model(tmp_path / "models" / "wide").prior.gains.gain.shape[0] == 7
    for text in ("0.5", "0.1:0.01", "0:1", "a:b", "nan:1"):
        message = f"cnnzip: --lambdas takes LOW:HIGH, such as 0.0006:0.6144, not '{text}'"
        assert command(*rest, "--from", bundle, "--name", "none", "--lambdas", text) == (2, [message])
    noisy = ("--from", bundle, "--noise", "mixed", "--name", "noisy")
    for kind in ("--family", "denoise"), ("--family", "residual"), noisy:
        code, lines = command(*rest, *kind, "--sent")
        assert (code, lines) == (2, ["cnnzip: --sent is for codecs with a hyper-latent, and not with --noise"])
    message = "cnnzip: --lambdas is for codecs, and not with --noise: the qualities are those of the model"
    for kind in ("--family", "denoise"), noisy:
        assert command(*rest, *kind, "--lambdas", "0.001:0.1") == (2, [message])
