"""What both coders share: one pass of symbols, sorted by table, turned into letters and escapes.

An escape letter stands for a symbol outside its table. The symbol's distance beyond the table is folded into
n >= 0 (even above, odd below). Of n + 1 the bits behind the leading one are sent, and how many they are in a
field of 5 bits before them. Each symbol has one representation only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cnnzip.entropy.tables import MAX_TABLES, SYMBOL_LIMIT, Tables
from cnnzip.errors import PayloadError

WIDTH_BITS = 5
"""Bits of the field that tells how many bits an escape has."""

MAX_WIDTH = 22
"""The widest escape: a table at one end of the symbols' range, the symbol at the other."""

PIECE = 1 << 20
"""So many table indices are counted together: numpy makes eight bytes of each meanwhile."""


class Source(Protocol):
    """What a decoder reads from: letters under a table, and raw fields of bits."""

    def expect(self, counts: NDArray[np.intp]) -> None:
        """See that what is left can hold so many letters of each table, (T,), whatever letters they are.

        Raises:
            PayloadError: it cannot.
        """
        ...

    def letters(self, table: int, count: int) -> NDArray[np.integer[Any]]:
        """The next `count` letters of a table."""
        ...

    def fields(self, widths: NDArray[np.int64]) -> NDArray[np.int64]:
        """The next raw fields, one of each width."""
        ...


@dataclass(frozen=True, eq=False)
class Grouping:
    """The order in which a pass is coded: by table, ascending, and within a table as given."""

    order: NDArray[np.intp]  # (N,) coded position -> given position
    counts: NDArray[np.intp]  # (T,) symbols of each table

    @classmethod
    def of(cls, tables: Tables, indices: NDArray[np.uint8]) -> "Grouping":
        """Groups table indices; ValueError if they are not flat bytes below the number of tables."""
        counts = _counts(tables, indices)
        return cls(np.argsort(indices, kind="stable"), counts)

    def ranges(self) -> Iterator[tuple[int, int, int]]:
        """(table, start, stop) of every table in use, in coded order."""
        stops = np.cumsum(self.counts)
        for table in np.flatnonzero(self.counts).tolist():
            stop = int(stops[table])
            yield table, stop - int(self.counts[table]), stop


@dataclass(frozen=True, eq=False)
class LetterPass:
    """One pass ready to be coded: the letters of each table in use, then the escapes' raw fields."""

    grouping: Grouping
    groups: list[tuple[int, NDArray[np.int32]]]
    escaped: NDArray[np.intp]  # coded positions of the escapes
    widths: NDArray[np.int64]  # one an escape, each coded in WIDTH_BITS bits
    values: NDArray[np.int64]  # coded in `widths` bits, after all the widths

    @classmethod
    def of(cls, tables: Tables, symbols: NDArray[np.int32], indices: NDArray[np.uint8]) -> "LetterPass":
        """Splits one pass into letters and escapes; ValueError if it cannot be coded."""
        grouping = Grouping.of(tables, indices)
        if symbols.shape != indices.shape or symbols.dtype.kind not in "iu":
            raise ValueError("symbols must be a flat array of integers, as many as table indices")
        if symbols.size and not -SYMBOL_LIMIT < int(symbols.min()) <= int(symbols.max()) < SYMBOL_LIMIT:
            raise ValueError(f"symbols must lie within ±{SYMBOL_LIMIT - 1}")
        letters = symbols[grouping.order].astype(np.int32) - np.repeat(tables.low, grouping.counts)
        escape = np.repeat(tables.size - 1, grouping.counts)
        escaped = np.flatnonzero((letters < 0) | (letters >= escape))
        beyond = letters[escaped].astype(np.int64)
        folded = np.where(beyond < 0, -2 * beyond - 1, 2 * (beyond - escape[escaped]))
        # The exponent of frexp is the number of bits, exact far beyond 22 bits.
        widths = np.frexp((folded + 1).astype(np.float64))[1].astype(np.int64) - 1
        letters[escaped] = escape[escaped]
        groups = [(table, letters[start:stop]) for table, start, stop in grouping.ranges()]
        return cls(grouping, groups, escaped, widths, folded + 1 - (1 << widths))


def read_pass(tables: Tables, indices: NDArray[np.uint8], source: Source) -> NDArray[np.int32]:
    """The symbols of one pass, in the order of `indices`.

    Raises:
        PayloadError: the source has too little for so many symbols, an escape is outside their range, or the source
            says so.
    """
    # Before anything is made of the indices: a few bytes may claim a picture of any size.
    counts = _counts(tables, indices)
    source.expect(counts)
    grouping = Grouping(np.argsort(indices, kind="stable"), counts)
    letters = np.empty(len(indices), dtype=np.int32)
    for table, start, stop in grouping.ranges():
        letters[start:stop] = source.letters(table, stop - start)
    escape = np.repeat(tables.size - 1, grouping.counts)
    escaped = np.flatnonzero(letters == escape)
    if escaped.size:
        letters[escaped] = _read_escapes(escape[escaped], source)
    letters += np.repeat(tables.low, grouping.counts)
    if escaped.size and np.abs(letters[escaped]).max() >= SYMBOL_LIMIT:
        raise PayloadError(f"an escaped symbol lies beyond ±{SYMBOL_LIMIT - 1}")
    symbols = np.empty_like(letters)
    symbols[grouping.order] = letters
    return symbols


def _counts(tables: Tables, indices: NDArray[np.uint8]) -> NDArray[np.intp]:
    """(T,) how many symbols each table has; ValueError as of `Grouping.of`."""
    if indices.ndim != 1 or indices.dtype != np.uint8:
        raise ValueError("table indices must be a flat array of uint8")
    counts = np.zeros(MAX_TABLES, dtype=np.intp)
    for start in range(0, len(indices), PIECE):
        counts += np.bincount(indices[start : start + PIECE], minlength=MAX_TABLES)
    if counts[len(tables) :].any():
        raise ValueError(f"table index {np.flatnonzero(counts)[-1]}, but there are {len(tables)} tables")
    return counts[: len(tables)]


def _read_escapes(escape: NDArray[np.int32], source: Source) -> NDArray[np.int64]:
    """Letters beyond their tables, below 0 or from the `escape` letter on."""
    widths = source.fields(np.full(len(escape), WIDTH_BITS, dtype=np.int64))
    if widths.max() > MAX_WIDTH:
        raise PayloadError(f"an escaped symbol has {widths.max()} bits, more than {MAX_WIDTH}")
    folded = source.fields(widths) + (1 << widths) - 1
    return np.where(folded & 1, -(folded + 1) // 2, escape + folded // 2)


def symbol_bits(tables: Tables, symbols: NDArray[np.int32], indices: NDArray[np.uint8]) -> NDArray[np.float64]:
    """(N,) the bits of each symbol of one pass under its table, with the raw bits of an escape."""
    letters = LetterPass.of(tables, symbols, indices)
    coded = [tables.letter_bits[tables.start[table] + group] for table, group in letters.groups]
    in_order = np.concatenate([np.zeros(0), *coded])
    in_order[letters.escaped] += letters.widths + WIDTH_BITS
    bits = np.empty_like(in_order)
    bits[letters.grouping.order] = in_order
    return bits


def ideal_bits(tables: Tables, symbols: NDArray[np.int32], indices: NDArray[np.uint8]) -> float:
    """The bits of one pass under its tables, with the raw bits of its escapes: the coders' yardstick."""
    return float(symbol_bits(tables, symbols, indices).sum())
