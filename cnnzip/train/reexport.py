"""Store a finished codec again as this version of cnnzip would: weights in half precision, graphs and description.

    python -m cnnzip.train.reexport BUNDLE... [-o DIR]

Nothing is trained or fitted: all that is not a weight of the networks stays as it is. So the id changes only where
rounding changes the weights that decoding needs, and `python -m cnnzip.train.rounding` tells what that costs.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from safetensors.numpy import load

from cnnzip.codec.model import load_model
from cnnzip.errors import CnnzipError
from cnnzip.networks.export import network_arrays, round_weights
from cnnzip.networks.family import Family
from cnnzip.networks.halo import halo
from cnnzip.networks.preview import PREFIX
from cnnzip.networks.runtime import WEIGHTS
from cnnzip.networks.torch_runtime import load_network
from cnnzip.train.bundle import bundle_target, write_files, write_whole


def reexport(bundle: Path, folder: Path) -> Path:
    """Store the codec `bundle` again under its name in `folder`, in place of what is there; its path.

    Raises:
        BadModelError: the bundle is damaged.
        ModelError: it is a denoiser.
        TrainingError: a weight has grown too large to be stored.
        OutputExistsError: something that is no bundle has its name.
        FileError: no space, or the folder cannot be written.
    """
    description = load_model(bundle).description
    target = bundle_target(folder, description.name, force=True)
    network = load_network(Family, bundle, description.family, description.options, threads=0)
    round_weights(network)
    stored = load((bundle / WEIGHTS).read_bytes())
    arrays = {name: array for name, array in stored.items() if not name.startswith(PREFIX)} | network_arrays(network)
    told = replace(description, halo=halo(network))
    return write_whole(target, lambda draft: write_files(draft, told, arrays, network), check=load_model)


def main() -> None:
    """Parse the command line and store the bundles."""
    parser = argparse.ArgumentParser(description="Store finished codecs again as this version of cnnzip would.")
    parser.add_argument("bundles", nargs="+", type=Path, metavar="BUNDLE")
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="where they go; by default in their place")
    options = parser.parse_args()
    try:
        for bundle in options.bundles:
            target = reexport(bundle, options.output or bundle.parent)
            size = sum(path.stat().st_size for path in target.iterdir())
            print(f"{target}: {load_model(target).description.id.hex()}, {size / 1e6:.1f} MB")
    except CnnzipError as error:
        sys.exit(f"cnnzip.train.reexport: {error}")


if __name__ == "__main__":
    main()
