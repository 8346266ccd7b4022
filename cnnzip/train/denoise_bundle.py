"""From a trained denoiser to its bundle, and back for further training."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save

from cnnzip.codec.model import Description, checked_arrays, read_description
from cnnzip.denoise.model import load_denoiser
from cnnzip.errors import TrainingError
from cnnzip.networks.denoise import MULTIPLE, Denoise
from cnnzip.networks.export import export_graph, network_arrays, round_weights
from cnnzip.networks.runtime import WEIGHTS
from cnnzip.train.bundle import bundle_target, describe, write_description, write_whole
from cnnzip.train.config import TrainConfig

TRACE_SIDE = 8 * MULTIPLE
"""Side of the input that the graph is traced with, in pixels."""


def write_bundle(
    folder: Path, name: str, network: Denoise, config: TrainConfig, training: dict[str, Any], *, force: bool
) -> Path:
    """Write the bundle `folder/name` so that it is there whole or not at all; its path.

    Args:
        folder: where bundles are kept.
        name: what it is to be called.
        network: trained, on the CPU.
        config: what it was trained with.
        training: what `model.json` says about how it was trained.
        force: replace a bundle of that name.

    Raises:
        TrainingError, OutputExistsError: as `bundle.bundle_target`; or a weight has grown too large.
        FileError: no space, or the folder cannot be written.
    """
    target = bundle_target(folder, name, force=force)
    deployed = network.deployed()
    round_weights(deployed)
    arrays = network_arrays(deployed)
    description = describe(name, deployed, config, stride=MULTIPLE, halo=deployed.halo, training=training)
    return write_whole(target, lambda draft: _write_files(draft, description, arrays, deployed), check=load_denoiser)


def _write_files(draft: Path, description: Description, arrays: Mapping[str, NDArray[Any]], network: Denoise) -> None:
    weights = draft / WEIGHTS
    weights.write_bytes(save(dict(arrays)))
    inputs = {name: (1, planes, TRACE_SIDE, TRACE_SIDE) for name, planes in (("x", description.channels), ("level", 1))}
    export_graph(network.denoise, "denoise", inputs, weights, draft / "denoise.onnx")
    write_description(draft, description, arrays)


@torch.no_grad()
def load_weights(network: Denoise, bundle: Path) -> None:
    """Give `network` the weights of the bundle, of the same family and options.

    Raises:
        BadModelError: the bundle is damaged.
        TrainingError: it lacks one of them.
    """
    arrays = checked_arrays(bundle, read_description(bundle))
    for name, tensor in network.state_dict().items():
        if name not in arrays:
            raise TrainingError(f"{bundle}: the model lacks what training goes on from ('{name}')")
        tensor.copy_(torch.from_numpy(arrays[name].astype(np.float32)))
