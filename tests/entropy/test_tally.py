"""What tables cost on given symbols, table by table."""

import numpy as np
import pytest

from cnnzip.entropy import Codebook, HuffmanCoder, Tables, ideal_bits, symbol_bits, tally


@pytest.fixture(scope="module")
def passes(tables):
    """Three passes of symbols that the tables expect, escapes among them; table 5 is never used."""
    rng = np.random.default_rng(0)
    made = []
    for size in (3000, 1, 777):
        indices = rng.choice([0, 1, 2, 3, 4, 6, 8], size).astype(np.uint8)
        letters = np.array([rng.choice(len(tables.of(t)), p=tables.of(t) / 65536) for t in indices])
        symbols = (letters + tables.low[indices]).astype(np.int32)
        made.append((symbols, indices))
    made[0][0][:20] = 5000  # escapes
    return made


def test_the_sum_is_what_the_coder_writes(codebook, passes):
    whole = tally(codebook, passes)
    assert -(-whole.huffman // 8) == len(HuffmanCoder(codebook).encode(passes))
    assert whole.symbols == sum(len(symbols) for symbols, _ in passes)
    assert whole.ideal == pytest.approx(sum(ideal_bits(codebook.tables, *one) for one in passes))
    assert whole.escapes >= 20


@pytest.mark.parametrize("layout", ["symbol", "block", "run"])
def test_a_layout_alone_costs_what_its_coder_writes(tables, codebook, passes, layout):
    """Tables without 0 take `symbol` in any case; the broad one, which no block suits, is not among the symbols."""
    kept = [t for t in range(len(tables)) if t != 5]
    small = Tables.from_weights([(int(tables.low[t]), tables.of(t).astype(float)) for t in kept])
    renamed = [(symbols, np.array([kept.index(t) for t in indices], np.uint8)) for symbols, indices in passes]
    size = len(HuffmanCoder(Codebook.build(small, (layout,))).encode(renamed))
    assert -(-tally(codebook, passes).alone(layout) // 8) == size


def test_each_table_says_its_symbols_and_its_choice(tables, codebook, passes):
    whole = tally(codebook, passes)
    assert [use.table for use in whole.tables] == [0, 1, 2, 3, 4, 6, 8]
    reports = codebook.describe()
    symbols, indices = (np.concatenate(part) for part in zip(*passes, strict=True))
    for use in whole.tables:
        mine = symbols[indices == use.table]
        report = reports[use.table]
        assert (use.symbols, use.zeros) == (len(mine), int((mine == 0).sum()))
        assert (use.chosen.layout, use.chosen.parameter) == (report.layout, report.parameter)
        assert (use.chosen.expected, use.entropy) == (report.bits, report.entropy)
        assert all(use.chosen.expected <= other.expected for other in use.others)
        assert list(use.others) == sorted(use.others, key=lambda cost: cost.expected)
    without_zero = whole.tables[5]
    assert (without_zero.table, without_zero.others, without_zero.cost("run")) == (6, (), None)
    assert {cost.layout for cost in (whole.tables[0].chosen, *whole.tables[0].others)} == {"symbol", "block", "run"}


def test_a_table_too_large_for_blocks_has_none(tables, codebook):
    passes = [(np.arange(-20, 20, dtype=np.int32), np.full(40, 5, np.uint8))]
    (use,) = tally(codebook, passes).tables
    assert use.cost("block") is None
    assert use.cost("symbol") is not None
    with pytest.raises(ValueError, match="table 5 is too large for the layout block"):
        Codebook.build(tables, ("block",))


def test_no_symbols_cost_nothing(codebook):
    empty = tally(codebook, [(np.zeros(0, np.int32), np.zeros(0, np.uint8))])
    assert (empty.tables, empty.huffman, empty.ideal) == ((), 0, 0)


def test_the_bits_of_each_symbol_stand_where_it_does():
    tables = Tables.from_weights([(0, np.array([4.0, 2, 1, 1])), (0, np.array([1.0, 1]))])
    symbols = np.array([0, 0, 1, 9, 0], np.int32)
    indices = np.array([0, 1, 0, 0, 0], np.uint8)
    # 9 is six beyond the table: folded to 12, of 13 the 3 bits behind the leading one, after a field of 5.
    assert symbol_bits(tables, symbols, indices).tolist() == [1, 1, 2, 3 + 5 + 3, 1]


def test_the_bits_of_symbols_do_not_hang_on_their_order(tables, passes):
    symbols, indices = passes[0]
    order = np.random.default_rng(1).permutation(len(symbols))
    bits = symbol_bits(tables, symbols, indices)
    assert np.array_equal(symbol_bits(tables, symbols[order], indices[order]), bits[order])
    assert bits.sum() == pytest.approx(ideal_bits(tables, symbols, indices))
