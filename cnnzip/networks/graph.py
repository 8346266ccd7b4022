"""A graph of a bundle, and ONNX Runtime, which runs it by default."""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnzip.errors import BadModelError
from cnnzip.networks.graph_file import Signature
from cnnzip.networks.graph_plan import GraphPlan
from cnnzip.networks.weights_file import WeightsFile

OUT_OF_MEMORY = ("bad_alloc", "bfc_arena", "Failed to allocate memory")
"""What is in the errors of the libraries where an allocation failed."""

MAX_MAGNITUDE = np.float32(1e30)
"""No network comes near it, and what is computed of its output does not overflow."""


LARGE_INPUT = 1 << 22
"""Numbers: ONNX Runtime keeps what it took for such an input, hundreds of megabytes, for the next one, while what is
made of the output may need as much."""


class Graph(ABC):
    """One graph of a bundle, looked through and loaded when it is first used.

    No runtime sees it before every part of it is known to be one that a bundle may have, nor an input before it is
    known what the graph will make of that (`graph_plan.py`).

    Args:
        path: the graph.
        signature: what it is for.
        weights: the file in the same folder that it points into.
        threads: for running it; 0 for all cores.
        runs: how many at a time share them.
    """

    def __init__(self, path: Path, signature: Signature, weights: WeightsFile, threads: int = 0, runs: int = 1) -> None:
        self.path = path
        self.signature = signature
        self.weights = weights
        self.threads = threads
        self.runs = runs
        self._loaded: Future[tuple[GraphPlan, Any]] | None = None

    def preload(self) -> None:
        """Begin to look through it and to load it beside other work; what fails there is raised by `run`."""
        self._loading()

    def run(self, **inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Its output for `inputs`, by their names.

        Raises:
            BadModelError: it is missing, not what a bundle may hold, refused by the library, or fails on its input.
            MemoryError: there is not enough for it.
        """
        shapes = {name: array.shape for name, array in inputs.items()}
        plan, loaded = self._loading().result()
        expected = plan.output(shapes)
        try:
            result = self.compute(loaded, inputs)
        except Exception as error:  # the libraries' exceptions share no root of their own
            _check_memory(error)
            told = ", ".join(map(str, shapes.values()))
            raise BadModelError(f"{self.path}: failed on {told}: {_one_line(error)}") from error
        if result.shape != expected or result.dtype != np.float32:
            raise BadModelError(f"{self.path}: made {result.shape} of type {result.dtype}, not {expected} of float32")
        require_finite(result, self.path)
        return result

    def check(self) -> None:
        """BadModelError if it is not what a bundle may hold; it is not run."""
        self._plan()

    def _loading(self) -> Future[tuple[GraphPlan, Any]]:
        if self._loaded is None:
            loader = ThreadPoolExecutor(1)
            try:
                self._loaded = loader.submit(self._open)
            except RuntimeError as error:  # there is no room for the thread's stack
                raise MemoryError from error
            loader.shutdown(wait=False)
        return self._loaded

    def _open(self) -> tuple[GraphPlan, Any]:
        plan = self._plan()
        try:
            return plan, self.load()
        except Exception as error:
            _check_memory(error)
            raise BadModelError(f"{self.path}: not a usable network: {_one_line(error)}") from error

    def _plan(self) -> GraphPlan:
        """The plan, tried on a small input: libraries compute what they can when they load a graph."""
        side = 8 * self.signature.down
        shapes = {name: (1, channels, side, side) for name, channels in self.signature.inputs.items()}
        plan = GraphPlan(self.path, self.signature, self.weights)
        plan.output(shapes)
        return plan

    @abstractmethod
    def load(self) -> Any:
        """The graph as the library that runs it has it."""

    @abstractmethod
    def compute(self, loaded: Any, inputs: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Its output for `inputs`, by their names."""


class OnnxGraph(Graph):
    """A graph that ONNX Runtime runs; see `Graph`."""

    def load(self) -> Any:
        """See `Graph`."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        if self.runs > 1:
            options.intra_op_num_threads = max(1, (self.threads or os.cpu_count() or 1) // self.runs)
        options.log_severity_level = 4
        # Within a run threads spin for the next layer; after it, the cores are for what follows.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        return onnxruntime.InferenceSession(self.path, options, providers=["CPUExecutionProvider"])

    def compute(self, loaded: Any, inputs: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """See `Graph`."""
        import onnxruntime

        options = onnxruntime.RunOptions()
        if any(array.size >= LARGE_INPUT for array in inputs.values()):
            options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        result: NDArray[np.float32] = loaded.run(None, dict(inputs), options)[0]
        return result


def require_finite(result: NDArray[np.float32], path: Path) -> None:
    """Raise BadModelError where the output of the network in `path` is not of numbers that mean anything."""
    # Of what holds NaN, both are NaN, and nothing is at most that.
    if not (result.max(initial=0) <= MAX_MAGNITUDE and result.min(initial=0) >= -MAX_MAGNITUDE):
        raise BadModelError(f"{path}: made numbers that are not finite")


def _check_memory(error: Exception) -> None:
    """Raise MemoryError where a library's error means that; they say so in words alone."""
    if any(words in str(error) for words in OUT_OF_MEMORY):
        raise MemoryError from error


def _one_line(error: Exception) -> str:
    """What a library says, which may quote what is in a bundle."""
    words = "".join(character if character.isprintable() else " " for character in str(error)).split()
    return " ".join(words)[:200]
