from dataclasses import asdict

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

import onnxruntime  # noqa: E402
from safetensors.numpy import load_file, save_file  # noqa: E402
from torch import nn  # noqa: E402

from cnnzip.errors import ModelError, TrainingError  # noqa: E402
from cnnzip.networks.export import export_graph, network_arrays, round_weights  # noqa: E402
from cnnzip.networks.registry import build  # noqa: E402
from cnnzip.networks.runtime import WEIGHTS, GraphRuntime  # noqa: E402
from cnnzip.networks.weights_file import WeightsFile  # noqa: E402


def external(path):
    """Name to (location, offset, length) of the initialisers that lie outside the graph, and the sizes of the rest."""
    outside, inside = {}, {}
    for tensor in onnx.load(path, load_external_data=False).graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            entry = {item.key: item.value for item in tensor.external_data}
            outside[tensor.name] = (entry["location"], int(entry["offset"]), int(entry["length"]))
            assert not tensor.raw_data
            assert not tensor.float_data
        else:
            inside[tensor.name] = onnx.numpy_helper.to_array(tensor).size
    return outside, inside


@pytest.mark.parametrize("prefix", ["analysis", "synthesis"])
def test_the_tiny_bundle_points_into_its_weights(tiny, prefix):
    path = tiny / f"{prefix}.onnx"
    outside, inside = external(path)
    offsets = {name: (span.offset, span.length) for name, span in WeightsFile(tiny / WEIGHTS).spans.items()}
    assert path.stat().st_size < 10_000
    assert all(size <= 64 for size in inside.values())
    assert {f"{prefix}.{name}" for name in outside} == {name for name in offsets if name.startswith(f"{prefix}.")}
    for name, entry in outside.items():
        assert entry == (WEIGHTS, *offsets[f"{prefix}.{name}"])


def test_offsets_are_those_of_the_tensors(tiny):
    raw, arrays = (tiny / WEIGHTS).read_bytes(), load_file(tiny / WEIGHTS)
    offsets = {name: (span.offset, span.length) for name, span in WeightsFile(tiny / WEIGHTS).spans.items()}
    assert offsets.keys() == arrays.keys()
    for name, (offset, length) in offsets.items():
        assert raw[offset : offset + length] == arrays[name].tobytes()


@pytest.fixture
def network():
    torch.manual_seed(3)
    network = build("residual", {"width": 4, "blocks": 1, "latent_channels": 8, "stride": 16}).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    round_weights(network)
    return network


def test_weights_are_stored_in_half_precision_and_nothing_is_lost_by_it_after_rounding(network):
    arrays = network_arrays(network)
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.float16)}
    for name, tensor in network.state_dict().items():
        assert np.array_equal(arrays[name].astype(np.float32), tensor.numpy())


def test_a_weight_beyond_half_precision_is_named(network):
    with torch.no_grad():
        network.analysis[1].shortcut[1].weight[0, 0, 0, 0] = 1e6
    with pytest.raises(TrainingError, match=r"^the network's 'analysis\.1\.shortcut\.1\.weight' has grown too large"):
        round_weights(network)


def test_a_fresh_export_computes_what_torch_does(network, tmp_path):
    save_file(network_arrays(network), tmp_path / WEIGHTS)
    export_graph(network.analysis, "analysis", {"x": (1, 3, 64, 64)}, tmp_path / WEIGHTS, tmp_path / "analysis.onnx")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["analysis.onnx", WEIGHTS]
    pixels = np.random.default_rng(0).random((1, 3, 48, 80), dtype=np.float32)  # not the size of the trace
    with torch.no_grad():
        expected = network.analysis(torch.from_numpy(pixels)).numpy()
    np.testing.assert_allclose(
        GraphRuntime(tmp_path, asdict(network.config), 1).analysis(pixels), expected, rtol=0, atol=1e-5
    )


@pytest.mark.parametrize(("kernel", "padding", "ratio"), [(1, 0, 2), (3, 1, 4), (3, 1, 8), (5, 0, 2), (3, 2, 3)])
def test_a_convolution_of_blocks_of_pixels_is_exported_with_a_stride(kernel, padding, ratio, tmp_path):
    torch.manual_seed(0)
    blocks = nn.Sequential(
        nn.PixelUnshuffle(ratio), nn.Conv2d(3 * ratio**2, 8, kernel, padding=padding), nn.LeakyReLU(0.2)
    ).eval()
    round_weights(blocks)
    save_file({f"analysis.{name}": array for name, array in network_arrays(blocks).items()}, tmp_path / WEIGHTS)
    side = 8 * ratio
    export_graph(blocks, "analysis", {"x": (1, 3, side, side)}, tmp_path / WEIGHTS, tmp_path / "analysis.onnx")
    kinds = {node.op_type for node in onnx.load(tmp_path / "analysis.onnx", load_external_data=False).graph.node}
    assert kinds == {"Cast", "Conv", "LeakyRelu", "Reshape", "Transpose"}
    pixels = np.random.default_rng(0).random((1, 3, 9 * ratio, 7 * ratio), dtype=np.float32)
    with torch.no_grad():
        expected = blocks(torch.from_numpy(pixels)).numpy()
    session = onnxruntime.InferenceSession(tmp_path / "analysis.onnx", providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"x": pixels})[0], expected, rtol=0, atol=1e-5)
    assert isinstance(blocks[0], nn.PixelUnshuffle)  # the network itself is as it was


def test_an_export_refuses_weights_that_are_not_the_networks(network, tmp_path):
    arrays = network_arrays(network)
    name = next(n for n in arrays if n.startswith("analysis.") and arrays[n].size > 64)
    arguments = (network.analysis, "analysis", {"x": (1, 3, 64, 64)}, tmp_path / WEIGHTS, tmp_path / "analysis.onnx")
    save_file({**arrays, name: arrays[name] + 1}, tmp_path / WEIGHTS)
    with pytest.raises(ModelError, match=rf"^the graph of 'analysis' has another '{name}' than the network$"):
        export_graph(*arguments)
    del arrays[name]
    save_file(arrays, tmp_path / WEIGHTS)
    with pytest.raises(ModelError, match=rf"^the graph of 'analysis' needs '{name}', which is no weight"):
        export_graph(*arguments)
    assert not (tmp_path / "analysis.onnx").exists()
