"""From a trained hyperprior to integer tables: one a scale, counted on real symbols, and some for the hyper-latent."""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from cnnzip.prior.fit import LETTERS, REACH, Weights, cluster, letters_of, qualities_of, trim
from cnnzip.prior.hyper import HyperPrior
from cnnzip.prior.prior import HyperAnalysis
from cnnzip.prior.scales import LAST_SCALE, log2_scale

HYPER_TABLES = 32

ROWS_A_PICTURE = 8
"""About how many of the rows each picture is counted at."""

NORMAL_COUNT = 200.0
"""How many symbols' worth of the normal density stand beside the counted ones: it decides where few were counted."""


def fit_hyper(
    prior: HyperPrior, latents: Iterable[NDArray[np.float32]], hyper_analysis: HyperAnalysis
) -> tuple[list[Weights], NDArray[np.uint8]]:
    """All tables, those of the scales first, and the hyper-latent's table indices (R, Z)."""
    rows, channels = prior.hyper_index.shape
    scales = np.zeros((LAST_SCALE + 1) * LETTERS, dtype=np.int64)
    hyper = np.zeros((rows, channels * LETTERS), dtype=np.int64)
    share = max(1, rows // ROWS_A_PICTURE)
    for number, latent in enumerate(latents):
        # Each picture at some of the rows, and at one of each row's qualities: all of them would take an hour.
        for row in range(number % share, rows, share):
            qualities = qualities_of(row, rows)
            units = qualities[number // share % len(qualities)]
            (hyper_symbols, _), *halves = prior.encode(latent, units, hyper_analysis)
            first = np.repeat(np.arange(channels), len(hyper_symbols) // channels) * LETTERS
            hyper[row] += np.bincount(letters_of(hyper_symbols) + first, minlength=hyper.shape[1])
            for symbols, index in halves:
                scales += np.bincount(letters_of(symbols) + index.astype(np.int64) * LETTERS, minlength=len(scales))
    counted = scales.reshape(-1, LETTERS) + NORMAL_COUNT * normal_letters()
    fitted = cluster(_filled(hyper).reshape(rows, channels, LETTERS), HYPER_TABLES)
    tables = [trim(weights / weights.sum()) for weights in counted]
    return tables + fitted.tables, (fitted.table_index + len(tables)).astype(np.uint8)


def _filled(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts a row, (R, …); a row without any, where pictures were few, is as the nearest that has some."""
    counted = np.flatnonzero(rows.any(axis=1))
    nearest = np.abs(np.arange(len(rows))[:, None] - counted).argmin(axis=1)
    return rows[counted[nearest]]


def normal_letters() -> NDArray[np.float64]:
    """Probabilities of the letters under the normal density of each scale, (64, letters)."""
    edges = np.arange(-REACH, REACH + 2) - 0.5
    rows = []
    for index in range(LAST_SCALE + 1):
        inverse = 2 ** -log2_scale(float(index)) / math.sqrt(2)
        cumulative = np.array([0.5 * math.erfc(-edge * inverse) for edge in edges])
        inner = np.diff(cumulative)
        rows.append(np.append(inner, 1e-9 + max(0.0, 1 - inner.sum())))
    table = np.array(rows) + 1e-9
    normalised: NDArray[np.float64] = table / table.sum(axis=1, keepdims=True)
    return normalised
