"""The runtimes that run a bundle's networks: ONNX Runtime by default, torch where it is asked for.

Both read the same safetensors file and give the same latent and pixels but for the last bits of the floats.
"""

from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cnnzip.errors import BadModelError, ModelError

WEIGHTS = "weights.safetensors"
RUNTIMES = ("onnx", "torch")


class Runtime(Protocol):
    """Runs the two transforms of one model."""

    def analysis(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pixels (1, C, H, W) in 0…1, sides multiples of the stride, to the latent (1, M, H/s, W/s)."""

    def synthesis(self, latent: NDArray[np.float32]) -> NDArray[np.float32]:
        """Latent (1, M, h, w) to pixels (1, C, h·s, w·s), about 0…1."""

    def hyper_analysis(self, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
        """Where there is a hyper-latent: scaled latent (1, M, h, w), sides multiples of 4, to (1, Z, h/4, w/4)."""


class OnnxRuntime:
    """The graphs `analysis.onnx` and `synthesis.onnx` of a bundle; each is loaded when it is first used.

    Args:
        bundle: the folder of the model.
        threads: threads for one network; 0 lets ONNX Runtime take all cores.

    Raises:
        BadModelError: on first use, when a graph is missing or ONNX Runtime refuses it; when it fails on its input.
    """

    def __init__(self, bundle: Path, threads: int = 0) -> None:
        self.bundle = bundle
        self.threads = threads
        self._sessions: dict[str, Any] = {}

    def analysis(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Runtime`."""
        return self._run("analysis", pixels)

    def synthesis(self, latent: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Runtime`."""
        return self._run("synthesis", latent)

    def hyper_analysis(self, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Runtime`."""
        return self._run("hyper_analysis", scaled)

    def _run(self, transform: str, x: NDArray[np.float32]) -> NDArray[np.float32]:
        path = self.bundle / f"{transform}.onnx"
        if transform not in self._sessions:
            self._sessions[transform] = self._open(path)
        try:
            result: NDArray[np.float32] = self._sessions[transform].run(None, {"x": x})[0]
        except Exception as error:  # ONNX Runtime's exceptions share no root of their own
            raise BadModelError(f"{path}: failed on {x.shape}: {_one_line(error)}") from error
        return result

    def _open(self, path: Path) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.log_severity_level = 4
        try:
            return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise BadModelError(f"{path}: not a usable network: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def open_runtime(name: str, bundle: Path, family: str, options: dict[str, Any], threads: int = 0) -> Runtime:
    """The runtime called `name`, one of `RUNTIMES`, for the bundle in the folder `bundle`.

    Raises:
        ModelError: there is no such runtime, or torch is not installed.
    """
    if name == "onnx":
        return OnnxRuntime(bundle, threads)
    if name == "torch":
        try:
            from cnnzip.networks.torch_runtime import TorchRuntime
        except ImportError as error:
            raise ModelError("--runtime torch needs torch: pip install 'cnnzip[train]'") from error
        return TorchRuntime(bundle, family, options, threads)
    raise ModelError(f"no runtime is called '{name}'; there are: {', '.join(RUNTIMES)}")
