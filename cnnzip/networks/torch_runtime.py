"""The second runtime: the family's own torch modules, with the weights of the bundle."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file

from cnnzip.errors import BadModelError
from cnnzip.networks.registry import build
from cnnzip.networks.runtime import WEIGHTS


class TorchRuntime:
    """Runs a family's modules in torch; see `Runtime`.

    Raises:
        BadModelError: the weights are damaged or belong to another family.
    """

    def __init__(self, bundle: Path, family: str, options: dict[str, Any], threads: int = 0) -> None:
        if threads:
            torch.set_num_threads(threads)
        # Without storage: what a damaged description asks for is compared with the weights before it costs memory.
        with torch.device("meta"):
            network = build(family, options).deployed()
        try:
            tensors = load_file(bundle / WEIGHTS)
            own = {name: tensors[name] for name in network.state_dict()}
            network.load_state_dict(own, assign=True)
        except (OSError, SafetensorError, KeyError, RuntimeError) as error:
            raise BadModelError(f"{bundle / WEIGHTS}: not the weights of family '{family}'") from error
        self.network = network.float()

    def analysis(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Runtime`."""
        return self._run(self.network.analysis, pixels)

    def synthesis(self, latent: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Runtime`."""
        return self._run(self.network.synthesis, latent)

    def hyper_analysis(self, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Runtime`."""
        if self.network.hyper_analysis is None:
            raise BadModelError(f"family '{self.network.name}' has no hyper-latent")
        return self._run(self.network.hyper_analysis, scaled)

    @torch.inference_mode()
    def _run(self, transform: torch.nn.Module, x: NDArray[np.float32]) -> NDArray[np.float32]:
        result: NDArray[np.float32] = transform(torch.from_numpy(x)).numpy()
        return result
