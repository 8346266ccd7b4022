"""A small model of the family `photo` with random weights: nothing was learnt, and all must work all the same."""

from pathlib import Path

import pytest

from cnnzip.codec.model import Model, load_model
from cnnzip.networks.runtime import Runtime

SMALL = {
    "latent_channels": 16,
    "width_4": 4,
    "width_8": 8,
    "width_16": 12,
    "hyper_channels": 4,
    "blocks_8": 1,
    "blocks_16": 1,
}


@pytest.fixture(scope="session")
def photo_model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    torch = pytest.importorskip("torch")
    pytest.importorskip("pytorch_optimizer")
    from cnnzip.train.bundle import write_bundle
    from cnnzip.train.config import TrainConfig
    from cnnzip.train.data import load
    from cnnzip.train.model import TrainingModel

    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = TrainConfig(family="photo", options=SMALL, levels=3)
    model = TrainingModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 4:
                parameter += torch.randn_like(parameter) * (0.3 / parameter[0].numel()) ** 0.5
        # Large enough a latent for symbols of many sizes, and scales amid the tables.
        model.density.log_gain += 2.5
        for name in ("first.bias", "second.2.bias"):
            model.density.get_parameter(name)[16:] += 20
    folder: Path = tmp_path_factory.mktemp("models")
    data = load(Path(__file__).parents[1] / "data")
    return load_model(write_bundle(folder, "photo", model, config, data, {}, force=False))


@pytest.fixture(scope="session")
def photo_runtime(photo_model: Model) -> Runtime:
    return photo_model.runtime(threads=1)
