"""Graphs from strangers: those that cnnzip writes are admitted, and every other is refused before a runtime sees it.

Fresh exports of every family go through the same check in tests/codec/test_families.py and tests/train.
"""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from cnnzip.errors import BadModelError
from cnnzip.networks.graph import OnnxGraph
from cnnzip.networks.graph_file import MAX_GRAPH_BYTES, MAX_NODES
from cnnzip.networks.operators import OPERATORS
from cnnzip.networks.runtime import GraphRuntime

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

ROOT = Path(__file__).parents[2]
BUNDLES = sorted(path.parent for path in ROOT.glob("**/models/*/model.json"))
GOLDEN = Path(__file__).parents[1] / "golden" / "models"


def options_of(bundle):
    return json.loads((bundle / "model.json").read_text(encoding="utf-8"))["options"]


def test_what_comes_with_cnnzip_is_admitted_and_uses_every_operator_of_the_rule_but_one():
    used = set()
    for bundle in BUNDLES:
        GraphRuntime(bundle, options_of(bundle)).check()
        for path in bundle.glob("*.onnx"):
            used |= {node.op_type for node in onnx.load(path, load_external_data=False).graph.node}
    assert len(BUNDLES) >= 8
    assert used == OPERATORS.keys() - {"MaxPool"}  # of `--set pooling=max`


@pytest.fixture(autouse=True)
def no_runtime(monkeypatch):
    """Nothing here may reach ONNX Runtime: what is refused is refused before."""

    def load(_self):
        pytest.fail("the graph reached the runtime")

    monkeypatch.setattr(OnnxGraph, "load", load)


@pytest.fixture
def refusal(tiny, described):
    """What is said to a synthesis after `change` of its model, less the path."""

    def run(change):
        path = tiny / "synthesis.onnx"
        model = onnx.load(path, load_external_data=False)
        changed = change(model)
        path.write_bytes(changed if isinstance(changed, bytes) else model.SerializeToString())
        with pytest.raises(BadModelError) as caught:
            GraphRuntime(tiny, described["options"]).synthesis(np.zeros((1, 32, 2, 3), dtype=np.float32))
        message = str(caught.value)
        assert message.startswith(f"{path}: ")
        assert message.isprintable()
        return message.removeprefix(f"{path}: ")

    return run


def node(kind, inputs, output="new", **attributes):
    return helper.make_node(kind, inputs, [output], **attributes)


def first(kind, **attributes):
    """Puts a node behind the input, its output used by nobody."""

    def change(model):
        model.graph.node.insert(0, node(kind, ["x"], **attributes))

    return change


def with_constant(kind, value, **attributes):
    """The same with a constant as second input."""

    def change(model):
        model.graph.initializer.append(numpy_helper.from_array(np.array(value), "constant"))
        model.graph.node.insert(0, node(kind, ["x", "constant"], **attributes))

    return change


def conv(model, **attributes):
    """Changes the attributes of the first convolution."""
    found = next(node for node in model.graph.node if node.op_type == "Conv")
    for name, value in attributes.items():
        kept = [attribute for attribute in found.attribute if attribute.name != name]
        del found.attribute[:]
        found.attribute.extend([*kept, helper.make_attribute(name, value)])


def subgraph(kind):
    def change(model):
        inner = helper.make_graph([node("Relu", ["x"])], "inner", [], [])
        name = {"If": "then_branch", "Loop": "body", "Scan": "body"}[kind]
        model.graph.node.insert(0, node(kind, ["x"], **{name: inner}))

    return change


def function(model):
    model.functions.append(helper.make_function("", "Relu", ["x"], ["y"], [], [helper.make_opsetid("", 18)]))


def sparse(model):
    values = numpy_helper.from_array(np.ones(1, np.float32), "values")
    model.graph.sparse_initializer.append(
        helper.make_sparse_tensor(values, numpy_helper.from_array(np.zeros(1, np.int64)), [1 << 40])
    )


def opset(*versions):
    def change(model):
        del model.opset_import[:]
        model.opset_import.extend(helper.make_opsetid(*version) for version in versions)

    return change


def tensor(**changes):
    """Changes where the first weight lies, or what it is."""

    def change(model):
        found = next(t for t in model.graph.initializer if t.data_location == TensorProto.EXTERNAL)
        for name, value in changes.items():
            if name == "dims":
                found.dims[:] = value
            elif name in ("data_type", "raw_data", "data_location"):
                setattr(found, name, value)
            else:
                kept = [entry for entry in found.external_data if entry.key != name]
                del found.external_data[:]
                found.external_data.extend(kept)
                if value is not None:
                    found.external_data.add(key=name, value=value)

    return change


def of_the_analysis(model):
    theirs = onnx.load(GOLDEN / "tiny" / "analysis.onnx", load_external_data=False).graph.initializer
    model.graph.initializer.append(next(t for t in theirs if t.name == "1.shortcut.1.weight"))


def interface(change):
    def changed(model):
        x, y = model.graph.input[0], model.graph.output[0]
        change(model.graph, x, y)

    return changed


def doubling(model):
    nodes = [node("Concat", ["x" if k == 0 else f"c{k - 1}"] * 2, f"c{k}", axis=1) for k in range(60)]
    for k, found in enumerate(nodes):
        model.graph.node.insert(k, found)


def heavy(model):
    """One convolution after the other, 1×1 from 32 to 32 channels, of 64 times as many positions each way."""
    weight = next(t.name for t in model.graph.initializer if t.name == "0.weight")
    nodes = [node("ConvTranspose", ["x", weight], "d0", strides=[64, 64])]
    nodes += [node("Conv", [f"d{k}", weight], f"d{k + 1}") for k in range(1500)]
    for k, found in enumerate(nodes):
        model.graph.node.insert(k, found)


def plane(model):
    """A row and a column, which together would be a plane as large as both multiplied."""
    shapes = {"row": [1, 1, 1, -1], "column": [1, 1, -1, 1]}
    for name, shape in shapes.items():
        model.graph.initializer.append(numpy_helper.from_array(np.array(shape), f"{name}-shape"))
        model.graph.node.insert(0, node("Reshape", ["x", f"{name}-shape"], name))
    model.graph.node.insert(2, node("Add", ["row", "column"]))


def numbers(kind, *values):
    def change(model):
        for k, value in enumerate(values):
            model.graph.initializer.append(numpy_helper.from_array(np.array([value]), f"number-{k}"))
        model.graph.node.insert(0, node(kind, [f"number-{k}" for k in range(len(values))]))

    return change


def resize(scales):
    def change(model):
        model.graph.initializer.append(numpy_helper.from_array(np.array(scales, np.float32), "scales"))
        told = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
        model.graph.node.insert(0, node("Resize", ["x", "", "scales"], **told))

    return change


def behind(kind, **attributes):
    """Appends a node, so that the output is what it makes."""

    def change(model):
        model.graph.node.append(node(kind, [model.graph.output[0].name], "made", **attributes))
        model.graph.output[0].name = "made"

    return change


def twice(model):
    model.graph.node.append(model.graph.node[-1])


def backwards(model):
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(reversed(nodes))


def many(model):
    model.graph.node.extend(node("Relu", ["x"], f"r{k}") for k in range(MAX_NODES + 1))


NOT_USABLE = "not a usable network: "
FAILED = r"failed on \(1, 32, 8, 8\): "

ATTACKS = {
    "a loop": (subgraph("Loop"), NOT_USABLE + ".*'subgraph' may not be there"),
    "a branch": (subgraph("If"), NOT_USABLE + ".*'subgraph' may not be there"),
    "a scan": (subgraph("Scan"), NOT_USABLE + ".*'subgraph' may not be there"),
    "a loop without a body": (first("Loop"), NOT_USABLE + "no bundle may have the operator 'Loop'"),
    "another domain": (
        first("Relu", domain="com.microsoft"),
        NOT_USABLE + "operator 'Relu' is of the domain 'com.microsoft', not ONNX's own",
    ),
    "a second set of operators": (opset(("", 18), ("evil", 1)), NOT_USABLE + r"its operators are .*'evil'.*"),
    "other operators": (opset(("", 17)), NOT_USABLE + r"its operators are .*, not ONNX's of version 18"),
    "no operators": (opset(), NOT_USABLE + r"its operators are \[\], not ONNX's of version 18"),
    "a function": (function, NOT_USABLE + "'functions' may not be there"),
    "training": (lambda m: m.training_info.add() and None, NOT_USABLE + "'training' may not be there"),
    "sparse weights": (sparse, NOT_USABLE + "graph: 'sparse initializer' may not be there"),
    "quantisation": (
        lambda m: m.graph.quantization_annotation.add(tensor_name="x") and None,
        NOT_USABLE + "graph: field 14 of type 2 is not known",
    ),
    "a string with an escape": (
        lambda m: setattr(m.graph.node[0], "name", "\x1b[2J"),
        NOT_USABLE + "graph: node: 'name' is not a name",
    ),
    "a long name": (lambda m: setattr(m.graph, "name", "x" * 200), NOT_USABLE + "graph: 'name' is not a name"),
    **{
        f"weights in {where}": (
            tensor(location=where),
            NOT_USABLE + rf"the weight '0\.weight' does not lie in weights\.safetensors, but in '{re.escape(where)}'",
        )
        for where in ("../../../etc/passwd", "/etc/passwd", "model.json", "./weights.safetensors", "")
    },
    "weights beyond the file": (
        tensor(offset=str(1 << 40)),
        NOT_USABLE + "the weight '0.weight' does not lie where .*",
    ),
    "weights of another tensor": (tensor(offset="33472"), NOT_USABLE + "the weight '0.weight' does not lie where .*"),
    "weights of a negative offset": (tensor(offset="-8"), NOT_USABLE + "the weight '0.weight' does not lie where .*"),
    "too many weights": (tensor(length="999999"), NOT_USABLE + "the weight '0.weight' does not lie where .*"),
    "no offset": (tensor(offset=None), NOT_USABLE + "the weight '0.weight' does not say where it lies"),
    "a checksum": (tensor(checksum="0"), NOT_USABLE + "the weight '0.weight' does not say where it lies"),
    "weights in both places": (tensor(raw_data=b"1234"), NOT_USABLE + "the weight '0.weight' does not lie in .*"),
    "weights of another shape": (tensor(dims=[1 << 40, 1 << 40]), NOT_USABLE + ".* another type or shape in .*"),
    "weights of a negative shape": (tensor(dims=[-32, -32, 1, 1]), NOT_USABLE + ".* another type or shape in .*"),
    "weights of another type": (tensor(data_type=TensorProto.FLOAT16), NOT_USABLE + ".* another type or shape in .*"),
    "weights of the other network": (of_the_analysis, NOT_USABLE + ".* has no weight '1.shortcut.1.weight' for it"),
    "a large constant": (
        with_constant("Add", np.zeros(17, np.float32)),
        NOT_USABLE + "the constant 'constant' is of a type or size that none may have",
    ),
    "a constant of words": (
        lambda m: m.graph.initializer.append(
            TensorProto(name="constant", data_type=TensorProto.STRING, dims=[1], raw_data=b"a")
        ),
        NOT_USABLE + "the constant 'constant' is of a type or size that none may have",
    ),
    "a constant that is no number": (
        with_constant("Add", np.float32(np.nan)),
        NOT_USABLE + "the constant 'constant' is out of range",
    ),
    "a constant cut off": (
        lambda m: m.graph.initializer.append(TensorProto(name="c", data_type=1, dims=[2], raw_data=b"1234")),
        NOT_USABLE + "the constant 'c' is damaged",
    ),
    "a second input": (
        interface(lambda g, x, _: g.input.add(name="more", type=x.type)),
        NOT_USABLE + r"its inputs are {'x': 32, 'more': 32}, not {'x': 32}",
    ),
    "no input": (interface(lambda g, _x, _y: g.ClearField("input")), NOT_USABLE + r"its inputs are {}, not {'x': 32}"),
    "another input": (
        interface(lambda _g, x, _: setattr(x, "name", "z")),
        NOT_USABLE + r"its inputs are {'z': 32}, not {'x': 32}",
    ),
    "an input of other channels": (
        interface(lambda _g, x, _: setattr(x.type.tensor_type.shape.dim[1], "dim_value", 1 << 40)),
        NOT_USABLE + r"its inputs are {'x': 1099511627776}, not {'x': 32}",
    ),
    "an input of fixed sides": (
        interface(lambda _g, x, _: setattr(x.type.tensor_type.shape.dim[2], "dim_value", 4)),
        NOT_USABLE + r"'x' has the shape \[1, 32, 4, None\], not \(1, C, H, W\) with free sides",
    ),
    "an input of another type": (
        interface(lambda _g, x, _: setattr(x.type.tensor_type, "elem_type", TensorProto.STRING)),
        NOT_USABLE + r"'x' has the shape .*",
    ),
    "an input without a shape": (
        interface(lambda _g, x, _: x.type.tensor_type.ClearField("shape")),
        NOT_USABLE + "'shape' is missing",
    ),
    "an output of other channels": (
        interface(lambda _g, _x, y: setattr(y.type.tensor_type.shape.dim[1], "dim_value", 4)),
        NOT_USABLE + r"its outputs are \[\('y', 4\)\], not one of 3 channels",
    ),
    "two outputs": (
        interface(lambda g, _x, y: g.output.append(y)),
        NOT_USABLE + r"its outputs are .*, not one of 3 channels",
    ),
    "an output of a node too many": (
        lambda m: m.graph.node[0].output.append("more"),
        NOT_USABLE + "operator '.*' has 2 outputs, not one",
    ),
    "too many nodes": (many, NOT_USABLE + f"it has more than {MAX_NODES} nodes"),
    "too many bytes": (lambda _: bytes(MAX_GRAPH_BYTES + 1), NOT_USABLE + f"it has more than {MAX_GRAPH_BYTES} bytes"),
    **{
        f"operator {kind}": (first(kind), NOT_USABLE + f"no bundle may have the operator '{kind}'")
        for kind in ("ConstantOfShape", "Expand", "Tile", "MatMul", "Range", "RandomNormalLike", "OptionalGetElement")
    },
    "an unknown attribute": (
        lambda m: conv(m, evil=1),
        FAILED + r"Conv '.*': the attribute 'evil' is not known",
    ),
    "an attribute without end": (
        first("Transpose", perm=list(range(300))),
        NOT_USABLE + r"operator 'Transpose' has an attribute of \d+ bytes",
    ),
    "an attribute twice": (
        lambda m: m.graph.node[0].attribute.extend([m.graph.node[0].attribute[0]] * 2),
        NOT_USABLE + "operator '.*' has the attribute '.*' twice",
    ),
    "huge padding": (lambda m: conv(m, pads=[1 << 40] * 4), FAILED + r"Conv '.*': its padding is .*"),
    "negative padding": (lambda m: conv(m, pads=[-1] * 4), FAILED + r"Conv '.*': its padding is .*"),
    "no stride": (lambda m: conv(m, strides=[0, 0]), FAILED + r"Conv '.*': its strides are \(0, 0\)"),
    "no groups": (lambda m: conv(m, group=0), FAILED + r"Conv '.*': its weights are .* for 32 channels"),
    "another kernel": (
        lambda m: conv(m, kernel_shape=[9, 9]),
        FAILED + r"Conv '.*': the attribute 'kernel_shape' is \(9, 9\), not \(1, 1\)",
    ),
    "a stride that is a word": (
        lambda m: conv(m, strides="ab"),
        FAILED + r"Conv '.*': the attribute 'strides' is 'ab'",
    ),
    "huge dilation": (lambda m: conv(m, dilations=[9, 9]), FAILED + r"Conv '.*': the attribute 'dilations' is .*"),
    "a huge resize": (resize([1, 1, 1e5, 1e5]), FAILED + r"Resize 'new': it does not double both sides"),
    "a resize to nothing": (resize([1, 1, 0, 0]), FAILED + r"Resize 'new': it does not double both sides"),
    "a division by zero": (numbers("Div", 1, 0), FAILED + r"Div 'new': it divides 1 by 0"),
    "a product too large": (numbers("Mul", 1 << 30, 1 << 30), FAILED + r"Mul 'new': its numbers are out of range"),
    "a huge number": (numbers("Shape", 1 << 40), NOT_USABLE + "the constant 'number-0' is out of range"),
    "doubling without end": (doubling, FAILED + r"Concat 'c\d+' takes it beyond the work that a network may make"),
    "work without end": (heavy, FAILED + r"Conv 'd.*' takes it beyond the work that a network may make"),
    "a row and a column": (plane, FAILED + r"Add 'new': its inputs are .*"),
    "a shape of zero": (with_constant("Reshape", [1, 0]), FAILED + r"Reshape 'new': its shape is \[1, 0\]"),
    "a shape that does not fit": (with_constant("Reshape", [1, 7]), FAILED + r"Reshape 'new': .* cannot become .*"),
    "a shape of two unknowns": (with_constant("Reshape", [-1, -1]), FAILED + r"Reshape 'new': its shape is .*"),
    "no permutation": (first("Transpose", perm=[0, 0, 1, 1]), FAILED + r"Transpose 'new': its axes are .*"),
    "blocks that do not fit": (
        first("DepthToSpace", mode="CRD", blocksize=1 << 40),
        FAILED + r"DepthToSpace 'new': its blocks of .* do not fit 32 channels",
    ),
    "an input that is not there": (
        lambda m: m.graph.node.insert(0, node("Relu", ["evil"])),
        FAILED + r"Relu 'new': its input 'evil' is not made before it",
    ),
    "no input at all": (
        lambda m: m.graph.node.insert(0, node("Relu", [])),
        FAILED + r"Relu 'new': it has 0 inputs",
    ),
    "an input left out": (lambda m: m.graph.node.insert(0, node("Relu", [""])), FAILED + r".*an input is left out"),
    "a result made twice": (twice, FAILED + r"'.*' is made twice"),
    "nodes in no order": (backwards, FAILED + r".* is not made before it"),
    "pixels of another size": (behind("AveragePool", kernel_shape=[2, 2], strides=[2, 2]), FAILED + "its output is .*"),
    "an output that nobody makes": (
        interface(lambda _g, _x, y: setattr(y, "name", "z")),
        FAILED + r"its output is None, not \(1, 3, 128, 128\)",
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_bad_graph_is_refused_by_name(name, refusal):
    change, message = ATTACKS[name]
    assert re.fullmatch(message, refusal(change))


@pytest.fixture
def photo_part(tmp_path):
    """Takes one graph of `tiny-photo` and gives a copy of it by itself, with the weights, and the options."""

    def part(name):
        for file in (name, "weights.safetensors"):
            shutil.copy(GOLDEN / "tiny-photo" / file, tmp_path)
        return tmp_path / name, options_of(GOLDEN / "tiny-photo")

    return part


def test_a_weight_is_cast_once(photo_part):
    """Else a few bytes of graph would make the weights as large as they like."""
    path, options = photo_part("synthesis.onnx")
    model = onnx.load(path, load_external_data=False)
    cast = next(found for found in model.graph.node if found.op_type == "Cast")
    model.graph.node.insert(0, node("Cast", list(cast.input), "again", to=TensorProto.FLOAT))
    path.write_bytes(model.SerializeToString())
    with pytest.raises(BadModelError, match=rf"failed on \(1, 16, 8, 8\): '{re.escape(cast.input[0])}' is used twice$"):
        GraphRuntime(path.parent, options).synthesis(np.zeros((1, 16, 1, 1), dtype=np.float32))


@pytest.mark.parametrize("steps", [4, 5])
def test_a_weight_is_laid_out_in_few_steps(photo_part, steps):
    """Each step may hold the whole file's weights once more."""
    path, options = photo_part("synthesis.onnx")
    model = onnx.load(path, load_external_data=False)
    cast = next(found for found in model.graph.node if found.op_type == "Cast")
    name, cast.output[0] = cast.output[0], "cast"
    names = ["cast", *(f"step {number}" for number in range(1, steps - 1)), name]
    where = list(model.graph.node).index(cast) + 1
    for before, after in zip(reversed(names[:-1]), reversed(names[1:]), strict=True):
        rank = len(next(found for found in model.graph.initializer if found.name == cast.input[0]).dims)
        model.graph.node.insert(where, node("Transpose", [before], after, perm=range(rank)))
    path.write_bytes(model.SerializeToString())
    runtime = GraphRuntime(path.parent, options)
    if steps == 4:
        runtime.check()
    else:
        with pytest.raises(BadModelError, match=rf"the weight '{re.escape(name)}' is made in more than 4 steps$"):
            runtime.check()


def test_every_prefix_and_every_changed_byte_is_refused_or_harmless(photo_part):
    path, options = photo_part("preview.onnx")
    whole = path.read_bytes()
    runtime = GraphRuntime(path.parent, options)
    runtime.check()
    for length in range(0, len(whole), 17):
        path.write_bytes(whole[:length])
        with pytest.raises(BadModelError, match=r"/preview\.onnx: "):
            runtime.check()
    harmless = 0
    for at in range(0, len(whole), 11):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << at % 7]) + whole[at + 1 :])
        try:
            runtime.check()
            harmless += 1
        except BadModelError as error:
            assert str(error).startswith(f"{path}: ")
    # What may change are names of nodes and of sides, the producer, and what torch's exporter notes down.
    assert harmless < len(whole) / 11 * 0.7
