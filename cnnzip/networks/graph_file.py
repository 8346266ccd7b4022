"""What a bundle's ONNX graph may consist of, and its reader: numbers and fields of onnx.proto in version 1.17.

The rule is what `export.py` writes, and no more. A graph is one straight list of operators of ONNX's own domain; its
weights are tensors of the safetensors file beside it. There are no functions, no subgraphs, no other files.
"""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cnnzip.errors import BadModelError
from cnnzip.networks.protobuf import BYTES, FLOAT, INT, NEVER, TEXT, Field, Message, MessageType, parse
from cnnzip.networks.weights_file import WEIGHTS, Span

OPSET = 18

MAX_GRAPH_BYTES = 1 << 18
"""Ten times the largest of those that come with cnnzip; to refuse so much takes a fraction of a second."""

MAX_NODES = 2048
MAX_ATTRIBUTE_BYTES = 256

MAX_CONSTANT = 16
"""Numbers of a constant that lies in the graph itself: shapes and scales."""

_ENTRY = MessageType({1: Field("key", TEXT), 2: Field("value", TEXT)})
_TENSOR = MessageType(
    {
        1: Field("dims", INT, repeated=True),
        2: Field("data_type", INT),
        8: Field("name", TEXT),
        9: Field("raw_data", BYTES),
        13: Field("external_data", _ENTRY, repeated=True),
        14: Field("data_location", INT),
    }
)
_ATTRIBUTE = MessageType(
    {
        1: Field("name", TEXT),
        2: Field("f", FLOAT),
        3: Field("i", INT),
        4: Field("s", TEXT),
        5: Field("tensor", NEVER),
        6: Field("subgraph", NEVER),
        8: Field("ints", INT, repeated=True),
        11: Field("subgraphs", NEVER),
        20: Field("type", INT),
    }
)
_NODE = MessageType(
    {
        1: Field("input", TEXT, repeated=True),
        2: Field("output", TEXT, repeated=True),
        3: Field("name", TEXT),
        4: Field("op_type", TEXT),
        5: Field("attribute", BYTES, repeated=True),
        7: Field("domain", TEXT),
    }
)
_DIMENSION = MessageType({1: Field("dim_value", INT), 2: Field("dim_param", TEXT)})
_SHAPE = MessageType({1: Field("dim", _DIMENSION, repeated=True)})
_TENSOR_TYPE = MessageType({1: Field("elem_type", INT), 2: Field("shape", _SHAPE)})
_TYPE = MessageType({1: Field("tensor_type", _TENSOR_TYPE)})
_VALUE = MessageType(
    {
        1: Field("name", TEXT),
        2: Field("type", _TYPE),
        4: Field("metadata", BYTES, repeated=True),
    }
)
_GRAPH = MessageType(
    {
        1: Field("node", _NODE, repeated=True),
        2: Field("name", TEXT),
        5: Field("initializer", _TENSOR, repeated=True),
        11: Field("input", _VALUE, repeated=True),
        12: Field("output", _VALUE, repeated=True),
        15: Field("sparse initializer", NEVER),
    }
)
_OPSET = MessageType({1: Field("domain", TEXT), 2: Field("version", INT)})
_MODEL = MessageType(
    {
        1: Field("ir_version", INT),
        2: Field("producer", TEXT),
        3: Field("producer_version", TEXT),
        7: Field("graph", _GRAPH),
        8: Field("opset", _OPSET, repeated=True),
        20: Field("training", NEVER),
        25: Field("functions", NEVER),
    }
)

_ATTRIBUTE_FIELDS = {1: "f", 2: "i", 3: "s", 7: "ints"}
"""By the number of an attribute's type, the field that its value is in."""

FLOAT_32, INT_64, FLOAT_16 = 1, 7, 10
"""Element types, as ONNX numbers them."""

_CONSTANTS = {FLOAT_32: "f", INT_64: "q"}
_STORED = {FLOAT_32: "F32", FLOAT_16: "F16"}


@dataclass(frozen=True)
class Tensor:
    """An initialiser.

    Attributes:
        type: FLOAT_32, INT_64 or FLOAT_16.
        shape: of it.
        values: all of them, where it lies in the graph itself; None for a weight.
    """

    type: int
    shape: tuple[int, ...]
    values: tuple[float, ...] | None


@dataclass(frozen=True)
class Node:
    """An operator, its inputs and its one output by their names ("" for an input that is left out)."""

    kind: str
    inputs: tuple[str, ...]
    output: str
    attributes: Mapping[str, Any]


@dataclass(frozen=True)
class Signature:
    """What a graph is for.

    Attributes:
        inputs: (1, C, H, W) each: names and C.
        channels: of its output, (1, D, H', W').
        up: H' over H.
        down: H over H'.
        cell: pixels of the picture that a position of the inputs is, each way.
        weights: what the names of the tensors that it may use begin with.
    """

    inputs: Mapping[str, int]
    channels: int
    weights: tuple[str, ...]
    up: int = 1
    down: int = 1
    cell: int = 1

    def output(self, height: int, width: int) -> tuple[int, int, int, int]:
        """The shape of the output for inputs of that height and width."""
        return 1, self.channels, height * self.up // self.down, width * self.up // self.down


@dataclass(frozen=True)
class GraphFile:
    """A graph whose parts are all known: initialisers by name, nodes in the order in which they run, its output."""

    tensors: Mapping[str, Tensor]
    nodes: tuple[Node, ...]
    output: str


def read_graph(path: Path, signature: Signature, spans: Mapping[str, Span]) -> GraphFile:
    """The graph in the file `path`, whose weights lie at `spans` of the file `WEIGHTS` in the same folder.

    Raises:
        BadModelError: it cannot be read, has parts that no graph of a bundle may have, or not what `signature` says.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_GRAPH_BYTES + 1)
        if len(data) > MAX_GRAPH_BYTES:
            raise ValueError(f"it has more than {MAX_GRAPH_BYTES} bytes")
        return _graph(parse(data, _MODEL), signature, spans)
    except (OSError, ValueError, KeyError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"{error} is missing"
        reason = str(error) if isinstance(error, ValueError) else reason
        raise BadModelError(f"{path}: not a usable network: {reason}") from error


def _graph(model: Message, signature: Signature, spans: Mapping[str, Span]) -> GraphFile:
    opsets = [(entry.get("domain", ""), entry["version"]) for entry in model["opset"]]
    if opsets != [("", OPSET)]:
        raise ValueError(f"its operators are {opsets!r:.100}, not ONNX's of version {OPSET}")
    graph = model["graph"]
    if len(graph["node"]) > MAX_NODES:
        raise ValueError(f"it has more than {MAX_NODES} nodes")
    declared = {value["name"]: _declared(value) for value in graph["input"]}
    if len(declared) != len(graph["input"]) or declared != signature.inputs:
        raise ValueError(f"its inputs are {declared!r:.100}, not {dict(signature.inputs)}")
    outputs = [(value["name"], _declared(value)) for value in graph["output"]]
    if len(outputs) != 1 or outputs[0][1] != signature.channels:
        raise ValueError(f"its outputs are {outputs!r:.100}, not one of {signature.channels} channels")
    tensors: dict[str, Tensor] = {}
    for tensor in graph["initializer"]:
        name = tensor["name"]
        if name in tensors or name in declared:
            raise ValueError(f"'{name}' is there twice")
        tensors[name] = _tensor(tensor, signature.weights, spans)
    return GraphFile(tensors, tuple(map(_node, graph["node"])), outputs[0][0])


def _declared(value: Message) -> int:
    """The channels of an input or output, which must be (1, C, H, W) with free sides."""
    tensor = value["type"]["tensor_type"]
    dims = [dim.get("dim_value") for dim in tensor["shape"]["dim"]]
    if tensor["elem_type"] != FLOAT_32 or len(dims) != 4 or dims[0] != 1 or dims[2:] != [None, None]:
        raise ValueError(f"'{value['name']}' has the shape {dims!r:.100}, not (1, C, H, W) with free sides")
    return dims[1] or 0


def _tensor(tensor: Message, prefixes: tuple[str, ...], spans: Mapping[str, Span]) -> Tensor:
    name, kind, shape = tensor["name"], tensor["data_type"], tuple(tensor["dims"])
    if tensor.get("data_location", 0) == 0 and not tensor["external_data"]:
        if kind not in _CONSTANTS or len(shape) > 1 or not 1 <= (count := math.prod(shape)) <= MAX_CONSTANT:
            raise ValueError(f"the constant '{name}' is of a type or size that none may have")
        try:
            values = struct.unpack(f"<{count}{_CONSTANTS[kind]}", tensor["raw_data"])
        except struct.error:
            raise ValueError(f"the constant '{name}' is damaged") from None
        if not all(-1 <= value < 1 << 31 for value in values):  # NaN is not, either
            raise ValueError(f"the constant '{name}' is out of range")
        return Tensor(kind, shape, values)

    entries = {entry["key"]: entry["value"] for entry in tensor["external_data"]}
    if len(entries) != len(tensor["external_data"]) or entries.keys() != {"location", "offset", "length"}:
        raise ValueError(f"the weight '{name}' does not say where it lies")
    if entries["location"] != WEIGHTS or tensor.get("data_location") != 1 or "raw_data" in tensor:
        raise ValueError(f"the weight '{name}' does not lie in {WEIGHTS}, but in {entries['location']!r}")
    # Bundles of the first version left the prefix out.
    stored = name if name in spans else f"{prefixes[0]}{name}"
    span = spans.get(stored)
    if span is None or not stored.startswith(prefixes):
        raise ValueError(f"{WEIGHTS} has no weight '{name}' for it")
    if (entries["offset"], entries["length"]) != (str(span.offset), str(span.length)):
        raise ValueError(f"the weight '{name}' does not lie where {WEIGHTS} has it")
    if (_STORED.get(kind), shape) != (span.dtype, span.shape):
        raise ValueError(f"the weight '{name}' has another type or shape in {WEIGHTS}")
    return Tensor(kind, shape, None)


def _node(node: Message) -> Node:
    if node.get("domain", ""):
        raise ValueError(f"operator '{node['op_type']}' is of the domain '{node['domain']}', not ONNX's own")
    if len(node["output"]) != 1:
        raise ValueError(f"operator '{node['op_type']}' has {len(node['output'])} outputs, not one")
    attributes: dict[str, Any] = {}
    for data in node["attribute"]:
        if len(data) > MAX_ATTRIBUTE_BYTES:
            raise ValueError(f"operator '{node['op_type']}' has an attribute of {len(data)} bytes")
        name, value = _attribute(data)
        if name in attributes:
            raise ValueError(f"operator '{node['op_type']}' has the attribute '{name}' twice")
        attributes[name] = value
    return Node(node["op_type"], tuple(node["input"]), node["output"][0], attributes)


@lru_cache(maxsize=256)
def _attribute(data: bytes) -> tuple[str, Any]:
    """Name and value; kept, because a graph has the same few again and again."""
    attribute = parse(data, _ATTRIBUTE)
    name, field = attribute["name"], _ATTRIBUTE_FIELDS.get(attribute["type"])
    given = {key for key in _ATTRIBUTE_FIELDS.values() if attribute.get(key, []) != []}
    if field is None or not given <= {field}:
        raise ValueError(f"the attribute '{name}' is damaged")
    value = attribute[field]
    return name, tuple(value) if field == "ints" else value
