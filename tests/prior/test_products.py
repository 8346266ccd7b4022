import numpy as np
import pytest

from cnnzip.prior.products import MATMUL, product, product_threads


def test_the_model_is_one_product():
    onnx = pytest.importorskip("onnx")
    double = onnx.TensorProto.DOUBLE
    a, b, y = (onnx.helper.make_tensor_value_info(name, double, None) for name in "aby")
    graph = onnx.helper.make_graph([onnx.helper.make_node("MatMul", ["a", "b"], ["y"])], "g", [a, b], [y])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    assert model.SerializeToString(deterministic=True) == MATMUL


@pytest.mark.parametrize("threads", [0, 1, 2, 8])
def test_whole_numbers_are_exact_up_to_the_limit(threads):
    rng = np.random.default_rng(0)
    a = rng.integers(-(2**15), 2**15, (70, 200)).astype(np.float64)
    b = rng.integers(-(2**22), 2**22, (200, 90)).astype(np.float64)
    with product_threads(threads):
        result = product(a, b)
    assert np.array_equal(result.astype(object), a.astype(int).astype(object) @ b.astype(int).astype(object))


@pytest.mark.parametrize(("outputs", "inputs", "places"), [(1, 1, 1), (3, 2, 0), (2, 0, 3)])
def test_odd_shapes(outputs, inputs, places):
    assert np.array_equal(
        product(np.ones((outputs, inputs)), np.ones((inputs, places))), np.full((outputs, places), inputs)
    )
