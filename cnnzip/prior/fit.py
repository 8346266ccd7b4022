"""From a trained prior to integer coding: which tables there are, and which channel uses which at what quality.

Real quantised latents are counted, a histogram for each (quality, channel), and the histograms are clustered into
few tables by the bits that sharing a table would cost: Lloyd's algorithm with the cross entropy as the distance
(Chou, Lookabaugh and Gray, "Entropy-constrained vector quantization", 1989).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnzip.prior.factorised import FactorisedPrior
from cnnzip.prior.quality import MAX_QUALITY

Weights = tuple[int, NDArray[np.float64]]
"""One table: its lowest symbol, and the weights of its letters, the escape last."""

REACH = 255
"""The histograms cover −REACH … REACH; what lies beyond is counted as one, and escaped in files."""

LETTERS = 2 * REACH + 2

ITERATIONS = 40
RARE = 2.0**-15
"""Letters at the ends of a table that are rarer than this are left to the escape."""


@dataclass(frozen=True)
class Fit:
    """T tables, and their indices, (R, M) uint8."""

    tables: list[Weights]
    table_index: NDArray[np.uint8]


def letters_of(symbols: NDArray[np.int32]) -> NDArray[np.int64]:
    """The letter of each symbol in a histogram: symbol + REACH, the last one for those beyond."""
    return np.where(np.abs(symbols) <= REACH, symbols.astype(np.int64) + REACH, LETTERS - 1)


def count(prior: FactorisedPrior, latents: Iterable[NDArray[np.float32]]) -> NDArray[np.int64]:
    """Histograms of the symbols of `latents`, each (M, h, w), at the prior's R qualities: (R, M, LETTERS)."""
    rows, channels = prior.table_index.shape
    counts = np.zeros((rows, channels * LETTERS), dtype=np.int64)
    first = np.arange(channels)[:, None, None] * LETTERS
    for latent in latents:
        for row in range(rows):
            for units in qualities_of(row, rows):
                symbols = prior.quantise(latent, units)
                counts[row] += np.bincount((letters_of(symbols) + first).ravel(), minlength=counts.shape[1])
    return counts.reshape(rows, channels, LETTERS)


def qualities_of(row: int, rows: int) -> list[int]:
    """Qualities, in hundredths, all over the range that uses table row `row` of `rows`.

    One alone will not do: a channel that is nearly constant turns from all zeros to all ones between two rows.
    """
    spread = (row + np.array([-0.45, -0.15, 0.15, 0.45])) * MAX_QUALITY / (rows - 1)
    return [int(units) for units in np.clip(np.rint(spread), 0, MAX_QUALITY)]


def cluster(counts: NDArray[np.int64], tables: int = 64) -> Fit:
    """Cluster histograms, (R, M, LETTERS), into at most `tables` tables, ordered from certain to broad."""
    rows, channels, letters = counts.shape
    histograms = counts.reshape(-1, letters).astype(np.float64)
    histograms /= histograms.sum(axis=1, keepdims=True)
    entropy = -(histograms * np.log2(np.maximum(histograms, 1e-300))).sum(axis=1)
    # Start: equal shares of the bits, from the certain ones to the broad ones.
    order = np.argsort(entropy, kind="stable")
    share = np.cumsum(entropy[order] + 0.01)
    choice = np.empty(len(order), dtype=np.int64)
    choice[order] = np.minimum((share / share[-1] * tables).astype(np.int64), tables - 1)
    for _ in range(ITERATIONS):
        used = np.unique(choice)
        centres = np.stack([histograms[choice == t].sum(axis=0) for t in used])
        smooth = _smooth(centres)
        before, choice = choice, np.argmin(-histograms @ np.log2(smooth).T, axis=1)
        if np.array_equal(used[choice], before):
            break
    used, choice = np.unique(choice, return_inverse=True)
    weights = _smooth(np.stack([histograms[choice == t].sum(axis=0) for t in range(len(used))]))
    spread = -(weights * np.log2(weights)).sum(axis=1)
    rank = np.argsort(np.argsort(spread, kind="stable"), kind="stable")
    ordered = weights[np.argsort(spread, kind="stable")]
    index = rank[choice].reshape(rows, channels).astype(np.uint8)
    return Fit([trim(w) for w in ordered], index)


def _smooth(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distributions whose unseen letters have a little mass, more of it near the letters that were seen."""
    density = weights / weights.sum(axis=1, keepdims=True)
    kernel = 0.5 ** np.abs(np.arange(-8, 9))
    kernel /= kernel.sum()
    spread = np.stack([np.convolve(row[:-1], kernel, mode="same") for row in density])
    smooth = density.copy()
    smooth[:, :-1] = 0.998 * density[:, :-1] + 0.002 * spread
    smooth += 1e-7
    result: NDArray[np.float64] = smooth / smooth.sum(axis=1, keepdims=True)
    return result


def trim(weights: NDArray[np.float64]) -> Weights:
    """(lowest symbol, weights with the escape last), without the rare letters at either end."""
    # Zero is always kept: where every symbol lies out of reach, nothing else would be.
    kept = np.append(np.flatnonzero(weights[:-1] >= RARE), REACH)
    low, high = kept.min(), kept.max()
    inner = weights[low : high + 1]
    escape = weights.sum() - inner.sum()
    return int(low) - REACH, np.append(inner, escape)
