"""From a checkpoint to a model bundle: integer tables fitted on real latents, codes, weights and graphs."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save

from cnnzip import __version__
from cnnzip.codec.header import ID_BYTES, MODEL_NAME
from cnnzip.codec.model import DESCRIPTION, PREVIEW, Description, files_of, load_model, model_id
from cnnzip.entropy import Codebook
from cnnzip.errors import FileError, OutputExistsError, TrainingError
from cnnzip.networks.export import export_graph, network_arrays, round_weights
from cnnzip.networks.family import Family, Network
from cnnzip.networks.halo import halo
from cnnzip.networks.preview import PREFIX, preview_of
from cnnzip.networks.runtime import WEIGHTS, GraphRuntime
from cnnzip.train.config import TrainConfig
from cnnzip.train.data import PictureSet, in_planes
from cnnzip.train.fit import fit_prior
from cnnzip.train.model import TrainingModel
from cnnzip.train.start import training_arrays

ROWS_A_LEVEL = 4
"""Qualities with table indices of their own, a level of gain: between two of them the scales change by 9 to 12 %."""

FIT_PICTURES = 256
FIT_SIDE = 512
"""The tables are fitted on a crop of at most this side from each of this many pictures."""

TRACE_SIDE = 4
"""Latent positions a side of the input that the graphs are traced with."""


@torch.no_grad()
def latents(model: TrainingModel, data: PictureSet, seed: int) -> Iterator[NDArray[np.float32]]:
    """The latents (M, h, w) that the tables are fitted on."""
    rng = np.random.default_rng(seed)
    stride = model.network.config.stride
    for picture in data.choose(rng.permutation(len(data))[:FIT_PICTURES].tolist()):
        # Whole positions only, or the padding's repeated border would be counted as picture.
        height, width = (min(side // stride * stride, FIT_SIDE) for side in picture.shape[:2])
        top, left = (int(rng.integers(s - c + 1)) for s, c in zip(picture.shape, (height, width), strict=False))
        cut = in_planes(picture[top : top + height, left : left + width], model.network.config.channels)
        pixels = torch.from_numpy(cut)[None].float() / 255
        latent: NDArray[np.float32] = model.network.analysis(pixels)[0].numpy()
        yield latent


def bundle_target(folder: Path, name: str, *, force: bool) -> Path:
    """Where the bundle `name` goes, once it is sure that it may.

    Raises:
        TrainingError: an impossible name.
        OutputExistsError: something of that name exists, and `force` is not set or it is no bundle.
    """
    if not MODEL_NAME.fullmatch(name):
        raise TrainingError(f"'{name}' cannot be a model's name: a-z, 0-9, '.', '_' and '-', 32 at most")
    target = folder / name
    if target.exists():
        if not (target / DESCRIPTION).is_file():
            raise OutputExistsError(f"{target}: exists and is no model bundle; choose another --name")
        if not force:
            raise OutputExistsError(f"{target}: exists; use --force to overwrite, or --name for another one")
    return target


def write_bundle(
    folder: Path,
    name: str,
    model: TrainingModel,
    config: TrainConfig,
    data: PictureSet,
    training: dict[str, Any],
    *,
    force: bool,
) -> Path:
    """Write the bundle `folder/name` so that it is there whole or not at all; its path.

    Args:
        folder: where bundles are kept.
        name: what files and `--model` call it.
        model: trained, on the CPU; its network becomes the deployed one, with rounded weights.
        config: what it was trained with.
        data: training pictures, to fit the tables on.
        training: what `model.json` says about how it was trained.
        force: replace a bundle of that name.

    Raises:
        TrainingError, OutputExistsError: as `bundle_target`.
        FileError: no space, or the folder cannot be written.
    """
    target = bundle_target(folder, name, force=force)
    model.eval()
    only_training = training_arrays(model)
    network = model.network = model.network.deployed()
    round_weights(network)
    prior, tables = fit_prior(model, latents(model, data, config.seed), rows=ROWS_A_LEVEL * (config.levels - 1) + 1)
    codebook = Codebook.build(tables)
    arrays: dict[str, NDArray[Any]] = {
        **network_arrays(network),
        **only_training,
        **prior.to_arrays(),
        **tables.to_arrays(),
        **codebook.to_arrays(),
    }
    stride = network.config.stride
    description = describe(name, network, config, stride=stride, halo=halo(network), training=training)
    return write_whole(target, lambda draft: write_files(draft, description, arrays, network), check=load_model)


def describe(
    name: str, network: Network, config: TrainConfig, *, stride: int, halo: int | None, training: dict[str, Any]
) -> Description:
    """The description of a bundle whose files and id are yet to be known."""
    return Description(
        name=name,
        id=bytes(ID_BYTES),
        family=network.name,
        # All of them, also the defaults: a bundle must not change when a default does.
        options=asdict(network.config),
        prior=network.prior,
        stride=stride,
        halo=halo,
        files={},
        training={"cnnzip": __version__, **training, "config": config.as_json()},
    )


def write_whole(target: Path, write: Callable[[Path], None], check: Callable[[Path], object]) -> Path:
    """Have `write` make the bundle `target` so that it is there whole or not at all; its path.

    Args:
        target: as `bundle_target` gives it.
        write: fills a new folder, which it is given.
        check: loads the bundle in a folder: what cannot be loaded must not replace what can.

    Raises:
        FileError: no space, or the folder cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".cnnzip-", dir=target.parent) as scratch:
            draft = Path(scratch) / target.name
            draft.mkdir()
            write(draft)
            check(draft)
            _move(draft, target, aside=Path(scratch) / "replaced")
    except OSError as error:
        raise FileError(f"{target}: the model cannot be written: {error.strerror or error}") from error
    return target


def write_files(draft: Path, description: Description, arrays: Mapping[str, NDArray[Any]], network: Family) -> None:
    """Write all files of a bundle into the folder `draft`; the network is deployed, its weights rounded."""
    weights = draft / WEIGHTS
    preview = preview_of(network, torch.from_numpy(arrays["prior.mean"]))
    if preview is not None:
        round_weights(preview.last)
        arrays = {**arrays, **{f"{PREFIX}.{name}": array for name, array in network_arrays(preview.last).items()}}
    weights.write_bytes(save(dict(arrays)))
    latent = {"x": latent_shape(network)}
    export_graph(network.synthesis, "synthesis", latent, weights, draft / "synthesis.onnx")
    if preview is not None:
        export_graph(preview, PREFIX, latent, weights, draft / PREVIEW, stored=preview.stored)
    export_analysis(network, draft)
    write_description(draft, description, arrays)


def latent_shape(network: Family) -> tuple[int, int, int, int]:
    """Of the latent that graphs are traced with, (1, M, h, w)."""
    return 1, network.config.latent_channels, TRACE_SIDE, TRACE_SIDE


def export_analysis(network: Family, draft: Path) -> None:
    """Write the graphs that the encoder alone runs into a bundle that has its weights."""
    weights, side = draft / WEIGHTS, TRACE_SIDE * network.config.stride
    pixels = {"x": (1, network.config.channels, side, side)}
    export_graph(network.analysis, "analysis", pixels, weights, draft / "analysis.onnx")
    if network.hyper_analysis is not None:
        latent = {"x": latent_shape(network)}
        export_graph(network.hyper_analysis, "hyper_analysis", latent, weights, draft / "hyper_analysis.onnx")


def write_description(draft: Path, description: Description, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write `model.json` into a bundle that has all its other files, with their hashes and its id.

    Raises:
        BadModelError: a graph has what no bundle may have (`networks/operators.py`), so that none could be read again.
    """
    GraphRuntime(draft, description.options).check()
    names = files_of(description.prior, {path.name for path in draft.iterdir()})
    digests = {name: hashlib.sha256((draft / name).read_bytes()).hexdigest() for name in names}
    identified = replace(description, id=model_id(description.decoding, arrays), files=digests)
    (draft / DESCRIPTION).write_text(identified.to_json(), encoding="utf-8")


def _move(draft: Path, target: Path, *, aside: Path) -> None:
    """Give `draft` the name `target`; a bundle of that name goes `aside`, and comes back if that fails."""
    if not target.exists():
        draft.rename(target)
        return
    target.rename(aside)
    try:
        draft.rename(target)
    except BaseException:
        aside.rename(target)
        raise
