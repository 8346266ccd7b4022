import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnzip.errors import BadModelError, ModelError
from cnnzip.networks.runtime import RUNTIMES, WEIGHTS, GraphRuntime, open_runtime


@pytest.fixture
def open_tiny(tiny, described):
    def opened(name, threads=1):
        if name != "onnx":
            pytest.importorskip(name)
        return open_runtime(name, tiny, described["family"], described["options"], threads)

    return opened


def test_the_runtimes_agree(open_tiny, described, pixels):
    onnx, torch = open_tiny("onnx"), open_tiny("torch")
    latent = onnx.analysis(pixels)
    stride, channels = described["stride"], described["options"]["latent_channels"]
    assert latent.shape == (1, channels, 64 // stride, 96 // stride)
    assert latent.dtype == torch.analysis(pixels).dtype == np.float32
    np.testing.assert_allclose(torch.analysis(pixels), latent, rtol=0, atol=1e-5)
    np.testing.assert_allclose(torch.synthesis(latent), onnx.synthesis(latent), rtol=0, atol=1e-5)
    assert onnx.synthesis(latent).shape == pixels.shape
    # A trained model: the picture comes back, and not just any numbers.
    assert np.mean((onnx.synthesis(latent) - pixels) ** 2) < 1e-3


def test_openvino_rounds_more_coarsely(open_tiny, pixels):
    onnx, openvino = open_tiny("onnx"), open_tiny("openvino")
    latent = onnx.analysis(pixels)
    shown = onnx.synthesis(latent)
    np.testing.assert_allclose(openvino.analysis(pixels), latent, rtol=0, atol=2e-2 * np.abs(latent).max())
    np.testing.assert_allclose(openvino.synthesis(latent), shown, rtol=0, atol=0.02)
    # The output of one run is not the memory of the next.
    first = openvino.synthesis(latent)
    kept = first.copy()
    openvino.synthesis(2 * latent)
    assert np.array_equal(first, kept)


@pytest.mark.parametrize("name", RUNTIMES)
def test_threads_change_the_last_bits_at_most(open_tiny, pixels, name):
    one = open_tiny(name, 1)
    latent = one.analysis(pixels)
    last_bits = {"openvino": 2e-2 * np.abs(latent).max()}.get(name, 1e-5)  # of bfloat16, where the CPU has it
    for threads in (2, 8):
        other = open_tiny(name, threads)
        np.testing.assert_allclose(other.analysis(pixels), latent, rtol=0, atol=last_bits)
        np.testing.assert_allclose(other.synthesis(latent), one.synthesis(latent), rtol=0, atol=min(last_bits, 0.02))
    open_tiny(name, 1)  # torch's threads are the process's


@pytest.mark.parametrize("name", RUNTIMES)
def test_the_same_input_gives_the_same_bits(open_tiny, pixels, name):
    first, second = open_tiny(name), open_tiny(name)
    assert np.array_equal(first.analysis(pixels), second.analysis(pixels))


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12))
def test_any_multiple_of_the_stride(described, height, width):
    from pathlib import Path

    folder = Path(__file__).parents[1] / "golden" / "models" / "tiny"
    runtime, stride = GraphRuntime(folder, described["options"], threads=1), described["stride"]
    latent = runtime.analysis(np.full((1, 3, height * stride, width * stride), 0.5, dtype=np.float32))
    assert latent.shape[2:] == (height, width)
    assert runtime.synthesis(latent).shape == (1, 3, height * stride, width * stride)


def test_an_unknown_runtime(tiny):
    with pytest.raises(ModelError, match=r"^no runtime is called 'jax'; there are: onnx, torch, openvino$"):
        open_runtime("jax", tiny, "residual", {})


@pytest.mark.parametrize("content", [None, b"", b"not a graph"])
def test_a_damaged_graph(tiny, described, pixels, content):
    path = tiny / "analysis.onnx"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadModelError, match=r"analysis\.onnx: not a usable network: .+") as caught:
        GraphRuntime(tiny, described["options"]).analysis(pixels)
    assert "\n" not in str(caught.value)


def test_a_graph_cut_off_anywhere(tiny, described, pixels):
    path = tiny / "analysis.onnx"
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(BadModelError, match=r"analysis\.onnx: "):
            GraphRuntime(tiny, described["options"]).analysis(pixels)


def test_weights_that_the_graph_cannot_reach(tiny, described, pixels):
    weights = tiny / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(BadModelError, match=rf"/{WEIGHTS}: damaged weights \(JSONDecodeError\)$"):
        GraphRuntime(tiny, described["options"]).analysis(pixels)


def test_the_graph_of_the_other_transform(tiny, described, pixels):
    shutil.copy(tiny / "synthesis.onnx", tiny / "analysis.onnx")
    with pytest.raises(
        BadModelError, match=r"analysis\.onnx: not a usable network: its inputs are {'x': 32}, not {'x': 3}$"
    ):
        GraphRuntime(tiny, described["options"]).analysis(pixels)


def test_torch_with_damaged_weights(tiny, described):
    pytest.importorskip("torch")
    weights = tiny / WEIGHTS
    whole = weights.read_bytes()
    for bad in (b"", b"\xff" * 100, whole[:-1], whole[: len(whole) // 2]):
        weights.write_bytes(bad)
        with pytest.raises(BadModelError, match=rf"{WEIGHTS}: not the weights of family 'residual'$"):
            open_runtime("torch", tiny, "residual", described["options"])
    weights.unlink()
    with pytest.raises(BadModelError, match=rf"{WEIGHTS}: not the weights of family 'residual'$"):
        open_runtime("torch", tiny, "residual", described["options"])


@pytest.mark.parametrize("change", [{"width": 4096, "blocks": 40}, {"blocks": 2}, {"latent_channels": 8}])
def test_torch_with_options_of_another_network(tiny, described, change):
    # The first would need 90 GB, were it allocated before it is compared with the weights.
    pytest.importorskip("torch")
    with pytest.raises(BadModelError, match=rf"{WEIGHTS}: not the weights of family 'residual'$"):
        open_runtime("torch", tiny, "residual", {**described["options"], **change})
