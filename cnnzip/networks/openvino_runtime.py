"""The third runtime: OpenVINO, which computes in bfloat16 on CPUs that have it, for twice the speed."""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray

from cnnzip.networks.graph import Graph
from cnnzip.networks.graph_file import Signature
from cnnzip.networks.weights_file import WeightsFile


class OpenvinoGraph(Graph):
    """A graph that OpenVINO runs, in the precision that is best on this CPU; see `graph.Graph`."""

    def __init__(self, path: Path, signature: Signature, weights: WeightsFile, threads: int = 0, runs: int = 1) -> None:
        super().__init__(path, signature, weights, threads, runs)
        self._requests = threading.local()

    def load(self) -> Any:
        """See `graph.Graph`."""
        settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if self.threads:
            settings["INFERENCE_NUM_THREADS"] = self.threads
        if self.runs > 1:
            settings["NUM_STREAMS"] = self.runs
        return openvino.Core().compile_model(self.path, "CPU", settings)

    def compute(self, loaded: Any, inputs: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """See `graph.Graph`."""
        # Of each thread its own: a request is for one run at a time.
        request = getattr(self._requests, "mine", None)
        if request is None:
            request = self._requests.mine = loaded.create_infer_request()
        # A copy, because the output's memory is the next run's.
        result: NDArray[np.float32] = request.infer(dict(inputs))[0].copy()
        return result
