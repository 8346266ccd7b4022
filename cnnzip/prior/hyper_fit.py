"""From a trained hyperprior to integer tables: one a scale, counted on real symbols, and some for the hyper-latent."""

import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cnnzip.prior.fit import LETTERS, REACH, Weights, cluster, letters_of, qualities_of, trim
from cnnzip.prior.hyper import HyperPrior
from cnnzip.prior.prior import HyperAnalysis
from cnnzip.prior.rounding import thresholds
from cnnzip.prior.scales import LAST_SCALE, log2_scale

HYPER_TABLES = 32

ROWS_A_PICTURE = 8
"""About how many of the rows each picture is counted at."""

FIRST = 4
"""One in so many pictures gives the tables that the thresholds of rounding come from."""

NORMAL_COUNT = 200.0
"""How many symbols' worth of the normal density stand beside the counted ones: it decides where few were counted."""


def fit_hyper(
    prior: HyperPrior, latents: Iterable[NDArray[np.float32]], hyper_analysis: HyperAnalysis
) -> tuple[HyperPrior, list[Weights]]:
    """The prior with its thresholds of rounding and its table rows, and all tables, those of the scales first.

    The thresholds hang on the tables and the tables on the thresholds: the first ones come from symbols rounded to the
    nearest, of some of the pictures.
    """
    latents = list(latents)
    scales, _ = _counts(prior, latents[: max(1, len(latents) // FIRST)], hyper_analysis)
    prior = replace(prior, thresholds=thresholds([row[:-1] for row in scales]))
    scales, hyper = _counts(prior, latents, hyper_analysis)
    fitted = cluster(hyper, HYPER_TABLES)
    tables = [trim(weights / weights.sum()) for weights in scales]
    index = (fitted.table_index + len(tables)).astype(np.uint8)
    return replace(prior, hyper_index=index), tables + fitted.tables


def _counts(
    prior: HyperPrior, latents: list[NDArray[np.float32]], hyper_analysis: HyperAnalysis
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Weights of the letters of each scale, (64, LETTERS), and counts of the hyper-latent's, (R, Z, LETTERS)."""
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
    weights = scales.reshape(-1, LETTERS) + NORMAL_COUNT * normal_letters()
    return weights, _filled(hyper).reshape(rows, channels, LETTERS)


def _filled(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts a row, (R, …); a row without any, where pictures were few, is as the nearest that has some."""
    counted = np.flatnonzero(rows.any(axis=1))
    nearest = np.abs(np.arange(len(rows))[:, None] - counted).argmin(axis=1)
    filled: NDArray[np.int64] = rows[counted[nearest]]
    return filled


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
