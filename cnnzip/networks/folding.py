"""Batch normalisation is for training: what is stored and run has it folded into the convolutions before it.

In evaluation a normalisation is linear, so a convolution can do its work. The way back keeps γ and β alone: the folded
convolution already gives channels of mean β and deviation |γ|, and with those as its statistics a normalisation
changes nothing in evaluation and does in training what the one that was folded did.
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Convolution = nn.Conv2d | nn.ConvTranspose2d


def normalised(network: nn.Module) -> Iterator[tuple[nn.Sequential, str, str, str]]:
    """Each convolution that a batch normalisation follows: the Sequential with both, its name, and theirs in it.

    The convolution has no bias.
    """
    for parent_name, parent in network.named_modules():
        if isinstance(parent, nn.Sequential):
            for (first, convolution), (second, norm) in pairwise(parent.named_children()):
                if isinstance(norm, nn.BatchNorm2d):
                    assert isinstance(convolution, Convolution) and convolution.bias is None
                    yield parent, parent_name, first, second


def fold_batch_norms(network: nn.Module) -> None:
    """Fold every batch normalisation of `network`, in evaluation mode, into the convolution before it, in place.

    Convolutions keep their names: where a normalisation was there is nothing to compute any more.
    """
    for parent, _, first, second in list(normalised(network)):
        convolution, norm = parent.get_submodule(first), parent.get_submodule(second)
        assert isinstance(convolution, Convolution) and isinstance(norm, nn.BatchNorm2d)
        transpose = isinstance(convolution, nn.ConvTranspose2d)
        parent.set_submodule(first, fuse_conv_bn_eval(convolution, norm, transpose))
        parent.set_submodule(second, nn.Identity())


def norm_arrays(network: nn.Module) -> dict[str, NDArray[np.float32]]:
    """γ and β of every batch normalisation by its name, (2, C): all that a folded network has lost."""
    return {
        f"{parent_name}.{second}": torch.stack(
            [parent.get_parameter(f"{second}.{name}") for name in ("weight", "bias")]
        )
        .detach()
        .cpu()
        .float()
        .numpy()
        for parent, parent_name, _, second in normalised(network)
    }


def unfolded(
    network: nn.Module, arrays: Mapping[str, NDArray[Any]], norms: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """The state of `network`, which has batch normalisations, that computes what folded weights do.

    Args:
        network: in its form for training; its values do not matter.
        arrays: the folded weights by their names.
        norms: what `norm_arrays` gave before the folding.

    Raises:
        KeyError: `arrays` or `norms` lack one.
    """
    state: dict[str, NDArray[Any]] = {}
    for parent, parent_name, first, second in normalised(network):
        norm, name = parent.get_submodule(second), f"{parent_name}.{second}"
        assert isinstance(norm, nn.BatchNorm2d)
        gamma, beta = norms[name].astype(np.float64)
        variance = np.maximum(gamma**2 - norm.eps, 0)
        state[f"{name}.weight"] = np.sqrt(variance + norm.eps)
        state[f"{name}.bias"] = beta
        # The mean takes over the bias, which only the folded convolution has.
        state[f"{name}.running_mean"] = beta - arrays[f"{parent_name}.{first}.bias"].astype(np.float64)
        state[f"{name}.running_var"] = variance
        state[f"{name}.num_batches_tracked"] = np.zeros((), dtype=np.int64)
    return {name: state[name] if name in state else arrays[name] for name in network.state_dict()}
