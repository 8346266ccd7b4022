"""The runtimes that run a bundle's networks: ONNX Runtime by default, torch or OpenVINO where they are asked for.

All read the same safetensors file. ONNX Runtime and torch give the same latent and pixels but for the last bits of the
floats; OpenVINO computes in bfloat16 where the CPU does, which takes half the time and rounds more coarsely.
"""

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cnnzip.errors import ModelError
from cnnzip.networks.graph import Graph, OnnxGraph
from cnnzip.networks.graph_file import Signature
from cnnzip.networks.weights_file import WEIGHTS as WEIGHTS
from cnnzip.networks.weights_file import WeightsFile

EXTRAS = {"torch": "train", "openvino": "openvino"}
"""Runtimes that need more packages, and the extra that brings them."""
RUNTIMES = ("onnx", *EXTRAS)


class Runtime(Protocol):
    """Runs the transforms of one model."""

    def sharing(self, runs: int) -> "Runtime":
        """The same for so many runs at a time, each with its part of the threads."""

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


def signatures(options: Mapping[str, Any]) -> dict[str, Signature]:
    """What each graph of a bundle with these options is for, by its name.

    The options are a family's: whole numbers `channels`, where there is a latent `latent_channels` and `stride`, and
    where there is a hyper-latent `hyper_channels`.
    """
    planes, latent = options.get("channels", 3), options.get("latent_channels", 0)
    stride, hyper = options.get("stride", 1), options.get("hyper_channels", 0)
    return {
        "analysis": Signature({"x": planes}, latent, ("analysis.",), down=stride),
        "synthesis": Signature({"x": latent}, planes, ("synthesis.",), up=stride, cell=stride),
        "preview": Signature({"x": latent}, planes, ("preview.", "synthesis."), up=stride // 2, cell=stride),
        "hyper_analysis": Signature({"x": latent}, hyper, ("hyper_analysis.",), down=4, cell=stride),
        "denoise": Signature({"x": planes, "level": 1}, planes, ("denoise.",)),
    }


class GraphRuntime:
    """The graphs of a bundle, a codec's or a denoiser's.

    Args:
        bundle: the folder of the model.
        options: of its family.
        threads: threads for one network; 0 for all cores.
        kind: what runs a graph.
        runs: how many runs at a time share the threads.
    """

    def __init__(
        self,
        bundle: Path,
        options: Mapping[str, Any],
        threads: int = 0,
        kind: type[Graph] = OnnxGraph,
        runs: int = 1,
    ) -> None:
        weights = WeightsFile(bundle / WEIGHTS)
        self._graphs = {
            name: kind(bundle / f"{name}.onnx", signature, weights, threads, runs)
            for name, signature in signatures(options).items()
        }
        self._sharing: dict[int, GraphRuntime] = {runs: self}
        self._for_runs = partial(GraphRuntime, bundle, options, threads, kind)

    def sharing(self, runs: int) -> "GraphRuntime":
        """See `Runtime`."""
        if runs not in self._sharing:
            self._sharing[runs] = self._for_runs(runs)
        return self._sharing[runs]

    def preload(self, *names: str) -> None:
        """See `Runtime`."""
        for graph in (self._graphs[name] for name in names):
            # A model without a hyper-latent, or without a preview, has no such graph.
            if graph.path.exists():
                graph.preload()

    def check(self) -> None:
        """Look through every graph that is there, running none.

        Raises:
            BadModelError: one is not what a bundle may hold.
        """
        for graph in self._graphs.values():
            if graph.path.exists():
                graph.check()

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

    def denoise(self, noisy: NDArray[np.float32], level: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `DenoiseRuntime`."""
        return self._graphs["denoise"].run(x=noisy, level=level)


def check_installed(name: str) -> None:
    """Raise ModelError where there is no runtime called `name`, or what it needs is not installed."""
    if name != "onnx":
        _optional(name)


def open_runtime(name: str, bundle: Path, family: str, options: dict[str, Any], threads: int = 0) -> Runtime:
    """The runtime called `name`, one of `RUNTIMES`, for the bundle in the folder `bundle`.

    Raises:
        ModelError: there is no such runtime, or what it needs is not installed.
    """
    if name == "torch":
        runtime: Runtime = _optional(name).TorchRuntime(bundle, family, options, threads)
        return runtime
    return GraphRuntime(bundle, options, threads, _graph_type(name))


def open_denoise_runtime(
    name: str, bundle: Path, family: str, options: dict[str, Any], threads: int = 0
) -> DenoiseRuntime:
    """The same for the bundle of a denoiser."""
    if name == "torch":
        runtime: DenoiseRuntime = _optional(name).TorchDenoiser(bundle, family, options, threads)
        return runtime
    return GraphRuntime(bundle, options, threads, _graph_type(name))


def _graph_type(name: str) -> type[Graph]:
    if name == "onnx":
        return OnnxGraph
    kind: type[Graph] = _optional(name).OpenvinoGraph
    return kind


def _optional(name: str) -> ModuleType:
    """The module of a runtime that is an extra."""
    if name not in EXTRAS:
        raise ModelError(f"no runtime is called '{name}'; there are: {', '.join(RUNTIMES)}")
    try:
        return import_module(f"cnnzip.networks.{name}_runtime")
    except ImportError as error:
        raise ModelError(f"--runtime {name} needs {name}: pip install 'cnnzip[{EXTRAS[name]}]'") from error
