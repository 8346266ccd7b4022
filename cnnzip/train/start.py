"""Where a codec's run takes its first weights from: a finished model, to fine-tune it or train it further."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load

from cnnzip.codec.model import load_model
from cnnzip.errors import TrainingError
from cnnzip.networks.folding import norm_arrays, unfolded
from cnnzip.networks.runtime import WEIGHTS
from cnnzip.prior.exact import BIAS_BITS, WEIGHT_BITS
from cnnzip.prior.hyper import HyperPrior
from cnnzip.train.config import TrainConfig
from cnnzip.train.lambdas import Lambdas
from cnnzip.train.model import TrainingModel

PREFIX = "training."
"""Arrays of a bundle that only training needs; neither encoder nor decoder reads them."""

NORM_PREFIX = PREFIX + "norm."
"""Those of them that batch normalisations had before they were folded into convolutions."""


def training_arrays(model: TrainingModel) -> dict[str, NDArray[np.float32]]:
    """What a bundle stores for those who train on.

    That is the densities that integer tables replace when coding, and what folded batch normalisations have lost.
    """
    densities = {
        PREFIX + name: tensor.detach().cpu().float().numpy()
        for name, tensor in model.density.state_dict().items()
        if "mixture." in name
    }
    return densities | {NORM_PREFIX + name: array for name, array in norm_arrays(model.network).items()}


def load_weights(model: TrainingModel, bundle: Path) -> None:
    """Give `model`, built as `tasks.configured_from` says, the weights of the bundle.

    What the bundle has in integers or in half precision comes back rounded; training smooths that in a few steps. Where
    the run has levels of quality of its own, the gains are carried over to them.

    Raises:
        BadModelError: the bundle is damaged.
        TrainingError: it lacks what only training needs.
    """
    loaded = load_model(bundle)
    prior, description = loaded.prior, loaded.description
    arrays = load((bundle / WEIGHTS).read_bytes())
    norms = {name.removeprefix(NORM_PREFIX): a for name, a in arrays.items() if name.startswith(NORM_PREFIX)}
    try:
        network = unfolded(model.network, arrays, norms)
    except KeyError as error:
        raise TrainingError(f"{bundle}: the model lacks what training goes on from ({error})") from error
    state: dict[str, Any] = {f"network.{name}": array for name, array in network.items()}
    state["density.mean"] = prior.gains.mean
    before = Lambdas.of(TrainConfig.from_json(description.training["config"]))
    for name, gains in ("log_gain", prior.gains.gain), ("log_inverse_gain", prior.gains.inverse_gain):
        state[f"density.{name}"] = carried_over(np.log(gains), before, model.lambdas)
    state |= {f"density.{name.removeprefix(PREFIX)}": a for name, a in arrays.items() if "mixture." in name}
    if isinstance(prior, HyperPrior):
        state |= _float_layers(prior)
    _assign(model, state, bundle)


def carried_over(logs: NDArray[np.float32], before: Lambdas, after: Lambdas) -> NDArray[np.float32]:
    """Logarithms of gains (levels before, M) at other levels, (levels after, M): as before wherever λ is the same.

    Beyond what there was they go on as they did between the last two levels.
    """
    if before == after:
        return logs
    positions = np.array([before.level(after.at(float(level))) for level in range(after.levels)])
    low = np.clip(np.floor(positions), 0, before.levels - 2).astype(np.intp)
    share = (positions - low)[:, None]
    moved: NDArray[np.float32] = ((1 - share) * logs[low] + share * logs[low + 1]).astype(np.float32)
    return moved


def _float_layers(prior: HyperPrior) -> dict[str, NDArray[np.float64]]:
    """The layers that `fit.rounded_layer` made integers of, by their names in the model."""
    floats = {}
    for name, (weight, bias) in prior.weights.items():
        floats[f"density.{name}.weight"] = weight / 2.0**WEIGHT_BITS
        floats[f"density.{name}.bias"] = bias / 2.0**BIAS_BITS
    return floats


@torch.no_grad()
def _assign(model: TrainingModel, state: Mapping[str, NDArray[Any]], bundle: Path) -> None:
    own = model.state_dict()
    missing = sorted(own.keys() - state.keys())
    if missing:
        raise TrainingError(f"{bundle}: the model lacks what training goes on from ('{missing[0]}')")
    for name, tensor in own.items():
        # Integer layers are stored as matrices, without the sides of a 1×1 kernel.
        tensor.copy_(torch.from_numpy(np.asarray(state[name], dtype=np.float32)).reshape(tensor.shape))
