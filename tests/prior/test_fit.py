import numpy as np
import pytest

from cnnzip.prior.factorised import FactorisedPrior
from cnnzip.prior.fit import REACH, cluster, count, qualities_of
from cnnzip.prior.gains import Gains
from cnnzip.prior.quality import MAX_QUALITY, nearest_row

ROWS, CHANNELS = 5, 12
LETTERS = 2 * REACH + 2


def histograms(seed=0, samples=20_000):
    """Rounded Laplacians of many widths, (R, M, letters)."""
    rng = np.random.default_rng(seed)
    counts = np.zeros((ROWS, CHANNELS, LETTERS), dtype=np.int64)
    for row in range(ROWS):
        for channel in range(CHANNELS):
            drawn = np.rint(rng.laplace(0, 0.05 * 1.6 ** (row + channel), samples)).astype(int)
            letter = np.where(np.abs(drawn) <= REACH, drawn + REACH, LETTERS - 1)
            counts[row, channel] = np.bincount(letter, minlength=LETTERS)
    return counts


def bits(counts, fitted):
    """Mean bits a symbol of `counts` under the tables; escapes without what follows them."""
    total = 0.0
    for row, channel in np.ndindex(ROWS, CHANNELS):
        low, weights = fitted.tables[fitted.table_index[row, channel]]
        cost = -np.log2(weights / weights.sum())
        all_letters = np.full(LETTERS, cost[-1])
        all_letters[low + REACH : low + REACH + len(weights) - 1] = cost[:-1]
        total += counts[row, channel] @ all_letters
    return total / counts.sum()


def entropy(counts):
    p = counts / counts.sum(axis=-1, keepdims=True)
    return float(-(p * np.log2(np.maximum(p, 1e-300))).sum(axis=-1).mean())


@pytest.mark.parametrize(("tables", "excess"), [(ROWS * CHANNELS, 1.004), (16, 1.01), (6, 1.05)])
def test_few_tables_cost_little_over_the_entropy(tables, excess):
    counts = histograms()
    fitted = cluster(counts, tables)
    assert len(fitted.tables) <= tables
    assert entropy(counts) <= bits(counts, fitted) < excess * entropy(counts)


def test_indices_and_order():
    fitted = cluster(histograms(), 8)
    assert fitted.table_index.shape == (ROWS, CHANNELS)
    assert fitted.table_index.dtype == np.uint8
    assert set(fitted.table_index.ravel().tolist()) == set(range(len(fitted.tables)))
    spreads = [-(w / w.sum() * np.log2(w / w.sum())).sum() for _, w in fitted.tables]
    assert spreads == sorted(spreads)
    # Wider distributions never get a narrower table.
    assert (np.diff(fitted.table_index.astype(int), axis=1) >= 0).all()


def test_tables_are_positive_and_reach_zero():
    for low, weights in cluster(histograms(), 8).tables:
        assert (weights > 0).all()
        assert low <= 0 < low + len(weights) - 1


def test_the_same_counts_give_the_same_tables():
    first, second = cluster(histograms(), 8), cluster(histograms(), 8)
    assert np.array_equal(first.table_index, second.table_index)
    for (low, weights), (low2, weights2) in zip(first.tables, second.tables, strict=True):
        assert low == low2
        assert np.array_equal(weights, weights2)


def test_more_tables_than_histograms():
    counts = histograms()[:1, :2]
    fitted = cluster(counts, 64)
    assert len(fitted.tables) == 2
    assert fitted.table_index.tolist() == [[0, 1]]


def test_symbols_out_of_reach_are_left_to_the_escape():
    counts = np.zeros((2, 1, LETTERS), dtype=np.int64)
    counts[:, :, -1] = 100
    ((low, weights),) = cluster(counts, 4).tables
    assert low == 0
    assert len(weights) == 2
    assert weights[1] / weights.sum() > 0.99


@pytest.mark.parametrize("rows", [2, 3, 29])
def test_a_row_is_counted_all_over_the_qualities_that_use_it(rows):
    for row in range(rows):
        used = [units for units in range(0, MAX_QUALITY + 1, 7) if nearest_row(units, rows) == row]
        counted = qualities_of(row, rows)
        assert {nearest_row(units, rows) for units in counted} == {row}
        assert max(counted) - min(counted) > 0.85 * (used[-1] - used[0])


def test_count():
    one = np.ones((2, 2), dtype=np.float32)
    gain = np.array([[1, 1], [4, 4]], dtype=np.float32)
    prior = FactorisedPrior(Gains(np.zeros(2, dtype=np.float32), gain, one / gain), np.zeros((3, 2), dtype=np.uint8))
    latent = np.array([[[0.0, 1.0, 1.0]], [[-1.0, 200.0, -0.2]]], dtype=np.float32)
    counts = count(prior, [latent, latent[:, :, :1]])
    assert counts.shape == (3, 2, LETTERS)
    for row in range(3):
        for channel in range(2):
            expected = np.zeros(LETTERS, dtype=np.int64)
            for units in qualities_of(row, 3):
                for value in (*latent[channel, 0], latent[channel, 0, 0]):
                    symbol = round(float(value) * 4 ** (units / MAX_QUALITY))
                    expected[symbol + REACH if abs(symbol) <= REACH else -1] += 1
            assert np.array_equal(counts[row, channel], expected)


def test_a_nearly_constant_channel_is_cheap_between_two_rows():
    """It turns from all zeros to all ones within the range of one row: both must be foreseen."""
    level = np.float32(0.5 / 2**0.3)
    gain = np.array([[1.0], [2.0]], dtype=np.float32)  # level times gain passes ½ at quality 30
    prior = FactorisedPrior(Gains(np.zeros(1, np.float32), gain, 1 / gain), np.zeros((2, 1), np.uint8))
    fitted = cluster(count(prior, [np.full((1, 8, 8), level)]))
    for units in (0, MAX_QUALITY * 2 // 10, MAX_QUALITY * 4 // 10, MAX_QUALITY):
        (symbol,) = np.unique(prior.quantise(np.full((1, 8, 8), level), units))
        low, weights = fitted.tables[fitted.table_index[nearest_row(units, 2), 0]]
        assert weights[symbol - low] / weights.sum() > 0.1
