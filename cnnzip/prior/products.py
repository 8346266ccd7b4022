"""Products of float64 matrices by ONNX Runtime.

Its kernels use what vectors a CPU has. The OpenBLAS in numpy's wheels takes half of AVX-512 on AMD's, and a third of a
decode is such products. Which of them multiplies changes no result: the sums of `exact.py` are exact.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

MATMUL = (
    b'\x08\x08:7\n\x11\n\x01a\n\x01b\x12\x01y"\x06MatMul\x12\x01gZ\t\n\x01a\x12\x04\n\x02\x08\x0b'
    b"Z\t\n\x01b\x12\x04\n\x02\x08\x0bb\t\n\x01y\x12\x04\n\x02\x08\x0bB\x04\n\x00\x10\r"
)
"""An ONNX model, y = a @ b in float64; tests/prior/test_products.py says how it is made."""

_threads: ContextVar[int] = ContextVar("threads", default=0)


@contextmanager
def product_threads(count: int) -> Iterator[None]:
    """In this context, and in this thread of Python alone, products take `count` threads; 0 is all cores."""
    token = _threads.set(count)
    try:
        yield
    finally:
        _threads.reset(token)


def product(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """(D, C) times (C, N); MemoryError where there is no room for it."""
    try:
        (result,) = _session(_threads.get()).run(None, {"a": a, "b": b})
    except Exception as error:  # ONNX Runtime's own; nothing else can fail with matrices that fit
        raise MemoryError from error
    product: NDArray[np.float64] = result
    return product


@cache
def _session(threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # A thread that spins between products takes a core from all that is done there.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(MATMUL, options, providers=["CPUExecutionProvider"])
