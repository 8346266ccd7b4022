"""From what was learnt to what is run: the prior in numpy, its integer tables fitted on real latents."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cnnzip.entropy import Tables
from cnnzip.errors import TrainingError
from cnnzip.prior.exact import BIAS_BITS, WEIGHT_BITS
from cnnzip.prior.factorised import FactorisedPrior
from cnnzip.prior.fit import cluster, count
from cnnzip.prior.gains import Gains
from cnnzip.prior.hyper import HyperPrior
from cnnzip.prior.hyper_density import HyperDensity
from cnnzip.prior.hyper_fit import fit_hyper
from cnnzip.prior.hyper_network import LAYERS
from cnnzip.prior.prior import Prior
from cnnzip.prior.rounding import to_nearest
from cnnzip.prior.scales import LAST_SCALE
from cnnzip.train.model import TrainingModel


def fit_prior(model: TrainingModel, latents: Iterable[NDArray[np.float32]], rows: int) -> tuple[Prior, Tables]:
    """The prior of `model`, with table rows for `rows` qualities, and its tables.

    Args:
        model: trained, on the CPU.
        latents: (M, h, w) each.
        rows: at least two.

    Raises:
        TrainingError: a weight of the prior is too large to be rounded to 16 bits.
    """
    density = model.density
    gains = Gains(
        *(
            tensor.detach().float().numpy()
            for tensor in (density.mean, density.log_gain.exp(), density.log_inverse_gain.exp())
        )
    )
    if isinstance(density, HyperDensity):
        hyper_channels = density.hyper_mixture.offset.shape[1]
        weights = {name: rounded_layer(density.get_submodule(name), name) for name in LAYERS}
        index = np.zeros((rows, hyper_channels), dtype=np.uint8)
        hyper = HyperPrior.make(gains, to_nearest(LAST_SCALE + 1), index, weights)
        fitted_hyper, weighted = fit_hyper(hyper, latents, lambda scaled: _run(model.network.hyper_analysis, scaled))
        return fitted_hyper, Tables.from_weights(weighted)
    factorised = FactorisedPrior(gains, np.zeros((rows, gains.channels), dtype=np.uint8))
    fitted = cluster(count(factorised, latents))
    return replace(factorised, table_index=fitted.table_index), Tables.from_weights(fitted.tables)


def rounded_layer(module: nn.Module, name: str) -> tuple[NDArray[np.int16], NDArray[np.int32]]:
    """Weight and bias of a convolution as the integers that `prior.exact` computes with.

    Raises:
        TrainingError: they do not fit.
    """
    assert isinstance(module, nn.Conv2d) and module.bias is not None
    weight = np.rint(module.weight.detach().double().numpy() * 2**WEIGHT_BITS)
    bias = np.rint(module.bias.detach().double().numpy() * 2**BIAS_BITS)
    if not (np.abs(weight).max() <= np.iinfo(np.int16).max and np.abs(bias).max() <= np.iinfo(np.int32).max):
        raise TrainingError(f"the prior's layer '{name}' has grown too large to be rounded")
    depthwise = module.groups > 1
    return (weight[:, 0] if depthwise else weight[:, :, 0, 0]).astype(np.int16), bias.astype(np.int32)


@torch.no_grad()
def _run(network: nn.Module | None, x: NDArray[np.float32]) -> NDArray[np.float32]:
    assert network is not None
    result: NDArray[np.float32] = network(torch.from_numpy(x)).numpy()
    return result
