"""The second runtime: a family's own torch modules, with the weights of the bundle."""

from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file

from cnnzip.errors import BadModelError
from cnnzip.networks.denoise import Denoise
from cnnzip.networks.family import Family, Network
from cnnzip.networks.graph import require_finite
from cnnzip.networks.preview import PREFIX, Preview
from cnnzip.networks.registry import build
from cnnzip.networks.runtime import WEIGHTS

AnyNetwork = TypeVar("AnyNetwork", bound=Network)


def load_network(
    kind: type[AnyNetwork], bundle: Path, family: str, options: dict[str, Any], threads: int
) -> AnyNetwork:
    """The network of a bundle, ready to run; torch's threads are the process's.

    Raises:
        BadModelError: the weights are damaged or belong to another family, or the family to another kind.
    """
    if threads:
        torch.set_num_threads(threads)
    # Without storage: what a damaged description asks for is compared with the weights before it costs memory.
    with torch.device("meta"):
        network = build(family, options).deployed()
    if not isinstance(network, kind):
        raise BadModelError(f"{bundle}: '{family}' is a family for something else")
    try:
        tensors = load_file(bundle / WEIGHTS)
        own = {name: tensors[name] for name in network.state_dict()}
        network.load_state_dict(own, assign=True)
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise BadModelError(f"{bundle / WEIGHTS}: not the weights of family '{family}'") from error
    return network.float()


@torch.inference_mode()
def _run(bundle: Path, transform: torch.nn.Module, *inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    result: NDArray[np.float32] = transform(*map(torch.from_numpy, inputs)).numpy()
    require_finite(result, bundle)
    return result


def _load_preview(network: Family, bundle: Path) -> Preview | None:
    """The preview of a bundle that has one; its weights were checked with those of the network."""
    if not (bundle / f"{PREFIX}.onnx").exists():
        return None
    tensors = load_file(bundle / WEIGHTS)
    with torch.device("meta"):
        preview = Preview(network)
    try:
        own = {name: tensors[stored].float() for name, stored in preview.stored.items()}
        preview.load_state_dict(own, assign=True)
    except (KeyError, RuntimeError) as error:
        raise BadModelError(f"{bundle / WEIGHTS}: not the weights of a preview") from error
    return preview


class TorchRuntime:
    """Runs a family's modules in torch; see `Runtime`.

    Raises:
        BadModelError: see `load_network`.
    """

    def __init__(self, bundle: Path, family: str, options: dict[str, Any], threads: int = 0) -> None:
        self._bundle = bundle
        self.network = load_network(Family, bundle, family, options, threads)
        self._preview = _load_preview(self.network, bundle)

    def sharing(self, runs: int) -> "TorchRuntime":
        """See `Runtime`; torch's threads are the process's."""
        return self

    def preload(self, *names: str) -> None:
        """See `Runtime`; all is loaded already."""

    def analysis(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Runtime`."""
        return _run(self._bundle, self.network.analysis, pixels)

    def synthesis(self, latent: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Runtime`."""
        return _run(self._bundle, self.network.synthesis, latent)

    def preview(self, latent: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """See `Runtime`."""
        return None if self._preview is None else _run(self._bundle, self._preview, latent)

    def hyper_analysis(self, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Runtime`."""
        if self.network.hyper_analysis is None:
            raise BadModelError(f"family '{self.network.name}' has no hyper-latent")
        return _run(self._bundle, self.network.hyper_analysis, scaled)


class TorchDenoiser:
    """Runs a denoiser in torch; see `DenoiseRuntime`.

    Raises:
        BadModelError: see `load_network`.
    """

    def __init__(self, bundle: Path, family: str, options: dict[str, Any], threads: int = 0) -> None:
        self._bundle = bundle
        self.network = load_network(Denoise, bundle, family, options, threads)

    def denoise(self, noisy: NDArray[np.float32], level: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `DenoiseRuntime`."""
        return _run(self._bundle, self.network, noisy, level)
