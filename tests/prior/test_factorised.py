import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cnnzip.errors import BadModelError
from cnnzip.prior.factorised import FactorisedPrior
from cnnzip.prior.gains import MAX_SYMBOL, Gains
from cnnzip.prior.quality import MAX_QUALITY, level_of

CHANNELS, TABLES = 3, 5
MEAN = np.array([0.0, 0.5, -2.0], dtype=np.float32)
GAIN = np.array([[0.5, 1.0, 2.0], [2.0, 4.0, 8.0], [8.0, 8.0, 32.0]], dtype=np.float32)
INDEX = np.array([[0, 1, 2], [2, 3, 4], [4, 4, 4]], dtype=np.uint8)


@pytest.fixture
def prior():
    return FactorisedPrior(Gains(MEAN, GAIN, (1 / GAIN).astype(np.float32)), INDEX)


@pytest.fixture
def arrays(prior):
    return dict(prior.to_arrays())


PRIOR = FactorisedPrior(Gains(MEAN, GAIN, (1 / GAIN).astype(np.float32)), INDEX)
latents = hnp.arrays(np.float32, (CHANNELS, 2, 3), elements=st.floats(-1000, 1000, width=32))


@given(latents, st.integers(0, MAX_QUALITY))
def test_round_trip_within_half_a_step(latent, units):
    symbols = PRIOR.quantise(latent, units)
    assert symbols.dtype == np.int32
    back = PRIOR.dequantise(symbols, units)
    assert back.dtype == np.float32
    level, t = level_of(units, len(GAIN))
    step = (GAIN[level].astype(float) ** (t - 1) * GAIN[level + 1].astype(float) ** -t)[:, None, None]
    assert np.all(np.abs(back - latent) <= step / 2 + 1e-3)


def test_symbols_at_a_level_are_exact(prior):
    latent = np.array([-1.4, 1.6, -2.0], dtype=np.float32)[:, None, None]
    assert prior.quantise(latent, MAX_QUALITY // 2).ravel().tolist() == [-3, 4, 0]
    assert prior.dequantise(np.array([[[-3]], [[4]], [[0]]], dtype=np.int32), MAX_QUALITY // 2).ravel().tolist() == [
        -1.5,
        1.5,
        -2.0,
    ]


def test_gains_between_levels_are_geometric(prior):
    latent = MEAN[:, None, None] + 1
    assert prior.quantise(latent, MAX_QUALITY // 4).ravel().tolist() == [1, 2, 4]  # √(0.5·2), √(1·4), √(2·8)


def test_no_latent_leaves_the_range_of_the_coders(prior):
    latent = np.array([np.nan, np.inf, -np.inf], dtype=np.float32)[:, None, None]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        symbols = prior.quantise(latent, 5000)
    assert symbols.ravel().tolist() == [0, MAX_SYMBOL, -MAX_SYMBOL]


def test_the_largest_floats_are_clamped_without_a_warning(prior):
    latent = np.full((CHANNELS, 1, 1), np.finfo(np.float32).max)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert prior.quantise(latent, MAX_QUALITY).tolist() == [[[MAX_SYMBOL]]] * CHANNELS


@pytest.mark.parametrize(("units", "row"), [(0, 0), (2499, 0), (2500, 1), (7499, 1), (7500, 2), (10_000, 2)])
def test_indices_follow_from_quality_and_shape(prior, units, row):
    indices = prior.indices((CHANNELS, 2, 3), units)
    assert indices.dtype == np.uint8
    assert indices.tolist() == [table for table in INDEX[row] for _ in range(6)]


def no_network(_scaled):
    raise AssertionError("a factorised prior has no hyper-latent")


def test_what_is_encoded_is_decoded(prior):
    latent = np.linspace(-9, 9, 18, dtype=np.float32).reshape(CHANNELS, 2, 3)
    ((symbols, indices),) = prior.encode(latent, 3000, no_network)
    assert symbols.shape == indices.shape == (18,)

    def read(asked):
        assert np.array_equal(asked, indices)
        return symbols

    assert np.array_equal(prior.decode(read, latent.shape, 3000), prior.quantise(latent, 3000))


def test_arrays_round_trip(arrays):
    again = FactorisedPrior.from_arrays(arrays, TABLES).to_arrays()
    assert again.keys() == arrays.keys()
    for name, array in arrays.items():
        assert again[name].dtype == array.dtype
        assert np.array_equal(again[name], array)


@pytest.mark.parametrize("name", ["prior.mean", "encoder.gain", "prior.inverse_gain", "prior.table_index"])
def test_a_missing_array(arrays, name):
    del arrays[name]
    with pytest.raises(BadModelError, match=rf"^the prior lacks '{name}'$"):
        FactorisedPrior.from_arrays(arrays, TABLES)


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("prior.mean", MEAN[:2]),
        ("prior.mean", MEAN[None]),
        ("encoder.gain", GAIN[:2]),
        ("encoder.gain", GAIN[:, :2]),
        ("encoder.gain", GAIN.ravel()),
        ("prior.table_index", INDEX[:1]),
        ("prior.table_index", INDEX[:, :2]),
        ("prior.table_index", INDEX[0]),
        ("prior.mean", np.array(1, dtype=np.float32)),
    ],
)
def test_arrays_of_wrong_shape(arrays, name, bad):
    with pytest.raises(BadModelError, match=r"^the prior's arrays do not fit together$"):
        FactorisedPrior.from_arrays({**arrays, name: bad}, TABLES)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("prior.mean", np.float64),
        ("encoder.gain", np.float16),
        ("prior.inverse_gain", np.int32),
        ("prior.table_index", np.int8),
    ],
)
def test_arrays_of_wrong_type(arrays, name, dtype):
    bad = {**arrays, name: arrays[name].astype(dtype)}
    with pytest.raises(BadModelError, match=rf"^the prior's '{name}' is of type {np.dtype(dtype)}$"):
        FactorisedPrior.from_arrays(bad, TABLES)


def test_a_single_level_or_no_channel(arrays):
    single = {**arrays, "encoder.gain": GAIN[:1], "prior.inverse_gain": GAIN[:1]}
    empty = {name: array[..., :0] for name, array in arrays.items()}
    for bad in (single, empty):
        with pytest.raises(BadModelError, match=r"^the prior's arrays do not fit together$"):
            FactorisedPrior.from_arrays(bad, TABLES)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prior.mean", np.nan),
        ("prior.mean", np.inf),
        ("encoder.gain", 0.0),
        ("encoder.gain", -1.0),
        ("encoder.gain", np.nan),
        ("prior.inverse_gain", np.inf),
        ("prior.inverse_gain", 0.0),
    ],
)
def test_impossible_values(arrays, name, value):
    bad = arrays[name].copy()
    bad.flat[-1] = value
    with pytest.raises(
        BadModelError, match=r"^the prior's means must lie within ±1e\+09, its gains between that and its inverse$"
    ):
        FactorisedPrior.from_arrays({**arrays, name: bad}, TABLES)


def test_a_table_that_does_not_exist(arrays):
    FactorisedPrior.from_arrays(arrays, 5)
    with pytest.raises(BadModelError, match=r"^the prior refers to table 4 of 4$"):
        FactorisedPrior.from_arrays(arrays, 4)
