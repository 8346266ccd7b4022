"""Integer probability tables: the one description of the symbols that every coder shares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnzip.errors import BadModelError

PRECISION = 16
"""Bits of a probability: the frequencies of a table sum to `1 << PRECISION`."""

TOTAL = 1 << PRECISION

SYMBOL_LIMIT = 1 << 20
"""Symbols s satisfy |s| < SYMBOL_LIMIT: far beyond any latent, and escapes stay below 23 bits."""

MAX_TABLES = 256
"""A table index is one byte."""

MAX_LETTERS = 4096
"""Letters a table, escape included: leaves every letter of the largest table 16 parts in 65,536."""


@dataclass(frozen=True, eq=False)
class Tables:
    """T integer probability tables.

    Table t covers the symbols `low[t]` ... `low[t] + size[t] - 2`, one letter each, ascending. Its last letter is
    the escape, which stands for every other symbol.

    Attributes:
        low: (T,) first symbol of each table.
        size: (T,) letters of each table, escape included.
        frequencies: flat, one table after another; each sums to exactly 1 << 16 and each letter is >= 1.
    """

    low: NDArray[np.int32]
    size: NDArray[np.int32]
    frequencies: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.size)

    @cached_property
    def start(self) -> NDArray[np.int64]:
        """(T + 1,) where each table begins in `frequencies`."""
        return np.concatenate([[0], np.cumsum(self.size, dtype=np.int64)])

    @cached_property
    def letter_bits(self) -> NDArray[np.float64]:
        """Flat, as `frequencies`: the information of each letter in bits."""
        return PRECISION - np.log2(self.frequencies.astype(np.float64))

    @cached_property
    def entropy(self) -> NDArray[np.float64]:
        """(T,) expected bits a letter, without the raw bits of an escape."""
        weighted = self.letter_bits * self.frequencies / TOTAL
        return np.add.reduceat(weighted, self.start[:-1])

    def of(self, table: int) -> NDArray[np.uint32]:
        """The frequencies of one table."""
        return self.frequencies[self.start[table] : self.start[table + 1]]

    def zero(self, table: int) -> int | None:
        """The letter of the symbol 0 in one table, None where only the escape can express it."""
        letter = -int(self.low[table])
        return letter if 0 <= letter < int(self.size[table]) - 1 else None

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays that a model bundle stores."""
        return {"tables.low": self.low, "tables.size": self.size, "tables.frequencies": self.frequencies}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Tables":
        """The tables of a model bundle.

        Raises:
            BadModelError: an array is missing, of a wrong type or shape, or not a set of tables.
        """
        low = checked_array(arrays, "tables.low", np.int32)
        size = checked_array(arrays, "tables.size", np.int32)
        frequencies = checked_array(arrays, "tables.frequencies", np.uint32)
        if not 1 <= len(size) <= MAX_TABLES:
            raise BadModelError(f"a model has 1 to {MAX_TABLES} probability tables, not {len(size)}")
        if len(low) != len(size):
            raise BadModelError(f"tables.low has {len(low)} entries, tables.size has {len(size)}")
        if size.min() < 2 or size.max() > MAX_LETTERS:
            raise BadModelError(f"a probability table has 2 to {MAX_LETTERS} letters")
        wide = low.astype(np.int64)
        if wide.min() <= -SYMBOL_LIMIT or (wide + size - 2).max() >= SYMBOL_LIMIT:
            raise BadModelError(f"a probability table covers symbols beyond ±{SYMBOL_LIMIT - 1}")
        if len(frequencies) != int(size.sum(dtype=np.int64)):
            raise BadModelError("tables.frequencies does not have the length that tables.size asks for")
        if frequencies.min() < 1:
            raise BadModelError("a letter of a probability table has the frequency 0")
        tables = cls(low, size, frequencies)
        if (np.add.reduceat(frequencies.astype(np.int64), tables.start[:-1]) != TOTAL).any():
            raise BadModelError(f"the frequencies of a probability table do not sum to {TOTAL}")
        return tables

    @classmethod
    def from_weights(cls, weights: Sequence[tuple[int, NDArray[np.float64]]]) -> "Tables":
        """Tables from (low, nonnegative weights with the escape's last), rounded to sums of 1 << 16.

        Raises:
            ValueError: weights that are negative, not finite or all zero, or tables beyond the limits.
        """
        low = np.array([first for first, _ in weights], dtype=np.int32)
        size = np.array([len(weight) for _, weight in weights], dtype=np.int32)
        frequencies = [_normalise(np.asarray(weight, dtype=np.float64)) for _, weight in weights]
        try:
            return cls.from_arrays(
                {
                    "tables.low": low,
                    "tables.size": size,
                    "tables.frequencies": np.concatenate([np.zeros(0, np.uint32), *frequencies]),
                }
            )
        except BadModelError as error:
            raise ValueError(str(error)) from error


def checked_array(arrays: Mapping[str, NDArray[Any]], name: str, dtype: type) -> NDArray[Any]:
    """One flat array of a model bundle; BadModelError if it is missing or of another type or shape."""
    array = arrays.get(name)
    if array is None:
        raise BadModelError(f"the model has no array {name}")
    if array.ndim != 1 or array.dtype != np.dtype(dtype):
        raise BadModelError(f"{name} must be a flat array of {np.dtype(dtype).name}")
    return array


def _normalise(weights: NDArray[np.float64]) -> NDArray[np.uint32]:
    """Integer frequencies >= 1 that sum to TOTAL, nearest to the weights (largest remainders)."""
    if weights.ndim != 1 or not 2 <= len(weights) <= MAX_LETTERS:
        raise ValueError(f"a probability table has 2 to {MAX_LETTERS} letters")
    if not np.isfinite(weights).all() or weights.min() < 0 or weights.max() == 0:
        raise ValueError("weights must be finite, nonnegative and not all zero")
    weights = weights / weights.max()
    # A letter whose share is below one part gets one; the others divide what is left, again and again.
    rare = np.zeros(len(weights), dtype=bool)
    while True:
        share = np.where(rare, 1.0, weights * ((TOTAL - rare.sum()) / weights[~rare].sum()))
        if not (share < 1).any():
            break
        rare |= share < 1
    parts = np.floor(share).astype(np.int64)
    missing = TOTAL - int(parts.sum())
    parts[np.argsort(parts - share, kind="stable")[:missing]] += 1
    return parts.astype(np.uint32)
