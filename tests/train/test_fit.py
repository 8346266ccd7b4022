"""From the learnt priors to those that are run: what is rounded, and what is refused."""

import numpy as np
import pytest
import torch

from cnnzip.errors import TrainingError
from cnnzip.prior.factorised import FactorisedPrior
from cnnzip.prior.hyper import HyperPrior
from cnnzip.prior.hyper_network import LAYERS
from cnnzip.train.fit import fit_prior, rounded_layer
from cnnzip.train.model import TrainingModel

PHOTO = {"latent_channels": 8, "width_4": 4, "width_8": 8, "width_16": 8, "hyper_channels": 4}
ROWS = 5


@pytest.fixture
def photo_model(small_config):
    torch.manual_seed(0)
    return TrainingModel(small_config(family="photo", options=PHOTO, levels=3))


@pytest.fixture
def latents():
    return [np.random.default_rng(n).normal(0, 3, (8, 5, 6)).astype(np.float32) for n in range(3)]


def test_each_family_gets_its_prior(photo_model, small_config, latents):
    prior, tables = fit_prior(photo_model, latents, ROWS)
    assert isinstance(prior, HyperPrior)
    assert prior.hyper_index.shape == (ROWS, 4)
    assert prior.hyper_index.min() >= 64
    assert prior.hyper_index.max() == len(tables) - 1
    prior, tables = fit_prior(TrainingModel(small_config()), latents, ROWS)
    assert isinstance(prior, FactorisedPrior)
    assert prior.table_index.shape == (ROWS, 8)
    assert prior.table_index.max() == len(tables) - 1


def test_weights_are_rounded_to_the_nearest_integers(photo_model, latents):
    prior, _ = fit_prior(photo_model, latents, ROWS)
    assert list(prior.weights) == list(LAYERS)
    for name, (weight, bias) in prior.weights.items():
        learnt = photo_model.density.get_submodule(name)
        assert (weight.dtype, bias.dtype) == (np.int16, np.int32)
        assert np.abs(weight.ravel() / 2**12 - learnt.weight.detach().numpy().ravel()).max() <= 2**-13
        assert np.abs(bias / 2**20 - learnt.bias.detach().double().numpy()).max() <= 2**-21


@pytest.mark.parametrize("name", ["first", "hyper_synthesis.3"])
@pytest.mark.parametrize(
    ("part", "most", "value"),
    [
        ("weight", 32767 / 4096, 32767.6 / 4096),
        ("weight", -32767 / 4096, -32768 / 4096),
        ("weight", 1.0, float("nan")),
        ("bias", 2047.9, 2048.0),
        ("bias", -2047.9, -2048.1),
        ("bias", 0.0, float("inf")),
    ],
)
def test_a_weight_beyond_its_integers_is_refused(photo_model, latents, name, part, most, value):
    layer = photo_model.density.get_submodule(name)
    with torch.no_grad():
        getattr(layer, part).view(-1)[-1] = most
        rounded_layer(layer, name)
        getattr(layer, part).view(-1)[-1] = value
    with pytest.raises(TrainingError, match=rf"^the prior's layer '{name}' has grown too large to be rounded$"):
        fit_prior(photo_model, latents, ROWS)
