"""What each table of a codebook costs on given passes, and what its other layouts would have."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cnnzip.entropy.codebook import Codebook
from cnnzip.entropy.layouts import NAMES
from cnnzip.entropy.passes import WIDTH_BITS, LetterPass


@dataclass(frozen=True)
class Cost:
    """One layout of one table.

    Attributes:
        layout: "symbol", "block" or "run".
        parameter: letters a block, or zeros of the longest run; 1 for "symbol".
        expected: bits a symbol under the table: what the codebook chooses by.
        bits: of the code words for the symbols at hand.
    """

    layout: str
    parameter: int
    expected: float
    bits: int

    @property
    def name(self) -> str:
        """`symbol`, `block 3` or `run 64`."""
        return self.layout if self.layout == "symbol" else f"{self.layout} {self.parameter}"


@dataclass(frozen=True)
class TableUse:
    """One table in use.

    Attributes:
        table: its index.
        symbols: how many are coded with it.
        zeros: how many of them are 0.
        entropy: expected bits a symbol under the table, at best.
        ideal: bits of the symbols at hand under the table.
        chosen: the layout of the codebook.
        others: those that the table could take too, each at its best, the cheapest in expectation first.
    """

    table: int
    symbols: int
    zeros: int
    entropy: float
    ideal: float
    chosen: Cost
    others: tuple[Cost, ...]

    def cost(self, layout: str) -> Cost | None:
        """What it costs in the layout of that name; None where the table cannot take it."""
        return next((cost for cost in (self.chosen, *self.others) if cost.layout == layout), None)


@dataclass(frozen=True)
class Tally:
    """Passes, table by table; `escapes` symbols lie beyond their tables and take `escape_bits` raw bits more."""

    tables: tuple[TableUse, ...]
    escapes: int
    escape_bits: int

    @property
    def symbols(self) -> int:
        """All symbols."""
        return sum(use.symbols for use in self.tables)

    @property
    def ideal(self) -> float:
        """Bits under the tables, with the raw bits of the escapes."""
        return sum(use.ideal for use in self.tables) + self.escape_bits

    @property
    def huffman(self) -> int:
        """Bits in the layouts of the codebook, with the raw bits of the escapes."""
        return sum(use.chosen.bits for use in self.tables) + self.escape_bits

    def alone(self, layout: str) -> int:
        """Bits if every table took that layout, or `symbol` if it cannot, with the raw bits of the escapes."""
        costs = (use.cost(layout) or use.cost("symbol") or use.chosen for use in self.tables)
        return sum(cost.bits for cost in costs) + self.escape_bits


def tally(codebook: Codebook, passes: Sequence[tuple[NDArray[np.int32], NDArray[np.uint8]]]) -> Tally:
    """What `HuffmanCoder` makes of the passes, and what it would have made of them in other layouts."""
    tables = codebook.tables
    groups: dict[int, list[NDArray[np.int32]]] = defaultdict(list)
    escapes, escape_bits = 0, 0
    for symbols, indices in passes:
        letters = LetterPass.of(tables, symbols, indices)
        escapes += len(letters.widths)
        escape_bits += int((letters.widths + WIDTH_BITS).sum())
        for table, group in letters.groups:
            groups[table].append(group)
    return Tally(tuple(_use(codebook, table, groups[table]) for table in sorted(groups)), escapes, escape_bits)


def _use(codebook: Codebook, table: int, groups: list[NDArray[np.int32]]) -> TableUse:
    tables = codebook.tables
    letters = np.concatenate(groups)
    zero = tables.zero(table)
    costs = [
        Cost(
            choice.name,
            choice.parameter,
            choice.bits,
            # Each pass ends its own last word.
            sum(int(choice.lengths[choice.layout.to_words(group)].sum(dtype=np.int64)) for group in groups),
        )
        for choice in codebook.choices(table)
    ]
    return TableUse(
        table=table,
        symbols=len(letters),
        zeros=0 if zero is None else int((letters == zero).sum()),
        entropy=float(tables.entropy[table]),
        ideal=float(tables.letter_bits[tables.start[table] + letters].sum()),
        chosen=costs[0],
        others=tuple(sorted(costs[1:], key=lambda cost: (cost.expected, NAMES.index(cost.layout)))),
    )
