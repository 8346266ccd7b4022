"""The runtimes that run a bundle's networks: ONNX Runtime by default, torch where it is asked for.

Both read the same safetensors file and give the same latent and pixels but for the last bits of the floats.
"""

from pathlib import Path
from types import ModuleType
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

    def preview(self, latent: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """Latent (1, M, h, w) to pixels of half the size (1, C, h·s/2, w·s/2); None where the bundle has no preview."""

    def hyper_analysis(self, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
        """Where there is a hyper-latent: scaled latent (1, M, h, w), sides multiples of 4, to (1, Z, h/4, w/4)."""


class DenoiseRuntime(Protocol):
    """Runs the network of one denoiser."""

    def denoise(self, noisy: NDArray[np.float32], level: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pixels (1, C, H, W), about 0…1, and noise level (1, 1, H, W), σ / 255, to pixels (1, C, H, W)."""


class OnnxGraph:
    """One graph of a bundle, loaded when it is first used.

    Raises:
        BadModelError: on first use, when it is missing or ONNX Runtime refuses it; when it fails on its input.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self.path = path
        self.threads = threads
        self._session: Any = None

    def run(self, **inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Its output for `inputs`, by their names."""
        if self._session is None:
            self._session = self._open()
        try:
            result: NDArray[np.float32] = self._session.run(None, inputs)[0]
        except Exception as error:  # ONNX Runtime's exceptions share no root of their own
            shapes = ", ".join(str(array.shape) for array in inputs.values())
            raise BadModelError(f"{self.path}: failed on {shapes}: {_one_line(error)}") from error
        return result

    def _open(self) -> Any:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.log_severity_level = 4
        try:
            return onnxruntime.InferenceSession(self.path, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise BadModelError(f"{self.path}: not a usable network: {_one_line(error)}") from error


class OnnxRuntime:
    """The graphs `analysis.onnx` and `synthesis.onnx` of a bundle; see `OnnxGraph`.

    Args:
        bundle: the folder of the model.
        threads: threads for one network; 0 lets ONNX Runtime take all cores.
    """

    def __init__(self, bundle: Path, threads: int = 0) -> None:
        names = ("analysis", "synthesis", "preview", "hyper_analysis")
        self._graphs = {name: OnnxGraph(bundle / f"{name}.onnx", threads) for name in names}

    def analysis(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Runtime`."""
        return self._graphs["analysis"].run(x=pixels)

    def synthesis(self, latent: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Runtime`."""
        return self._graphs["synthesis"].run(x=latent)

    def preview(self, latent: NDArray[np.float32]) -> NDArray[np.float32] | None:
        """See `Runtime`."""
        graph = self._graphs["preview"]
        return graph.run(x=latent) if graph.path.exists() else None

    def hyper_analysis(self, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Runtime`."""
        return self._graphs["hyper_analysis"].run(x=scaled)


class OnnxDenoiser:
    """The graph `denoise.onnx` of a bundle; see `OnnxGraph`."""

    def __init__(self, bundle: Path, threads: int = 0) -> None:
        self._graph = OnnxGraph(bundle / "denoise.onnx", threads)

    def denoise(self, noisy: NDArray[np.float32], level: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `DenoiseRuntime`."""
        return self._graph.run(x=noisy, level=level)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def open_runtime(name: str, bundle: Path, family: str, options: dict[str, Any], threads: int = 0) -> Runtime:
    """The runtime called `name`, one of `RUNTIMES`, for the bundle in the folder `bundle`.

    Raises:
        ModelError: there is no such runtime, or torch is not installed.
    """
    if name == "onnx":
        return OnnxRuntime(bundle, threads)
    runtime: Runtime = _torch_runtime(name).TorchRuntime(bundle, family, options, threads)
    return runtime


def open_denoise_runtime(
    name: str, bundle: Path, family: str, options: dict[str, Any], threads: int = 0
) -> DenoiseRuntime:
    """The same for the bundle of a denoiser."""
    if name == "onnx":
        return OnnxDenoiser(bundle, threads)
    runtime: DenoiseRuntime = _torch_runtime(name).TorchDenoiser(bundle, family, options, threads)
    return runtime


def _torch_runtime(name: str) -> ModuleType:
    if name not in RUNTIMES:
        raise ModelError(f"no runtime is called '{name}'; there are: {', '.join(RUNTIMES)}")
    try:
        from cnnzip.networks import torch_runtime
    except ImportError as error:
        raise ModelError("--runtime torch needs torch: pip install 'cnnzip[train]'") from error
    return torch_runtime
