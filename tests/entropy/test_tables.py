import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnzip.entropy import Tables, ideal_bits
from cnnzip.errors import BadModelError


def arrays(low=(0, -1), size=(2, 4), frequencies=(65535, 1, 16384, 32768, 8192, 8192)):
    return {
        "tables.low": np.array(low, np.int32),
        "tables.size": np.array(size, np.int32),
        "tables.frequencies": np.array(frequencies, np.uint32),
    }


def test_from_weights_keeps_exact_shares():
    tables = Tables.from_weights([(-1, np.array([2.0, 4.0, 1.0, 1.0]))])
    assert tables.frequencies.tolist() == [16384, 32768, 8192, 8192]


def test_from_weights_gives_impossible_letters_one_part():
    tables = Tables.from_weights([(0, np.array([1.0, 0.0, 1e-9]))])
    assert tables.frequencies.tolist() == [65534, 1, 1]


def test_from_weights_gives_the_rest_to_the_largest_remainders():
    # 65536 / 3 = 21845.33: one part is left, and goes to the first of equals.
    assert Tables.from_weights([(0, np.ones(3))]).frequencies.tolist() == [21846, 21845, 21845]


@given(st.lists(st.floats(0, 1e300), min_size=2, max_size=300).filter(any))
def test_from_weights_sums_exactly_and_follows_the_weights(weights):
    weights = np.array(weights)
    frequencies = Tables.from_weights([(0, weights)]).frequencies.astype(np.int64)
    assert frequencies.sum() == 65536
    assert frequencies.min() >= 1
    order = np.argsort(weights, kind="stable")
    assert (np.diff(frequencies[order]) >= -1).all()


@pytest.mark.parametrize("weights", [[1.0], [0.0, 0.0], [1.0, -1.0], [1.0, np.nan], [1.0, np.inf]])
def test_from_weights_rejects(weights):
    with pytest.raises(ValueError, match=r"weights must be|letters"):
        Tables.from_weights([(0, np.array(weights))])


def test_from_weights_rejects_no_tables_at_all():
    with pytest.raises(ValueError, match="1 to 256"):
        Tables.from_weights([])


def test_arrays_round_trip(tables):
    again = Tables.from_arrays(tables.to_arrays())
    for name, array in tables.to_arrays().items():
        assert again.to_arrays()[name].dtype == array.dtype
        assert (again.to_arrays()[name] == array).all()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"low": ()} | {"size": ()} | {"frequencies": ()}, "1 to 256 probability tables, not 0"),
        ({"low": (0,)}, "tables.low has 1 entries, tables.size has 2"),
        ({"size": (1, 5)}, "2 to 4096 letters"),
        ({"size": (2, 4097)}, "2 to 4096 letters"),
        ({"low": (-(1 << 20), 0)}, "beyond ±1048575"),
        ({"low": (0, (1 << 20) - 2)}, "beyond ±1048575"),
        ({"size": (2, 5)}, "length that tables.size asks for"),
        ({"frequencies": (65536, 0, 16384, 32768, 8192, 8192)}, "frequency 0"),
        ({"frequencies": (65534, 1, 16385, 32768, 8192, 8192)}, "do not sum to 65536"),
    ],
)
def test_from_arrays_rejects_bad_values(bad, message):
    with pytest.raises(BadModelError, match=message):
        Tables.from_arrays(arrays(**bad))


@pytest.mark.parametrize("name", ["tables.low", "tables.size", "tables.frequencies"])
def test_from_arrays_rejects_missing_and_mistyped_arrays(name):
    good = arrays()
    with pytest.raises(BadModelError, match=f"no array {name}"):
        Tables.from_arrays({key: value for key, value in good.items() if key != name})
    with pytest.raises(BadModelError, match=f"{name} must be a flat array"):
        Tables.from_arrays(good | {name: good[name].astype(np.float32)})
    with pytest.raises(BadModelError, match=f"{name} must be a flat array"):
        Tables.from_arrays(good | {name: good[name][None]})


def test_ideal_bits_counts_letters_and_the_raw_bits_of_escapes():
    tables = Tables.from_arrays(arrays())
    symbols = np.array([0, -1, 1, 5], np.int32)
    indices = np.ones(4, np.uint8)
    # 1 + 2 + 3 bits, then the escape: 3 bits, 5 for its width, 2 for 3 beyond the table (6 + 1 = 0b111).
    assert ideal_bits(tables, symbols, indices) == 1 + 2 + 3 + (3 + 5 + 2)
