"""What storing a trained model costs: its networks in half precision, its prior in integers.

    python -m cnnzip.train.rounding CHECKPOINT MODEL DIR [--qualities 0,25,50,75,100]

CHECKPOINT is the `best.pt` that MODEL was made of: the weights as they were learnt. Three ways of coding are compared
on the pictures in DIR, with the model's tables and plain rounding of the latent: everything as learnt, in float32; the
weights of the networks rounded to float16; and the prior in exact integers as well, which is how files are coded. The
rate is that of the symbols under the tables, the PSNR that of what the synthesis gives.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cnnzip.codec.model import Model
from cnnzip.codec.models import find_model
from cnnzip.entropy import ideal_bits
from cnnzip.errors import CnnzipError, TrainingError
from cnnzip.networks.export import round_weights
from cnnzip.prior import hyper_density
from cnnzip.prior.checkerboard import FIRST, SECOND, Checkerboard
from cnnzip.prior.gains import Pass
from cnnzip.prior.hyper import HyperPrior
from cnnzip.prior.hyper_density import HyperDensity
from cnnzip.prior.quality import level_of, to_units
from cnnzip.prior.rounding import to_nearest
from cnnzip.prior.scales import LAST_SCALE
from cnnzip.train import checkpoint
from cnnzip.train.config import TrainConfig
from cnnzip.train.data import PictureSet, load
from cnnzip.train.model import TrainingModel
from cnnzip.train.validate import to_batch

Coded = tuple[list[Pass], NDArray[np.float32]]
"""The passes of a picture, and the latent (M, h, w) that its decoder gives to the synthesis."""


@dataclass(frozen=True)
class Row:
    """One way of coding: means over the pictures."""

    name: str
    bpp: float
    psnr: float


@torch.no_grad()
def as_learnt(model: TrainingModel, latent: NDArray[np.float32], units: int, hyper_index: NDArray[np.uint8]) -> Coded:
    """A latent (M, h, w) coded with the prior in float32; `hyper_index` (Z,) names the hyper-latent's tables."""
    density = model.density
    assert isinstance(density, HyperDensity) and model.network.hyper_analysis is not None
    low, t = level_of(units, density.levels)
    gain, inverse = density.gains(torch.tensor([low + t]))
    height, width = latent.shape[1:]
    scaled = (torch.from_numpy(latent)[None] - density.mean[:, None, None]) * gain
    hyper = model.network.hyper_analysis(hyper_density.pad(scaled)).round()
    mean, scale = density.parameters_of(density.hyper_synthesis(hyper)[:, :, :height, :width], scaled)
    symbols = (scaled - mean).round()
    decoded = (symbols + mean) * inverse + density.mean[:, None, None]
    index = scale.round()[0].numpy().astype(np.uint8)
    integers = symbols[0].numpy().astype(np.int32)
    board = Checkerboard(height, width)
    hyper_integers = hyper[0].numpy().astype(np.int32)
    passes: list[Pass] = [(hyper_integers.ravel(), np.repeat(hyper_index, hyper_integers[0].size))]
    passes += [(board.take(integers, half), board.take(index, half)) for half in (FIRST, SECOND)]
    return passes, decoded[0].numpy()


@torch.no_grad()
def in_integers(prior: HyperPrior, model: TrainingModel, latent: NDArray[np.float32], units: int) -> Coded:
    """The same with the prior in exact integers, rounding to the nearest."""
    network = model.network.hyper_analysis
    assert network is not None
    nearest = replace(prior, thresholds=to_nearest(LAST_SCALE + 1))
    passes = nearest.encode(latent, units, lambda scaled: network(torch.from_numpy(scaled)).numpy())
    ahead = iter(passes)
    values = nearest.decode(lambda _: next(ahead)[0], latent.shape, units)
    return passes, nearest.dequantise(values, units)


def measure(
    name: str, model: TrainingModel, bundle: Model, data: PictureSet, code: Callable[[NDArray[np.float32]], Coded]
) -> Row:
    """Rate and PSNR over the pictures."""
    points = []
    for picture in data.choose(range(len(data))):
        height, width = picture.shape[:2]
        pixels = to_batch(picture, bundle.stride, torch.device("cpu"))
        with torch.no_grad():
            passes, decoded = code(model.network.analysis(pixels)[0].numpy())
            shown = model.network.synthesis(torch.from_numpy(decoded)[None]).clamp(0, 1)
        error = float((shown - pixels)[:, :, :height, :width].square().mean())
        bits = sum(ideal_bits(bundle.codebook.tables, *one) for one in passes)
        points.append((bits / (width * height), -10 * np.log10(error)))
    bpp, psnr = np.mean(points, axis=0)
    return Row(name, float(bpp), float(psnr))


def load_average(path: Path) -> TrainingModel:
    """The averaged weights of a checkpoint, in evaluation mode.

    Raises:
        FileError, TrainingError: it cannot be read.
    """
    state = checkpoint.load(path)
    # With plain rounding, however it was trained.
    model = TrainingModel(replace(TrainConfig.from_json(state["config"]), sent=False))
    model.load_state_dict(state["average"])
    return model.eval()


def rows(path: Path, bundle: Model, data: PictureSet, units: int) -> list[Row]:
    """The three ways of coding at one quality in hundredths.

    Raises:
        TrainingError: the model has no integer network.
    """
    prior = bundle.prior
    if not isinstance(prior, HyperPrior):
        raise TrainingError(f"model '{bundle.description.name}' has no integer network: nothing is rounded")
    learnt, halved = load_average(path), load_average(path)
    round_weights(halved.network)
    tables = prior.hyper_indices((prior.hyper_index.shape[1], 1, 1), units)
    return [
        measure("as learnt", learnt, bundle, data, lambda x: as_learnt(learnt, x, units, tables)),
        measure("float16 networks", halved, bundle, data, lambda x: as_learnt(halved, x, units, tables)),
        measure("and integer prior", halved, bundle, data, lambda x: in_integers(prior, halved, x, units)),
    ]


def main() -> None:
    """Parse the command line and print the report."""
    parser = argparse.ArgumentParser(description="What storing a trained model costs.")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("model")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--qualities", default="0,25,50,75,100")
    arguments = parser.parse_args()
    try:
        bundle, data = find_model(arguments.model), load(arguments.folder)
        for quality in arguments.qualities.split(","):
            measured = rows(arguments.checkpoint, bundle, data, to_units(float(quality)))
            print(f"quality {quality:<5}          bpp   against learnt    PSNR dB")
            for row in measured:
                change = 100 * (row.bpp / measured[0].bpp - 1)
                print(f"{row.name:<17} {row.bpp:9.5f} {change:+14.3f} % {row.psnr:10.3f}")
    except (CnnzipError, ValueError) as error:
        sys.exit(f"cnnzip.train.rounding: {error}")


if __name__ == "__main__":
    main()
