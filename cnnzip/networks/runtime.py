"""The runtimes that run a bundle's networks: ONNX Runtime by default, torch or OpenVINO where they are asked for.

All read the same safetensors file. ONNX Runtime and torch give the same latent and pixels but for the last bits of the
floats; OpenVINO computes in bfloat16 where the CPU does, which takes half the time and rounds more coarsely.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cnnzip.errors import BadModelError, ModelError

WEIGHTS = "weights.safetensors"
EXTRAS = {"torch": "train", "openvino": "openvino"}
"""Runtimes that need more packages, and the extra that brings them."""
RUNTIMES = ("onnx", *EXTRAS)


class Runtime(Protocol):
    """Runs the transforms of one model."""

    def preload(self, *names: str) -> None:
        """Begin to load the transforms of these names, so that little of it is left to wait for when they run."""

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


Network = Callable[[dict[str, NDArray[np.float32]]], NDArray[np.float32]]
"""The output of a graph for its inputs, by their names."""


class Graph(ABC):
    """One graph of a bundle, loaded when it is first used, by a library."""

    def __init__(self, path: Path, threads: int) -> None:
        self.path = path
        self.threads = threads
        self._network: Future[Network] | None = None

    def preload(self) -> None:
        """Begin to load it beside other work; what fails there is raised by `run`."""
        self._loading()

    def run(self, **inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Its output for `inputs`, by their names.

        Raises:
            BadModelError: it is missing or the library refuses it, or it fails on its input.
        """
        try:
            network = self._loading().result()
        except Exception as error:  # the libraries' exceptions share no root of their own
            raise failure(self.path, error) from error
        try:
            return network(inputs)
        except Exception as error:
            raise failure(self.path, error, inputs) from error

    def _loading(self) -> Future[Network]:
        if self._network is None:
            loader = ThreadPoolExecutor(1)
            self._network = loader.submit(self._load)
            loader.shutdown(wait=False)
        return self._network

    @abstractmethod
    def _load(self) -> Network:
        """Have the library load it; any exception stands for a bad graph."""


class OnnxGraph(Graph):
    """A graph that ONNX Runtime runs."""

    def _load(self) -> Network:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.log_severity_level = 4
        # Within a run threads spin for the next layer; after it, the cores are for what follows.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        session = onnxruntime.InferenceSession(self.path, options, providers=["CPUExecutionProvider"])
        return lambda inputs: session.run(None, inputs)[0]


def failure(path: Path, error: Exception, inputs: Mapping[str, NDArray[np.float32]] | None = None) -> BadModelError:
    """What a library's error with a graph, or with what it was given, is here."""
    reason = " ".join(str(error).split())[:200]
    if inputs is None:
        return BadModelError(f"{path}: not a usable network: {reason}")
    return BadModelError(f"{path}: failed on {', '.join(str(array.shape) for array in inputs.values())}: {reason}")


class GraphRuntime:
    """The graphs of a codec's bundle.

    Args:
        bundle: the folder of the model.
        threads: threads for one network; 0 for all cores.
        kind: what runs a graph.
    """

    def __init__(self, bundle: Path, threads: int = 0, kind: Callable[[Path, int], Graph] = OnnxGraph) -> None:
        names = ("analysis", "synthesis", "preview", "hyper_analysis")
        self._graphs = {name: kind(bundle / f"{name}.onnx", threads) for name in names}

    def preload(self, *names: str) -> None:
        """See `Runtime`."""
        for graph in (self._graphs[name] for name in names):
            # A model without a hyper-latent, or without a preview, has no such graph.
            if graph.path.exists():
                graph.preload()

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


class GraphDenoiser:
    """The graph `denoise.onnx` of a bundle; see `GraphRuntime`."""

    def __init__(self, bundle: Path, threads: int = 0, kind: Callable[[Path, int], Graph] = OnnxGraph) -> None:
        self._graph = kind(bundle / "denoise.onnx", threads)

    def denoise(self, noisy: NDArray[np.float32], level: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `DenoiseRuntime`."""
        return self._graph.run(x=noisy, level=level)


def open_runtime(name: str, bundle: Path, family: str, options: dict[str, Any], threads: int = 0) -> Runtime:
    """The runtime called `name`, one of `RUNTIMES`, for the bundle in the folder `bundle`.

    Raises:
        ModelError: there is no such runtime, or what it needs is not installed.
    """
    if name == "torch":
        runtime: Runtime = _optional(name).TorchRuntime(bundle, family, options, threads)
        return runtime
    return GraphRuntime(bundle, threads, _graph_type(name))


def open_denoise_runtime(
    name: str, bundle: Path, family: str, options: dict[str, Any], threads: int = 0
) -> DenoiseRuntime:
    """The same for the bundle of a denoiser."""
    if name == "torch":
        runtime: DenoiseRuntime = _optional(name).TorchDenoiser(bundle, family, options, threads)
        return runtime
    return GraphDenoiser(bundle, threads, _graph_type(name))


def _graph_type(name: str) -> Callable[[Path, int], Graph]:
    if name == "onnx":
        return OnnxGraph
    kind: Callable[[Path, int], Graph] = _optional(name).OpenvinoGraph
    return kind


def _optional(name: str) -> ModuleType:
    """The module of a runtime that is an extra."""
    if name not in EXTRAS:
        raise ModelError(f"no runtime is called '{name}'; there are: {', '.join(RUNTIMES)}")
    try:
        return import_module(f"cnnzip.networks.{name}_runtime")
    except ImportError as error:
        raise ModelError(f"--runtime {name} needs {name}: pip install 'cnnzip[{EXTRAS[name]}]'") from error
