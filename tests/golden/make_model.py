"""Make the bundle `models/tiny-photo`, which never changes once a file was made with it:

    python tests/golden/make_model.py

It is of the family `photo`, in small and with random weights: nothing was learnt, and all must work all the same.
(`models/tiny`, of the family `residual`, was trained for a minute.)
"""

import sys
from pathlib import Path

import torch

from cnnzip.errors import OutputExistsError
from cnnzip.train.bundle import write_bundle
from cnnzip.train.config import TrainConfig
from cnnzip.train.data import load
from cnnzip.train.model import TrainingModel

HERE = Path(__file__).parent
OPTIONS = {
    "latent_channels": 16,
    "width_4": 4,
    "width_8": 8,
    "width_16": 12,
    "hyper_channels": 4,
    "blocks_8": 1,
    "blocks_16": 1,
}


def main() -> None:
    """Make it, if it is not there."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    config = TrainConfig(family="photo", options=OPTIONS, levels=3)
    model = TrainingModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 4:
                parameter += torch.randn_like(parameter) * (0.3 / parameter[0].numel()) ** 0.5
        # Large enough a latent for symbols of many sizes, and scales amid the tables.
        model.density.log_gain += 2.5
        for name in ("first.bias", "second.2.bias"):
            model.density.get_parameter(name)[OPTIONS["latent_channels"] :] += 20
    try:
        write_bundle(HERE / "models", "tiny-photo", model, config, load(HERE.parent / "data"), {}, force=False)
    except OutputExistsError as error:
        sys.exit(f"make_model: {error}")


if __name__ == "__main__":
    main()
