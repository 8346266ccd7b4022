import numpy as np
import pytest

from cnnzip.entropy import Codebook, HuffmanCoder, Tables
from cnnzip.errors import PayloadError


def one_pass(symbols, table=0):
    return np.array(symbols, np.int32), np.full(len(symbols), table, np.uint8)


def coder(weights, layouts, parameters, lengths):
    """A coder from lengths written by hand."""
    arrays = {
        "huffman.layouts": np.array(layouts, np.uint8),
        "huffman.parameters": np.array(parameters, np.int32),
        "huffman.lengths": np.array(lengths, np.uint8),
    }
    tables = Tables.from_weights([(low, np.array(weight, float)) for low, weight in weights])
    return HuffmanCoder(Codebook.from_arrays(arrays, tables))


# Table 0: -1 10, 0 0, 1 110, escape 111. Table 1: 0 0, escape 1.
SYMBOL = coder([(-1, [2, 4, 1, 1]), (0, [1, 1])], [0, 0], [1, 1], [2, 1, 3, 3, 1, 1])
# Blocks of two letters of (0, escape): 00 0, 0e 10, e0 110, ee 111.
BLOCK = coder([(0, [3, 1])], [1], [2], [1, 2, 3, 3])
# Runs up to two zeros over (0, 1, escape): 1 10, e 1110, 01 110, 0e 1111, 00 0.
RUN = coder([(0, [3, 1, 1])], [2], [2], [2, 4, 3, 4, 1])


def decode(coder, data, *counts):
    decoder = coder.decoder(bytes.fromhex(data))
    symbols = [decoder.read(np.zeros(count, np.uint8)).tolist() for count in counts]
    decoder.finish()
    return symbols


@pytest.mark.parametrize(
    ("coder", "symbols", "data"),
    [
        (SYMBOL, [], ""),
        (SYMBOL, [0], "00"),
        (SYMBOL, [0, -1, 1, 0], "58"),  # 0 10 110 0
        # The escape stands 3 above the table: n = 6, n + 1 = 111, width 2.
        (SYMBOL, [0, -1, 1, 0, 5], "59c580"),  # 0 10 110 0 111, 00010, 11
        (SYMBOL, [2], "e0"),  # 111, 00000: nothing is the first value above
        (SYMBOL, [-2], "e100"),  # 111, 00001, 0: n = 1
        # All widths come before all bits.
        (SYMBOL, [-2, 5], "fc2260"),  # 111 111, 00001 00010, 0 11
        (BLOCK, [0, 0], "00"),
        (BLOCK, [0, 0, 0], "00"),  # the second block hangs over by a zero
        (BLOCK, [0, 7], "8740"),  # 10, 00011, 101: n = 12
        (BLOCK, [1], "c0"),  # 110, 00000
        (RUN, [0, 0, 0, 1, 1, 0], "68"),  # 00 | 0 1 | 1 | 0: 0 110 10 0
        (RUN, [0, 2], "f000"),  # 1111, 00000
    ],
)
def test_exact_bytes(coder, symbols, data):
    assert coder.encode([one_pass(symbols)]).hex() == data
    assert decode(coder, data, len(symbols)) == [symbols]


def test_symbols_are_grouped_by_table_and_passes_follow_without_padding():
    first = np.array([0, 1, 0, -1], np.int32), np.array([1, 0, 1, 0], np.uint8)  # 110 10, then 0 0
    second = one_pass([1, 1])  # 110 110
    data = SYMBOL.encode([first, second])
    assert data.hex() == "d1b0"  # 1101 0001 1011 0(000)
    decoder = SYMBOL.decoder(data)
    assert decoder.read(first[1]).tolist() == [0, 1, 0, -1]
    assert decoder.read(second[1]).tolist() == [1, 1]
    decoder.finish()


@pytest.mark.parametrize(
    ("coder", "data", "counts", "message"),
    [
        (SYMBOL, "", [1], "ends too early"),
        (SYMBOL, "c0", [8], "ends too early"),  # 110 and five zeros are six symbols
        (SYMBOL, "e8", [1], "ends too early"),  # an escape of one bit that is not there
        (SYMBOL, "ffff", [1], "31 bits, more than 22"),
        (SYMBOL, "f6fffff8", [1], "beyond ±1048575"),  # 111, 22, all ones
        (SYMBOL, "0000", [2], "1 bytes of coded data are left over"),
        (SYMBOL, "00", [], "1 bytes of coded data are left over"),
        (SYMBOL, "01", [2], "padding behind the coded data is not zero"),
        (BLOCK, "80", [1], "beyond its symbols"),  # 0e for one symbol
        (RUN, "c0", [1], "beyond its symbols"),  # 01 for one symbol
    ],
)
def test_bad_streams(coder, data, counts, message):
    with pytest.raises(PayloadError, match=message):
        decode(coder, data, *counts)


def test_streams_longer_than_one_piece_and_runs_across_pieces(codebook):
    rng = np.random.default_rng(5)
    symbols = np.concatenate([rng.integers(-90, 90, 40_000), np.zeros(60_000, int), [1]]).astype(np.int32)
    indices = np.concatenate([np.full(40_000, 5), np.zeros(60_001, int)]).astype(np.uint8)
    coder = HuffmanCoder(codebook)
    decoder = coder.decoder(coder.encode([(symbols, indices)]))
    assert (decoder.read(indices) == symbols).all()
    decoder.finish()


def test_size_is_within_two_percent_of_the_ideal(tables, codebook):
    from cnnzip.entropy import ideal_bits

    rng = np.random.default_rng(6)
    indices = rng.choice(6, 60_000, p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.1]).astype(np.uint8)
    symbols = np.zeros(len(indices), np.int32)
    for table in range(6):
        at = np.flatnonzero(indices == table)
        letters = rng.choice(tables.size[table], len(at), p=tables.of(table) / 65536)
        symbols[at] = letters + tables.low[table]
    size = len(HuffmanCoder(codebook).encode([(symbols, indices)]))
    assert 8 * size < 1.02 * ideal_bits(tables, symbols, indices)
