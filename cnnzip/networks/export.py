"""From a trained network to what a bundle holds: one safetensors file, and ONNX graphs that point into it.

A graph holds no weights of its own: each large initialiser is external data, at the offset of the tensor of the
same name in the safetensors file. So one file of weights serves both runtimes. They are stored in half precision, which
halves the bundle; a Cast in front of each lets the networks compute in single.
"""

import logging
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, external_data_helper, helper, numpy_helper
from torch import nn

from cnnzip.errors import ModelError, TrainingError
from cnnzip.networks.graph_file import OPSET
from cnnzip.networks.strides import AXES, StridedConvolution, strided
from cnnzip.networks.weights_file import WeightsFile


@torch.no_grad()
def round_weights(network: nn.Module) -> None:
    """Round the weights to half precision, in place: what is fitted and traced from here on is what a bundle holds.

    Raises:
        TrainingError: a weight is beyond its range.
    """
    for name, tensor in network.state_dict().items():
        tensor.copy_(tensor.half())
        if not tensor.isfinite().all():
            raise TrainingError(f"the network's '{name}' has grown too large to be stored")


def network_arrays(network: nn.Module) -> dict[str, NDArray[np.float16]]:
    """The rounded weights of a family by their names, e.g. `analysis.…` and `synthesis.…`."""
    state = network.state_dict()
    return {name: np.ascontiguousarray(tensor.detach().cpu().half().numpy()) for name, tensor in state.items()}


def export_graph(
    transform: nn.Module,
    prefix: str,
    inputs: Mapping[str, tuple[int, ...]],
    weights: Path,
    path: Path,
    *,
    stored: Mapping[str, str] | None = None,
) -> None:
    """Write `transform` as an ONNX graph whose weights lie in the safetensors file `weights` beside it.

    Args:
        transform: a network to (1, D, H', W'), its output "y", in evaluation mode, with rounded weights.
        prefix: what stands before its parameters' names in `weights`, e.g. "analysis".
        inputs: names of the inputs, and shapes (1, C, H, W) to trace with; the sides of the graph are free.
        weights: the safetensors file, in the same folder as `path`.
        path: where the graph goes.
        stored: names in `weights` of parameters that are not called so.

    Raises:
        ModelError: a weight of the graph is not in `weights`, so the two would disagree.
    """
    side = torch.export.Dim
    network = strided(transform)
    layouts = {f"{name}.weight": m for name, m in network.named_modules() if isinstance(m, StridedConvolution)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            network,
            tuple(torch.zeros(shape) for shape in inputs.values()),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=["y"],
            dynamic_shapes=tuple({2: side.DYNAMIC, 3: side.DYNAMIC} for _ in inputs),
            verbose=False,
        )
    assert program is not None
    graph = program.model_proto
    spans = WeightsFile(weights).spans
    casts, laid_out = [], []
    for tensor in list(graph.graph.initializer):
        name = (stored or {}).get(tensor.name, f"{prefix}.{tensor.name}")
        if name not in spans:
            if numpy_helper.to_array(tensor).size > 64:
                raise ModelError(f"the graph of '{prefix}' needs '{name}', which is no weight of the network")
            continue
        offset, length = spans[name].offset, spans[name].length
        values = numpy_helper.to_array(tensor).astype(np.float16)
        layout = layouts.get(tensor.name)
        if layout:
            values = layout.for_blocks(values)
        raw = values.tobytes()
        with weights.open("rb") as file:
            file.seek(offset)
            if file.read(length) != raw:
                raise ModelError(f"the graph of '{prefix}' has another '{name}' than the network")
        cast = tensor.name
        if layout:
            cast = f"{name}, single"
            nodes, constants = _laid_out(cast, tensor.name, layout.blocks, layout.weight.shape)
            laid_out += nodes
            graph.graph.initializer.extend(constants)
        casts.append(helper.make_node("Cast", [name], [cast], to=TensorProto.FLOAT))
        tensor.CopyFrom(numpy_helper.from_array(values, name))
        external_data_helper.set_external_data(tensor, weights.name, offset, length)
        tensor.ClearField("raw_data")
    computing = list(graph.graph.node)
    graph.graph.ClearField("node")
    graph.graph.node.extend([*casts, *laid_out, *computing])
    for node in graph.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    graph.graph.ClearField("value_info")
    graph.graph.ClearField("metadata_props")
    graph.ClearField("metadata_props")
    path.write_bytes(graph.SerializeToString(deterministic=True))
    onnx.checker.check_model(str(path))


def _laid_out(
    stored: str, made: str, blocks: Sequence[int], pixels: Sequence[int]
) -> tuple[list[NodeProto], list[TensorProto]]:
    """Nodes that make the weights `made` of a `StridedConvolution`, and their constants; runtimes do it once."""
    shapes = {f"{made}, blocks": blocks, f"{made}, pixels": pixels}
    apart, turned = f"{made}, apart", f"{made}, turned"
    nodes = [
        helper.make_node("Reshape", [stored, f"{made}, blocks"], [apart]),
        helper.make_node("Transpose", [apart], [turned], perm=AXES),
        helper.make_node("Reshape", [turned, f"{made}, pixels"], [made]),
    ]
    return nodes, [numpy_helper.from_array(np.array(shape, np.int64), name) for name, shape in shapes.items()]
