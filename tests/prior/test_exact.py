"""The integer layers against the same arithmetic in Python's integers, which know no limit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cnnzip.errors import BadModelError
from cnnzip.prior.exact import ACTIVATION_LIMIT, layer, leaky, shuffle

LIMIT = int(ACTIVATION_LIMIT)
INT16 = st.one_of(st.integers(-(2**15), 2**15 - 1), st.sampled_from([-(2**15), 2**15 - 1, 0, 1, -1]))
INT32 = st.one_of(st.integers(-(2**31), 2**31 - 1), st.sampled_from([-(2**31), 2**31 - 1, 0, 2047, 2048, -2048]))
ACTIVATION = st.one_of(st.integers(-LIMIT, LIMIT), st.sampled_from([-LIMIT, LIMIT, 0, 1, -1, 255, -257]))
SIDE = st.integers(1, 5)


def rescaled(total):
    """⌊total / 2^12 + ½⌋, clipped, in integers."""
    return max(-LIMIT, min(LIMIT, (total + 2**11) >> 12))


def pointwise(x, weight, bias):
    """A 1×1 convolution in Python's integers."""
    (outputs, inputs), (_, height, width) = weight.shape, x.shape
    x, weight, bias = x.astype(int).tolist(), weight.tolist(), bias.tolist()
    return [
        [
            [rescaled(bias[d] + sum(weight[d][c] * x[c][i][j] for c in range(inputs))) for j in range(width)]
            for i in range(height)
        ]
        for d in range(outputs)
    ]


def depthwise(x, weight, bias):
    """A 3×3 convolution of each channel, zeros around it, in Python's integers."""
    channels, height, width = x.shape
    x, weight, bias = x.astype(int).tolist(), weight.tolist(), bias.tolist()

    def at(c, i, j):
        return x[c][i][j] if 0 <= i < height and 0 <= j < width else 0

    def window(c, i, j):
        return sum(weight[c][a][b] * at(c, i + a - 1, j + b - 1) for a in range(3) for b in range(3))

    return [
        [[rescaled(bias[c] + window(c, i, j)) for j in range(width)] for i in range(height)] for c in range(channels)
    ]


@st.composite
def convolutions(draw):
    """Activations (C, h, w) with the weight and bias of a layer that takes them."""
    inputs, outputs, height, width = (draw(SIDE) for _ in range(4))
    is_depthwise = draw(st.booleans())
    weight = draw(hnp.arrays(np.int16, (inputs, 3, 3) if is_depthwise else (outputs, inputs), elements=INT16))
    bias = draw(hnp.arrays(np.int32, len(weight), elements=INT32))
    x = draw(hnp.arrays(np.int64, (inputs, height, width), elements=ACTIVATION))
    return x.astype(np.float64), weight, bias


@settings(max_examples=150, deadline=None)
@given(convolutions())
def test_layers_are_those_of_pure_integers(convolution):
    x, weight, bias = convolution
    expected = (pointwise if weight.ndim == 2 else depthwise)(x, weight, bias)
    result = layer(weight, bias)(x)
    assert result.dtype == np.float64
    assert result.tolist() == expected


@pytest.mark.parametrize(
    ("total", "expected"),
    [(0, 0), (2047, 0), (2048, 1), (4096, 1), (6143, 1), (6144, 2), (-2048, 0), (-2049, -1), (-6144, -1), (-6145, -2)],
)
def test_halves_are_rounded_up(total, expected):
    bias = np.array([total], dtype=np.int32)
    zero = np.zeros((1, 1, 1))
    assert layer(np.zeros((1, 1), dtype=np.int16), bias)(zero).item() == expected
    assert layer(np.zeros((1, 3, 3), dtype=np.int16), bias)(zero).item() == expected


def test_results_are_clipped():
    x = np.array([[[LIMIT, -LIMIT, 2**21, -(2**21)]]], dtype=np.float64)
    twice = layer(np.array([[2 << 12]], dtype=np.int16), np.zeros(1, dtype=np.int32))
    assert twice(x).tolist() == [[[LIMIT, -LIMIT, LIMIT, -LIMIT]]]
    more = layer(np.array([[2 << 12]], dtype=np.int16), np.array([-4096], dtype=np.int32))
    assert more(x).tolist() == [[[LIMIT, -LIMIT, LIMIT - 1, -LIMIT]]]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_summation_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    channels = int(rng.integers(100, 400))
    weight = rng.integers(-(2**15), 2**15, (8, channels), dtype=np.int16)
    bias = rng.integers(-(2**31), 2**31, 8).astype(np.int32)
    # Small enough that the results are not all clipped, and different.
    x = rng.integers(-(2**15), 2**15, (channels, 3, 7)).astype(np.float64)
    expected = layer(weight, bias)(x)
    assert len(np.unique(expected)) > 100
    order = rng.permutation(channels)
    assert np.array_equal(layer(weight[:, order], bias)(x[order]), expected)
    assert np.array_equal(layer(weight[:, ::-1], bias)(x[::-1]), expected)


def test_sums_that_might_not_be_exact_are_refused():
    bias = np.zeros(1, dtype=np.int32)
    # 2^15 inputs · 2^15 · 2^22 is 2^52, half of what float64 is exact for.
    layer(np.full((1, 2**15 - 1), -(2**15), dtype=np.int16), bias)
    message = r"^the prior's weights are so large that its sums might not be exact$"
    with pytest.raises(BadModelError, match=message):
        layer(np.full((1, 2**15), -(2**15), dtype=np.int16), bias)
    one_of_two = np.zeros((2, 2**15), dtype=np.int16)
    one_of_two[1] = -(2**15)
    with pytest.raises(BadModelError, match=message):
        layer(one_of_two, bias.repeat(2))
    # The bias counts, too: 2^22 is one weight of one.
    full = np.full((1, 2**15), -(2**15), dtype=np.int16)
    full[0, 0] += 1
    layer(full, np.array([2**22 - 1], dtype=np.int32))
    for value in (2**22, -(2**22), -(2**31)):
        with pytest.raises(BadModelError, match=message):
            layer(full, np.array([value], dtype=np.int32))


def test_the_largest_sums_that_are_allowed_are_exact():
    weight = np.full((1, 2**15 - 1), -(2**15), dtype=np.int16)
    x = np.full((2**15 - 1, 1, 1), -ACTIVATION_LIMIT)
    x[::2] *= -1  # all but one cancel: what is left shows every bit that was lost
    x[0] -= 1
    assert layer(weight, np.array([5], dtype=np.int32))(x).tolist() == [
        [[rescaled(-(2**15) * (int(x.sum())) + 5)]]
    ]  # fmt: skip


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 1)])
def test_a_bias_of_another_shape(shape):
    for weight in (np.zeros((2, 3), dtype=np.int16), np.zeros((2, 3, 3), dtype=np.int16)):
        with pytest.raises(BadModelError, match=r"^the prior's weights and biases do not fit together$"):
            layer(weight, np.zeros(shape, dtype=np.int32))


def test_the_activation_divides_by_eight_below_zero_and_rounds_down():
    x = np.array([LIMIT, 9, 1, 0, -1, -7, -8, -9, -16, -17, -LIMIT], dtype=np.float64)
    assert leaky(x).tolist() == [LIMIT, 9, 1, 0, -1, -1, -1, -2, -2, -3, -LIMIT // 8]


@given(hnp.arrays(np.int32, st.tuples(st.integers(1, 3).map(lambda c: 4 * c), SIDE, SIDE)))
def test_the_pixel_shuffle_is_torchs(x):
    torch = pytest.importorskip("torch")
    expected = torch.nn.functional.pixel_shuffle(torch.from_numpy(x.astype(np.float64)), 2).numpy()
    assert np.array_equal(shuffle(x.astype(np.float64)), expected)
