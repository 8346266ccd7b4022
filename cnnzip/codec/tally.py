"""What every probability table costs in one file: `cnnzip info --entropy`. Needs the model, but runs no network."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnzip import limits
from cnnzip.codec.contents import read_contents
from cnnzip.codec.latent import CodedLatent
from cnnzip.codec.models import model_for
from cnnzip.entropy import Cost, TableUse, Tally, tally
from cnnzip.prior.gains import Pass
from cnnzip.prior.prior import Read

LAYOUTS = ("symbol", "block", "run")


@dataclass(frozen=True)
class EntropyReport:
    """What the tables in use cost in a file coded by `coder`, whose latent section has `latent_bytes`."""

    tally: Tally
    coder: str
    latent_bytes: int

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values; all sums hold the raw bits of the escapes."""
        whole = self.tally
        return {
            "tables": [
                {
                    "table": use.table,
                    "symbols": use.symbols,
                    "zeros": use.zeros,
                    "entropy": use.entropy,
                    "ideal_bits": use.ideal,
                    "layout": use.chosen.layout,
                    "layouts": {
                        cost.layout: {"parameter": cost.parameter, "expected": cost.expected, "bits": cost.bits}
                        for cost in (use.chosen, *use.others)
                    },
                }
                for use in whole.tables
            ],
            "symbols": whole.symbols,
            "escapes": whole.escapes,
            "escape_bits": whole.escape_bits,
            "ideal_bits": whole.ideal,
            "huffman_bits": whole.huffman,
            "alone_bits": {layout: whole.alone(layout) for layout in LAYOUTS},
            "coded_bits": 8 * self.latent_bytes,
        }

    def __str__(self) -> str:
        return "\n".join([*self._rows(), "", *self._sums()])

    def _rows(self) -> Iterator[str]:
        yield f"  {'':35} bits of this file's symbols (* as chosen)"
        yield (
            f"  {'table':>5} {'symbols':>9} {'zeros':>8} {'entropy':>9}"
            f" {'ideal':>10}"
            + "".join(f" {layout:>10} " for layout in LAYOUTS)
            + "  layout and why: expected bits a symbol"
        )
        for use in self.tally.tables:
            costs = "".join(f" {_bits_of(use, layout)}" for layout in LAYOUTS)
            # Cut, not rounded, so that only what is all zeros says 100 %.
            zeros = int(1000 * use.zeros / use.symbols) / 10
            yield (
                f"  {use.table:>5} {use.symbols:>9,} {zeros:>6.1f} % {use.entropy:>9.4f}"
                f" {use.ideal:>10,.0f}{costs}  {_why(use)}"
            )

    def _sums(self) -> Iterator[str]:
        whole = self.tally
        if whole.escapes:
            raw = f"{whole.escape_bits:,} raw bits, in every sum below"
            yield f"  {whole.escapes:,} symbols beyond their tables take {raw}"
        yield f"  {'entropy under the tables':<32} {whole.ideal:>12,.0f} bits"
        chosen = [use.chosen.layout for use in whole.tables]
        counts = ", ".join(f"{chosen.count(layout)} {layout}" for layout in LAYOUTS if layout in chosen)
        yield f"  {'Huffman, layouts as chosen':<32} {self._sum(whole.huffman)}  ({counts})"
        for layout in LAYOUTS:
            lacking = sum(use.cost(layout) is None for use in whole.tables)
            name = f"Huffman, {layout} alone"
            remark = f"  (symbol for {lacking} that cannot)" if lacking else ""
            yield f"  {name:<32} {self._sum(whole.alone(layout))}{remark}"
        coded = f"this file, {'Huffman' if self.coder == 'huffman' else 'rANS'}, whole bytes"
        yield f"  {coded:<32} {self._sum(8 * self.latent_bytes)}"

    def _sum(self, bits: int) -> str:
        return f"{bits:>12,} bits  {100 * (bits / self.tally.ideal - 1):+8.2f} %"


def _bits_of(use: TableUse, layout: str) -> str:
    cost = use.cost(layout)
    return f"{'-':>10} " if cost is None else f"{cost.bits:>10,}{'*' if cost is use.chosen else ' '}"


def _why(use: TableUse) -> str:
    """`run 64 0.0213 < block 12 0.0912 < symbol 1.0003`: the choice is the first."""
    if not use.others:
        return f"{_expected(use.chosen)}: the only one for a table without 0"
    return " < ".join(map(_expected, (use.chosen, *use.others)))


def _expected(cost: Cost) -> str:
    return f"{cost.name} {cost.expected:.4f}"


class Passes:
    """The passes of a file as they were coded, one after another, for those who decode it with `overhear`."""

    def __init__(self) -> None:
        self.heard: list[Pass] = []

    def overhear(self, read: Read) -> Read:
        """Read, and keep what was read."""

        def reading(indices: NDArray[np.uint8]) -> NDArray[np.int32]:
            symbols = read(indices)
            self.heard.append((symbols, indices))
            return symbols

        return reading


def describe_entropy(data: bytes, limit_pixels: int = limits.MAX_PIXELS) -> EntropyReport:
    """What the tables cost in the `.cnz` file `data`.

    Raises:
        CnzError: the file is bad.
        ModelError: its model is not here, or damaged.
    """
    contents = read_contents(data, limit_pixels)
    model = model_for(contents.header)
    passes = Passes()
    CodedLatent(contents, model, passes.overhear).values(threads=1)
    return EntropyReport(tally(model.codebook, passes.heard), contents.header.coder, contents.coded_bytes)
