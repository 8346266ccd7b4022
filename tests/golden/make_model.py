"""Make the small models that golden files need, where they are missing; they never change once a file was made:

    python tests/golden/make_model.py

There is one for every family, in small and with random weights: nothing was learnt, and all must work all the same.
(`models/tiny`, of the family `residual`, was trained for a minute.)
"""

from pathlib import Path

import torch

from cnnzip.train.bundle import write_bundle
from cnnzip.train.config import TrainConfig
from cnnzip.train.data import load
from cnnzip.train.model import TrainingModel

HERE = Path(__file__).parent
MODELS: dict[str, tuple[str, int, dict[str, int]]] = {
    "tiny-pool": ("pool", 2, {"latent_channels": 8, "width": 8}),
    "tiny-dense": ("dense", 2, {"latent_channels": 16, "width": 4}),
    "tiny-deconv": ("deconv", 2, {"latent_channels": 8, "width": 4}),
    "tiny-photo": (
        "photo",
        3,
        {
            "latent_channels": 16,
            "width_4": 4,
            "width_8": 8,
            "width_16": 12,
            "hyper_channels": 4,
            "blocks_8": 1,
            "blocks_16": 1,
        },
    ),
}
"""Of each name the family, the levels of quality, and the options."""


LAMBDAS = {"lowest_lambda": 0.0008, "highest_lambda": None, "bend": 0.0}
"""Of the scale of quality that runs had by default when they were made."""


def make(name: str) -> None:
    """Make one of `MODELS`."""
    family, levels, options = MODELS[name]
    torch.manual_seed(0)
    config = TrainConfig(family=family, options=options, levels=levels, **LAMBDAS)
    model = TrainingModel(config)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim == 4:
                parameter += torch.randn_like(parameter) * (0.3 / parameter[0].numel()) ** 0.5
        # Large enough a latent for symbols of many sizes.
        model.density.log_gain += 2.5
        if family == "photo":
            # Scales amid the tables.
            for bias in ("first.bias", "second.2.bias"):
                model.density.get_parameter(bias)[options["latent_channels"] :] += 20
        else:
            for _ in range(10):  # the statistics of batch normalisations are those of data
                model.network(torch.rand(4, 3, 64, 64))
    write_bundle(HERE / "models", name, model, config, load(HERE.parent / "data"), {}, force=False)


def main() -> None:
    """Make those that are not there."""
    torch.set_num_threads(1)
    for name in MODELS:
        if not (HERE / "models" / name).exists():
            make(name)


if __name__ == "__main__":
    main()
