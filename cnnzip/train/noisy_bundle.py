"""From an analysis for noisy pictures to its bundle: that of its codec, with other networks for the encoder."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors.numpy import load

from cnnzip.codec.model import PREVIEW, load_model
from cnnzip.errors import TrainingError
from cnnzip.networks.export import network_arrays, round_weights
from cnnzip.networks.family import Family
from cnnzip.networks.weights_file import WEIGHTS, WeightsFile
from cnnzip.train.bundle import bundle_target, describe, export_analysis, write_description, write_whole
from cnnzip.train.config import TrainConfig

LEARNT = ("analysis.", "hyper_analysis.")
"""Prefixes of the arrays that are not the codec's own; its id leaves them out (docs/format.md, section 3)."""


def write_bundle(
    folder: Path,
    name: str,
    network: Family,
    start: Path,
    config: TrainConfig,
    training: dict[str, Any],
    *,
    force: bool,
) -> Path:
    """Write the bundle `folder/name` so that it is there whole or not at all; its path.

    Args:
        folder: where bundles are kept.
        name: what it is to be called.
        network: trained, on the CPU, in deployed form.
        start: the bundle of the codec, of which the result keeps every byte that is not learnt, and the id.
        config: what the network was trained with.
        training: what `model.json` says about how it was trained.
        force: replace a bundle of that name.

    Raises:
        TrainingError, OutputExistsError: as `bundle.bundle_target`; or the codec in `start` is another one by now, or a
            weight has grown too large.
        BadModelError: the bundle in `start` is damaged.
        FileError: no space, or the folder cannot be written.
    """
    target = bundle_target(folder, name, force=force)
    codec = load_model(start).description
    if codec.id.hex() != config.start:
        raise TrainingError(f"{start}: is no longer model {config.start}, with which the run began; --resume with that")
    rounded = network.deployed()
    round_weights(rounded)
    weights = bytearray((start / WEIGHTS).read_bytes())
    spans = WeightsFile(start / WEIGHTS).spans
    for array_name, array in network_arrays(rounded).items():
        if array_name.startswith(LEARNT):
            span = spans[array_name]
            weights[span.offset : span.offset + span.length] = array.tobytes()
    # What the codec's description says of its decoder and its shape stays: options that are newer than it would change
    # its id.
    told = describe(name, rounded, config, stride=codec.stride, halo=codec.halo, training=training)
    description = replace(told, options=codec.options)

    def write(draft: Path) -> None:
        (draft / WEIGHTS).write_bytes(weights)
        for graph in {"synthesis.onnx", PREVIEW} & codec.files.keys():
            shutil.copyfile(start / graph, draft / graph)
        export_analysis(rounded, draft)
        write_description(draft, description, load(bytes(weights)))

    return write_whole(target, write, check=load_model)
