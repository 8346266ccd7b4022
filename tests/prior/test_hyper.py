"""The hyperprior at run time: what the decoder asks for is what the encoder gave, on every machine."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cnnzip.errors import BadModelError
from cnnzip.prior import hyper_network
from cnnzip.prior.gains import MAX_SYMBOL
from cnnzip.prior.hyper import HyperPrior
from cnnzip.prior.hyper_network import LAYERS, ONE
from cnnzip.prior.prior import whole
from cnnzip.prior.quality import MAX_QUALITY
from cnnzip.prior.registry import prior_from_arrays

CHANNELS, HYPER_CHANNELS, WIDTH, TABLES = 6, 3, 5, 70


@pytest.fixture
def arrays(hyper_prior):
    return dict(hyper_prior.to_arrays())


def decoded(prior, passes, shape, units):
    """What a decoder makes of `passes`, having asked for exactly their table indices and for no more."""
    left = iter(passes)

    def read(asked):
        symbols, indices = next(left)
        assert asked.dtype == np.uint8
        assert np.array_equal(asked, indices)
        return symbols

    values = prior.decode(read, shape, units)
    assert next(left, None) is None
    return values


def as_specified(arrays, passes, shape, units):
    """Values and table indices as docs/format.md, section 4, says them, in integers of 64 bits."""
    arrays = {name.removeprefix("prior."): array for name, array in arrays.items()}
    channels, height, width = shape

    def run(name, x):
        weight = arrays[f"{name}.weight"].astype(np.int64)
        total = np.zeros((len(weight), *x.shape[1:]), dtype=np.int64)
        total += arrays[f"{name}.bias"][:, None, None]
        if weight.ndim == 2:
            total += np.einsum("dc,cij->dij", weight, x)
        else:
            for c, i, j in np.ndindex(x.shape):
                for a, b in np.ndindex(3, 3):
                    if 0 <= i + a - 1 < x.shape[1] and 0 <= j + b - 1 < x.shape[2]:
                        total[c, i, j] += weight[c, a, b] * x[c, i + a - 1, j + b - 1]
        return np.clip((total + 2**11) >> 12, -(2**22), 2**22)

    def leaky(x):
        return np.where(x >= 0, x, x >> 3)

    def shuffle(x):
        out = np.zeros((len(x) // 4, 2 * x.shape[1], 2 * x.shape[2]), dtype=np.int64)
        for c, i, j in np.ndindex(x.shape):
            out[c // 4, 2 * i + c // 2 % 2, 2 * j + c % 2] = x[c, i, j]
        return out

    row = (2 * units * (len(arrays["hyper_index"]) - 1) + 10_000) // 20_000
    (hyper_symbols, hyper_index), *halves = passes
    hyper_shape = (-1, -(-height // 4), -(-width // 4))
    u = hyper_symbols.astype(np.int64).reshape(hyper_shape)
    assert (hyper_index.reshape(hyper_shape) == arrays["hyper_index"][row][:, None, None]).all()

    x = run("hyper_synthesis.0", np.clip(2**8 * u, -(2**22), 2**22))
    x = run("hyper_synthesis.3", shuffle(leaky(x)))
    x = shuffle(leaky(run("hyper_synthesis.4", x)))
    x = leaky(run("hyper_synthesis.8", run("hyper_synthesis.7", x)))
    features = x[:, :height, :width]
    parameters = run("first", features)
    values = np.zeros(shape, dtype=np.int64)
    for number, (symbols, indices) in enumerate(halves):
        mean, scale = parameters[:channels], parameters[channels:]
        listed = [(c, i, j) for c, i, j in np.ndindex(shape) if ((i + j) % 2 == (c >= channels // 2)) == (number == 0)]
        for (c, i, j), symbol, index in zip(listed, symbols, indices, strict=True):
            assert index == min(max((int(scale[c, i, j]) + 2**7) >> 8, 0), 63)
            values[c, i, j] = 2**8 * int(symbol) + mean[c, i, j]
        context = leaky(run("context.1", run("context.0", np.clip(values, -(2**14), 2**14))))
        parameters = run("second.2", leaky(run("second.0", np.concatenate([features, context]))))
    return values


@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 6), (9, 4)])
def test_a_decoder_written_from_the_specification_gives_the_same(hyper_prior, hyper_analysis, arrays, height, width):
    for units, scale in ((0, 1.0), (8000, 30.0)):
        latent = latent_of(height, width, scale)
        passes = hyper_prior.encode(latent, units, hyper_analysis)
        expected = as_specified(arrays, passes, latent.shape, units)
        assert np.array_equal(decoded(hyper_prior, passes, latent.shape, units), expected)


def latent_of(height, width, scale=3.0, seed=0):
    return np.random.default_rng(seed).normal(0, scale, (CHANNELS, height, width)).astype(np.float32)


SIZES = [(1, 1), (1, 2), (2, 1), (3, 5), (4, 4), (5, 4), (8, 1), (9, 13)]


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize("units", [0, 1234, 5000, 10_000])
def test_what_is_encoded_is_decoded(hyper_prior, hyper_analysis, height, width, units):
    latent = latent_of(height, width)
    passes = hyper_prior.encode(latent, units, hyper_analysis)
    count = HYPER_CHANNELS * -(-height // 4) * -(-width // 4)
    half = CHANNELS // 2 * height * width
    assert [len(symbols) for symbols, _ in passes] == [count, half, half]
    for symbols, indices in passes:
        assert (symbols.dtype, indices.dtype) == (np.int32, np.uint8)
        assert symbols.shape == indices.shape
    values = decoded(hyper_prior, passes, latent.shape, units)
    assert values.dtype == np.int32
    # The mean is inside the value: however far it is off, a value is the latent's to half a step.
    scaled = hyper_prior.gains.scale(latent, units)
    assert np.abs(values / ONE - scaled).max() <= 0.5 + 1e-4
    back = hyper_prior.dequantise(values, units)
    assert back.dtype == np.float32
    assert np.abs(back - latent).max() <= 0.51 * 4 ** (1 - units / MAX_QUALITY) * 2


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    latent=hnp.arrays(
        np.float32,
        st.tuples(st.just(CHANNELS), st.integers(1, 6), st.integers(1, 6)),
        elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
    ),
    units=st.integers(0, MAX_QUALITY),
)
def test_any_latent_round_trips(hyper_prior, hyper_analysis, latent, units):
    passes = hyper_prior.encode(latent, units, hyper_analysis)
    assert all(np.abs(symbols).max() <= MAX_SYMBOL for symbols, _ in passes)
    values = decoded(hyper_prior, passes, latent.shape, units)
    scaled = hyper_prior.gains.scale(latent, units)
    # A mean of up to 2^14 may stand between a clipped symbol and the value.
    within = np.abs(scaled) < MAX_SYMBOL - 2**14 - 1
    assert np.abs(values / ONE - scaled)[within].max(initial=0) <= 0.57  # a float32 of 2^20 has steps of 1/16


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, np.float32(3e38)])
def test_a_hyper_latent_that_is_no_number(hyper_prior, wrong):
    latent = latent_of(5, 3)
    passes = hyper_prior.encode(latent, 5000, lambda _: np.full((1, HYPER_CHANNELS, 2, 1), wrong, dtype=np.float32))
    expected = 0 if np.isnan(wrong) else MAX_SYMBOL * np.sign(wrong)
    assert np.unique(passes[0][0]).tolist() == [expected]
    decoded(hyper_prior, passes, latent.shape, 5000)


def test_hyper_symbols_beyond_the_range_of_activations_are_clipped_inside_only(hyper_prior):
    """Sums are exact for activations up to 2^14; the coders carry symbols up to 2^20."""

    def features(symbol):
        return hyper_prior.network.features(np.full((HYPER_CHANNELS, 1, 1), symbol, dtype=np.int32), whole(4, 4))

    assert np.array_equal(features(2**14), features(2**20 - 1))
    assert np.array_equal(features(-(2**14)), features(1 - 2**20))


@pytest.mark.parametrize(("units", "row"), [(0, 0), (4999, 0), (5000, 1), (10_000, 1)])
def test_the_hyper_latents_tables_follow_from_the_quality(hyper_prior, hyper_analysis, units, row):
    (_, indices), *_ = hyper_prior.encode(latent_of(5, 9), units, hyper_analysis)
    assert indices.tolist() == [64 + 3 * row + channel for channel in range(3) for _ in range(2 * 3)]


def test_only_the_second_half_depends_on_the_first(hyper_prior):
    """A symbol of the first pass changes no table of its own pass; those of the second it does."""
    features = hyper_prior.network.features(np.ones((HYPER_CHANNELS, 2, 2), dtype=np.int32), whole(7, 6))

    def second(value):
        return hyper_prior.network.second(features, np.full(CHANNELS * 7 * 6 // 2, value, dtype=np.int32))

    mean, index = second(0)
    assert mean.shape == index.shape == (CHANNELS * 7 * 6 // 2,)
    assert np.all(mean != second(5 * ONE)[0])
    far, farther = second(64 * ONE), second(ONE << 20)
    assert np.array_equal(far[0], farther[0])  # what the context sees is clipped
    assert np.array_equal(far[1], farther[1])


def test_scales_are_rounded_and_clipped_to_the_tables(hyper_prior, arrays):
    # With no weights, the bias of `first` is what it says: in units of 2^-20.
    shape = arrays["prior.first.weight"].shape
    bias = np.array([0, 1 << 20, -(1 << 20), 3 << 19, 0, 0, *(np.array([-9, 0, 10.5, 10.49, 63.4, 99]) * 2**20)])
    changed = {"prior.first.weight": np.zeros(shape, dtype=np.int16), "prior.first.bias": bias.astype(np.int32)}
    prior = HyperPrior.from_arrays({**arrays, **changed}, TABLES)
    mean, index = prior.network.first(np.zeros((WIDTH, 1, 2)))  # each channel in one of two positions
    assert mean.tolist() == [0, 256, -256, 384, 0, 0]
    assert index.tolist() == [0, 0, 11, 10, 63, 63]


def test_arrays_round_trip(hyper_prior, hyper_analysis, arrays):
    names = {f"prior.{name}.{part}" for name in LAYERS for part in ("weight", "bias")}
    apart = {"prior.mean", "encoder.gain", "prior.inverse_gain", "encoder.thresholds", "prior.hyper_index"}
    assert arrays.keys() == names | apart
    prior = prior_from_arrays("hyper", arrays, TABLES)
    again = prior.to_arrays()
    assert again.keys() == arrays.keys()
    for name, array in arrays.items():
        assert again[name].dtype == array.dtype
        assert np.array_equal(again[name], array)
    latent = latent_of(5, 6)
    for one, other in zip(
        hyper_prior.encode(latent, 7000, hyper_analysis), prior.encode(latent, 7000, hyper_analysis), strict=True
    ):
        assert np.array_equal(one[0], other[0])
        assert np.array_equal(one[1], other[1])


ARRAYS = [
    *(f"prior.{name}.{part}" for name in LAYERS for part in ("weight", "bias")),
    *("prior.mean", "encoder.gain", "prior.inverse_gain", "encoder.thresholds", "prior.hyper_index"),
]


@pytest.mark.parametrize("name", ARRAYS)
def test_a_missing_array(arrays, name):
    del arrays[name]
    with pytest.raises(BadModelError, match=rf"^the prior lacks '{name}'$"):
        HyperPrior.from_arrays(arrays, TABLES)


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("dtype", [np.float64, np.int64, np.uint16])
def test_an_array_of_another_type(arrays, name, dtype):
    arrays[name] = arrays[name].astype(dtype)
    with pytest.raises(BadModelError, match=rf"^the prior's '{name}' is of type {np.dtype(dtype)}$"):
        HyperPrior.from_arrays(arrays, TABLES)


CHANGES = {
    "short": lambda a: a[:-1],
    "narrow": lambda a: a[..., :-1],
    "outer": lambda a: a[None],
    "inner": lambda a: a[..., None],
    "empty": lambda a: a[:0],
    "scalar": lambda a: a.ravel()[:1].reshape(()),
    "long": lambda a: np.repeat(a, 2, axis=0),
    "wide": lambda a: np.repeat(a, 2, axis=-1),
}


@pytest.mark.parametrize(
    ("name", "change"),
    # Only rows of tables there may be as many as one likes.
    [(name, change) for name in ARRAYS for change in CHANGES if (name, change) != ("prior.hyper_index", "long")],
)
def test_an_array_of_another_shape(arrays, name, change):
    bad = {**arrays, name: CHANGES[change](arrays[name])}
    with pytest.raises(BadModelError, match=r"^the prior's (arrays|layers|weights and biases) do not fit together$"):
        HyperPrior.from_arrays(bad, TABLES)


def test_depthwise_where_pointwise_is_wanted_and_the_other_way_round(arrays):
    for name in LAYERS:
        weight = arrays[f"prior.{name}.weight"]
        other = (len(weight), 3, 3) if weight.ndim == 2 else (len(weight), len(weight))
        bad = {**arrays, f"prior.{name}.weight": np.zeros(other, dtype=np.int16)}
        with pytest.raises(BadModelError, match=r"^the prior's (arrays|layers) do not fit together$"):
            HyperPrior.from_arrays(bad, TABLES)


def test_layers_without_any_channel(arrays):
    """All fit together, but there is nothing inside."""
    width_of = {4 * WIDTH: 0, WIDTH: 0, 2 * WIDTH: 0}
    empty = {
        name: np.zeros([width_of.get(side, side) for side in array.shape], dtype=array.dtype)
        if name.removeprefix("prior.").rpartition(".")[0] in LAYERS
        else array
        for name, array in arrays.items()
    }
    with pytest.raises(BadModelError, match=r"^the prior's layers do not fit together$"):
        HyperPrior.from_arrays(empty, TABLES)
    no_hyper = {
        "prior.hyper_synthesis.0.weight": np.zeros((4 * WIDTH, 0), dtype=np.int16),
        "prior.hyper_index": np.zeros((2, 0), dtype=np.uint8),
    }
    with pytest.raises(BadModelError, match=r"^the prior's arrays do not fit together$"):
        HyperPrior.from_arrays({**arrays, **no_hyper}, TABLES)


def test_an_odd_number_of_channels_has_no_half(arrays):
    odd = dict(arrays)
    for name in ("prior.mean", "encoder.gain", "prior.inverse_gain", "prior.context.0.weight"):
        odd[name] = arrays[name][..., : CHANNELS - 1]
    for name in ("first", "second.2"):
        for part in ("weight", "bias"):
            odd[f"prior.{name}.{part}"] = arrays[f"prior.{name}.{part}"][:-2]
    with pytest.raises(BadModelError, match=r"^the prior's layers do not fit together$"):
        HyperPrior.from_arrays(odd, TABLES)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 2), (4, 3), (5, 1), (13, 6), (33, 5)])
def test_working_in_strips_changes_nothing(hyper_prior, hyper_analysis, monkeypatch, height, width):
    latent = latent_of(height, width, scale=9.0)
    whole = hyper_prior.encode(latent, 6000, hyper_analysis)
    assert len(list(hyper_network.strips(height, width))) == 1
    for positions in (1, 8 * width, 12 * width):
        monkeypatch.setattr(hyper_network, "STRIP", positions)
        rows = [row for strip in hyper_network.strips(height, width) for row in range(strip.start, strip.stop)]
        assert rows == list(range(height))
        for one, other in zip(whole, hyper_prior.encode(latent, 6000, hyper_analysis), strict=True):
            assert np.array_equal(one[0], other[0])
            assert np.array_equal(one[1], other[1])
        decoded(hyper_prior, whole, latent.shape, 6000)


def test_too_few_tables(arrays):
    with pytest.raises(BadModelError, match=r"^the prior refers to table 69 of 69$"):
        HyperPrior.from_arrays(arrays, 69)
    with pytest.raises(BadModelError, match=r"^the prior needs 64 tables, there are 63$"):
        HyperPrior.from_arrays({**arrays, "prior.hyper_index": np.zeros((2, 3), dtype=np.uint8)}, 63)


def test_an_unknown_prior(arrays):
    with pytest.raises(BadModelError, match=r"^no prior is called 'nosuch'$"):
        prior_from_arrays("nosuch", arrays, TABLES)


@pytest.mark.parametrize("value", [0.49, 1.01, np.nan, np.inf])
def test_thresholds_outside_their_range(arrays, value):
    arrays["encoder.thresholds"] = arrays["encoder.thresholds"].copy()
    arrays["encoder.thresholds"][3, 4] = value
    with pytest.raises(BadModelError, match=r"^the prior's thresholds must lie in 0\.5 … 1$"):
        HyperPrior.from_arrays(arrays, TABLES)


PROGRAM = """
import hashlib, sys
import numpy as np
from cnnzip.prior.gains import Gains
from cnnzip.prior.hyper import HyperPrior
from cnnzip.prior.hyper_network import LAYERS
from cnnzip.prior.rounding import to_nearest

rng = np.random.default_rng(0)
M, Z, N = 96, 32, 64
shapes = dict(zip(LAYERS, [
    (4 * N, Z), (N, 3, 3), (4 * N, N), (N, 3, 3), (N, N), (2 * M, N), (N, M), (N, 3, 3), (N, 2 * N), (2 * M, N)
], strict=True))
weights = {
    name: (
        np.rint(rng.normal(0, 2**12 * (2 / np.prod(shape[1:])) ** 0.5, shape)).astype(np.int16),
        rng.integers(-(2**20), 2**22, shape[0], dtype=np.int32),
    )
    for name, shape in shapes.items()
}
ones = np.ones((2, M), dtype=np.float32)
prior = HyperPrior.make(Gains(ones[0], ones, ones), to_nearest(64), np.full((2, Z), 64, dtype=np.uint8), weights)
digest = hashlib.sha256()

def read(indices):
    digest.update(indices.tobytes())
    return rng.integers(-20, 21, len(indices)).astype(np.int32)

values = prior.decode(read, (M, 37, 53), 5000)
digest.update(values.tobytes())
print(len(np.unique(values)), digest.hexdigest())
"""


def test_threads_and_kernels_change_nothing():
    """Whole decodes in processes of their own: the number of threads, and the kind of CPU that BLAS is told it has."""
    environments = [{"OPENBLAS_NUM_THREADS": threads} for threads in ("1", "2", "8")]
    environments.append({"OPENBLAS_NUM_THREADS": "1", "OPENBLAS_CORETYPE": "Prescott"})
    root = str(Path(__file__).parents[2])
    told = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONPATH": root, **environment},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for environment in environments
    }
    (line,) = told
    assert int(line.split()[0]) > 1000
    assert len(line.split()[1]) == hashlib.sha256().digest_size * 2
