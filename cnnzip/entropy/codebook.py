"""The Huffman codebook of a model: a layout and the code lengths for each table, made once and for all.

Building needs `dahuffman`; decoding works from the stored lengths alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnzip.entropy.canonical import MAX_LENGTH, CanonicalCode, kraft_holds
from cnnzip.entropy.layouts import MAX_WORDS, NAMES, Layout, make_layout
from cnnzip.entropy.tables import TOTAL, Tables, checked_array
from cnnzip.errors import BadModelError


@dataclass(frozen=True)
class TableReport:
    """What the codebook does with one table.

    Attributes:
        table: index of the table.
        letters: letters of the table, escape included.
        layout: "symbol", "block" or "run".
        parameter: letters a block, or zeros of the longest run.
        words: number of code words.
        longest: bits of the longest code word.
        bits: expected bits a symbol under this code.
        entropy: expected bits a symbol at best.
    """

    table: int
    letters: int
    layout: str
    parameter: int
    words: int
    longest: int
    bits: float
    entropy: float


@dataclass(frozen=True, eq=False)
class Choice:
    """A layout that a table can take, at its best, and what it costs.

    Attributes:
        name: "symbol", "block" or "run".
        parameter: letters a block, or zeros of the longest run; 1 for "symbol".
        layout: letters to words.
        lengths: (words,) bits of each code word.
        bits: expected bits a symbol.
    """

    name: str
    parameter: int
    layout: Layout
    lengths: NDArray[np.uint8]
    bits: float


class Codebook:
    """For each table its layout, and the length of every code word."""

    def __init__(
        self,
        tables: Tables,
        layouts: NDArray[np.uint8],
        parameters: NDArray[np.int32],
        lengths: NDArray[np.uint8],
    ) -> None:
        """A codebook from parts that are known to fit; `from_arrays` is for those that are not.

        Args:
            tables: T tables.
            layouts: (T,) numbers of the layouts in `layouts.NAMES`.
            parameters: (T,) their parameters.
            lengths: flat, code lengths of the words, one table after another.
        """
        self.tables = tables
        self._kinds = layouts
        self._parameters = parameters
        self._lengths = lengths
        self._layouts = [_layout(tables, t, NAMES[layouts[t]], int(parameters[t])) for t in range(len(tables))]
        self._start = np.cumsum([0, *(layout.words for layout in self._layouts)])
        self._codes: dict[int, CanonicalCode] = {}

    def layout(self, table: int) -> Layout:
        """The layout of one table."""
        return self._layouts[table]

    def code(self, table: int) -> CanonicalCode:
        """The code of one table, made when it is first needed."""
        if table not in self._codes:
            self._codes[table] = CanonicalCode(self._lengths[self._start[table] : self._start[table + 1]])
        return self._codes[table]

    @cached_property
    def least_bits(self) -> NDArray[np.float64]:
        """(T,) a letter of each table takes no fewer bits: its shortest code word, shared among the most letters."""
        shortest: NDArray[np.float64] = np.minimum.reduceat(self._lengths, self._start[:-1]) / self._parameters
        return shortest

    def choices(self, table: int) -> list[Choice]:
        """The layout of one table, then each other that it could take, at its best."""
        chosen, probabilities = NAMES[self._kinds[table]], self.tables.of(table) / TOTAL
        layout, lengths = self._layouts[table], self.code(table).lengths
        bits = _expected_bits(layout, probabilities, lengths)
        names = NAMES if self.tables.zero(table) is not None else ("symbol",)
        others = (_best(self.tables, table, (name,)) for name in names if name != chosen)
        return [
            Choice(chosen, int(self._parameters[table]), layout, lengths, bits),
            *(choice for choice in others if choice is not None),
        ]

    def describe(self) -> list[TableReport]:
        """One report a table."""
        reports = []
        for table, layout in enumerate(self._layouts):
            code = self.code(table)
            reports.append(
                TableReport(
                    table=table,
                    letters=int(self.tables.size[table]),
                    layout=NAMES[self._kinds[table]],
                    parameter=int(self._parameters[table]),
                    words=layout.words,
                    longest=code.longest,
                    bits=_expected_bits(layout, self.tables.of(table) / TOTAL, code.lengths),
                    entropy=float(self.tables.entropy[table]),
                )
            )
        return reports

    @classmethod
    def build(cls, tables: Tables, layouts: Sequence[str] = NAMES) -> "Codebook":
        """Picks for each table the layout, among those named, with the fewest expected bits a symbol.

        A table that does not cover the symbol 0 takes the layout `symbol` in any case.

        Raises:
            ValueError: an unknown layout, or a table that none of them suits.
        """
        unknown = set(layouts) - set(NAMES)
        if unknown or not layouts:
            raise ValueError(f"layouts are {', '.join(NAMES)}, not {', '.join(sorted(unknown)) or 'none'}")
        best = [_best(tables, table, tuple(layouts)) for table in range(len(tables))]
        if None in best:
            raise ValueError(f"table {best.index(None)} is too large for the layout {', '.join(layouts)}")
        return cls(
            tables,
            np.array([NAMES.index(choice.name) for choice in best if choice], dtype=np.uint8),
            np.array([choice.parameter for choice in best if choice], dtype=np.int32),
            np.concatenate([choice.lengths for choice in best if choice]),
        )

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays that a model bundle stores, beside those of the tables."""
        return {
            "huffman.layouts": self._kinds,
            "huffman.parameters": self._parameters,
            "huffman.lengths": self._lengths,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], tables: Tables) -> "Codebook":
        """The codebook of a model bundle, for its tables.

        Raises:
            BadModelError: an array is missing, of a wrong type or shape, or not a codebook for the tables.
        """
        kinds = checked_array(arrays, "huffman.layouts", np.uint8)
        parameters = checked_array(arrays, "huffman.parameters", np.int32)
        lengths = checked_array(arrays, "huffman.lengths", np.uint8)
        if not len(kinds) == len(parameters) == len(tables):
            raise BadModelError(f"the codebook is for {len(kinds)} tables, the model has {len(tables)}")
        if kinds.max() >= len(NAMES):
            raise BadModelError(f"the codebook names the unknown layout {kinds.max()}")
        try:
            book = cls(tables, kinds, parameters, lengths)
        except ValueError as error:
            raise BadModelError(f"the codebook is damaged: {error}") from error
        if len(lengths) != book._start[-1]:
            raise BadModelError(f"the codebook has {len(lengths)} code lengths, its layouts {book._start[-1]}")
        if lengths.min() < 1 or lengths.max() > MAX_LENGTH:
            raise BadModelError(f"a code word of the codebook does not have 1 to {MAX_LENGTH} bits")
        for first, last in zip(book._start[:-1], book._start[1:], strict=True):
            if not kraft_holds(lengths[first:last]):
                raise BadModelError("the code lengths of a table do not make a complete prefix code")
        return book


def _layout(tables: Tables, table: int, name: str, parameter: int) -> Layout:
    return make_layout(name, parameter, int(tables.size[table]), tables.zero(table))


def _best(tables: Tables, table: int, names: tuple[str, ...]) -> Choice | None:
    """The layout of those named that costs least, of equals the first; None where the table is too large for all."""
    probabilities = tables.of(table) / TOTAL
    if tables.zero(table) is None:
        names = ("symbol",)
    choices = []
    for name, parameter in _candidates(names, len(probabilities)):
        layout = _layout(tables, table, name, parameter)
        lengths = huffman_lengths(layout.word_weights(probabilities))
        choices.append(Choice(name, parameter, layout, lengths, _expected_bits(layout, probabilities, lengths)))
    return min(choices, key=lambda choice: choice.bits, default=None)


def _candidates(names: tuple[str, ...], letters: int) -> Iterator[tuple[str, int]]:
    """Layouts that have at most MAX_WORDS words; runs in steps of a factor 2."""
    for name in names:
        if name == "symbol":
            yield name, 1
        elif name == "block":
            yield from ((name, k) for k in range(2, 13) if letters**k <= MAX_WORDS)
        else:
            yield from ((name, 1 << k) for k in range(12) if (letters - 1 << k) < MAX_WORDS)


def _expected_bits(layout: Layout, probabilities: NDArray[np.float64], lengths: NDArray[np.uint8]) -> float:
    weights = layout.word_weights(probabilities)
    return float(weights @ lengths) / float(weights @ layout.counts(np.arange(layout.words)))


def huffman_lengths(weights: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Code lengths for two words or more; small weights are lifted until MAX_LENGTH bits do."""
    from dahuffman import HuffmanCodec

    floor = float(weights.sum()) / (1 << MAX_LENGTH)
    while True:
        lifted = np.maximum(weights, floor).tolist()
        # Any word serves as "end of file": dahuffman then adds none of its own.
        table = HuffmanCodec.from_frequencies(dict(enumerate(lifted)), eof=0).get_code_table()
        lengths = [table[word][0] for word in range(len(lifted))]
        if max(lengths) <= MAX_LENGTH:
            return np.array(lengths, dtype=np.uint8)
        floor *= 1.25
