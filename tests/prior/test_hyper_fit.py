"""Tables of the hyperprior: one a scale and some for the hyper-latent, as near to the symbols as they can be."""

from dataclasses import replace

import numpy as np
import pytest

from cnnzip.entropy import Tables, ideal_bits
from cnnzip.prior.fit import LETTERS, REACH, qualities_of
from cnnzip.prior.hyper_fit import HYPER_TABLES, fit_hyper, normal_letters
from cnnzip.prior.quality import MAX_QUALITY
from cnnzip.prior.scales import LAST_SCALE, log2_scale

CHANNELS, HYPER_CHANNELS = 6, 3


@pytest.fixture(scope="module")
def latents():
    """Smooth fields with noise: neighbours resemble one another, channels differ in size."""
    rng = np.random.default_rng(5)
    size = 2.0 ** np.arange(-2, 4)[:, None, None]
    coarse = [rng.normal(0, 1, (CHANNELS, 4, 5)).repeat(8, axis=1).repeat(8, axis=2) for _ in range(12)]
    return [(size * (field + rng.normal(0, 0.3, field.shape))).astype(np.float32) for field in coarse]


@pytest.fixture(scope="module")
def fitted(hyper_prior, hyper_analysis, latents):
    return fit_hyper(hyper_prior, latents, hyper_analysis)


def test_tables_and_indices_are_those_of_a_model(fitted):
    prior, weighted = fitted
    index = prior.hyper_index
    tables = Tables.from_weights(weighted)
    assert LAST_SCALE + 2 <= len(tables) <= LAST_SCALE + 1 + HYPER_TABLES
    assert index.shape == (2, HYPER_CHANNELS)
    assert index.dtype == np.uint8
    # The first 64 are the scales', and no channel of the hyper-latent uses one of these.
    assert index.min() >= LAST_SCALE + 1
    assert index.max() == len(tables) - 1
    for low, weights in weighted:
        assert (weights > 0).all()
        assert low <= 0 < low + len(weights) - 1


def test_what_was_never_seen_is_a_normal_density(hyper_prior, hyper_analysis, latents):
    single = latents[0][:, :1, :1]
    prior, weighted = fit_hyper(hyper_prior, [single], hyper_analysis)
    counted = [qualities_of(row, 2)[0] for row in range(2)]  # the first picture's
    passes = [one for units in counted for one in prior.encode(single, units, hyper_analysis)[1:]]
    seen = {table for _, indices in passes for table in indices.tolist()}
    assert 0 < len(seen) <= 2 * CHANNELS
    for table in range(LAST_SCALE + 1):
        low, weights = weighted[table]
        expected = normal_letters()[table][low + REACH : low + REACH + len(weights) - 1]
        near = np.allclose(weights[:-1], expected, rtol=1e-6, atol=0)
        assert near == (table not in seen), table


def test_the_rate_under_the_tables_is_near_the_entropy(fitted, hyper_analysis, latents):
    """Each table alone: what its symbols cost under it, and under the histogram of these very symbols."""
    prior, weighted = fitted
    index = prior.hyper_index
    tables = Tables.from_weights(weighted)
    assert np.array_equal(index, index.clip(0, len(tables) - 1))
    symbols, indices = [], []
    for latent in latents:
        for units in (0, MAX_QUALITY):
            (hyper_symbols, _), *halves = prior.encode(latent, units, hyper_analysis)
            row = index[0 if units == 0 else -1]
            symbols += [hyper_symbols, *(one for one, _ in halves)]
            indices += [np.repeat(row, len(hyper_symbols) // HYPER_CHANNELS), *(one for _, one in halves)]
    symbols, indices = np.concatenate(symbols), np.concatenate(indices)
    entropy = 0.0
    for table in np.unique(indices):
        _, counts = np.unique(symbols[indices == table], return_counts=True)
        entropy -= (counts * np.log2(counts / counts.sum())).sum()
    bits = ideal_bits(tables, symbols, indices)
    # The histograms know these symbols by heart, the tables stand on 200 counts of a normal density each.
    assert entropy < bits < 1.12 * entropy
    # And they are nearer than the normal densities are, which know nothing of what was counted.
    normal = Tables.from_weights([(-REACH, weights) for weights in normal_letters()])
    scales = indices <= LAST_SCALE
    assert ideal_bits(tables, symbols[scales], indices[scales]) < ideal_bits(normal, symbols[scales], indices[scales])


def test_normal_letters():
    letters = normal_letters()
    assert letters.shape == (LAST_SCALE + 1, LETTERS)
    np.testing.assert_allclose(letters.sum(axis=1), 1, rtol=1e-12)
    assert (letters > 0).all()
    np.testing.assert_allclose(letters[:, : 2 * REACH + 1], letters[:, 2 * REACH :: -1], rtol=1e-6)
    symbols = np.arange(-REACH, REACH + 1)
    # The variance of a rounded normal is that of the normal plus 1/12, once it is broad enough.
    for index in range(30, 56):
        variance = (letters[index, :-1] * symbols**2).sum()
        assert variance == pytest.approx(4 ** log2_scale(index) + 1 / 12, rel=0.01)
    # The broadest reaches beyond the histogram; so does what the escape is for.
    assert letters[-1, -1] == pytest.approx(0.02472, rel=1e-3)  # beyond 255.5, at a scale of 113.8
    assert letters[30, -1] < 1e-8


def test_rows_that_no_picture_was_counted_at_have_the_tables_of_their_neighbours(hyper_prior, hyper_analysis, latents):
    many = replace(hyper_prior, hyper_index=np.zeros((33, HYPER_CHANNELS), dtype=np.uint8))
    index = fit_hyper(many, latents[:1], hyper_analysis)[0].hyper_index  # counted at rows 0, 4, 8 …
    assert index.shape == (33, HYPER_CHANNELS)
    for row in range(0, 32, 4):
        assert np.array_equal(index[row + 1], index[row])
        assert np.array_equal(index[row + 3], index[row + 4])
    assert len(np.unique(index, axis=0)) > 1
