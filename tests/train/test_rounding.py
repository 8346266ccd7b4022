"""What storing costs, on a small model of random weights: next to nothing."""

import pytest
import torch

from cnnzip.errors import TrainingError
from cnnzip.train import checkpoint
from cnnzip.train.bundle import write_bundle
from cnnzip.train.data import load
from cnnzip.train.model import TrainingModel
from cnnzip.train.rounding import rows

OPTIONS = {"latent_channels": 8, "width_4": 8, "width_8": 8, "width_16": 8, "hyper_channels": 4}


@pytest.fixture
def stored(photos, small_config, tmp_path):
    """A checkpoint, and the model that was made of it."""
    config = small_config(family="photo", options=OPTIONS, levels=3)
    torch.manual_seed(0)
    model = TrainingModel(config)
    with torch.no_grad():
        model.density.log_gain += 2
        for name in ("first.bias", "second.2.bias"):
            model.density.get_parameter(name)[8:] += 20
    checkpoint.save(tmp_path / "best.pt", {"config": config.as_json(), "average": model.state_dict()})
    return tmp_path / "best.pt", write_bundle(tmp_path, "small", model, config, load(photos), {}, force=False)


def test_half_precision_and_integers_cost_next_to_nothing(stored, photos):
    from cnnzip.codec.model import load_model

    path, bundle = stored
    learnt, halved, integers = rows(path, load_model(bundle), load(photos), 10_000)
    assert learnt.bpp > 0.03  # a bit and more a symbol
    assert halved.bpp == pytest.approx(learnt.bpp, rel=0.005)
    assert integers.bpp == pytest.approx(halved.bpp, rel=0.005)
    assert integers.psnr == pytest.approx(learnt.psnr, abs=0.02)
    assert learnt != halved != integers


def test_a_model_without_integers_is_refused(stored, tiny, photos):
    with pytest.raises(TrainingError, match="model 'tiny' has no integer network"):
        rows(stored[0], tiny, load(photos), 5000)
