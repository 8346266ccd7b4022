"""The rANS stream against a decoder that knows the specification alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnnzip.entropy import RansCoder, Tables
from cnnzip.errors import PayloadError


class Reference:
    """docs/format.md, in plain Python."""

    def __init__(self, data):
        data += bytes(-len(data) % 4)
        self.words = [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4)]
        self.state = 0
        for _ in range(min(2, len(self.words))):
            self.state = self.state << 32 | self.words.pop()

    def take(self, below, parts):
        """Removes a letter that owns `parts` of 2**24, from `below` on."""
        self.state = (self.state >> 24) * parts + (self.state & 0xFFFFFF) - below
        if self.state < 1 << 32 and self.words:
            self.state = self.state << 32 | self.words.pop()

    def letter(self, frequencies):
        part, letter, below = self.state & 0xFFFFFF, 0, 0
        while below + 256 * frequencies[letter] <= part:
            below += 256 * frequencies[letter]
            letter += 1
        self.take(below, 256 * frequencies[letter])
        return letter

    def field(self, width):
        if width == 0:
            return 0
        parts = 1 << 24 - width
        value = (self.state & 0xFFFFFF) // parts
        self.take(value * parts, parts)
        return value

    def read(self, tables, indices):
        symbols = [0] * len(indices)
        escaped = []
        for table in range(len(tables)):
            for i in (i for i, index in enumerate(indices) if index == table):
                letter = self.letter(tables.of(table).tolist())
                symbols[i] = int(tables.low[table]) + letter
                if letter == tables.size[table] - 1:
                    escaped.append((i, table))
        widths = [self.field(5) for _ in escaped]
        for (i, table), width in zip(escaped, widths, strict=True):
            n = (1 << width) + self.field(width) - 1
            low, end = int(tables.low[table]), int(tables.low[table] + tables.size[table] - 1)
            symbols[i] = low - (n + 1) // 2 if n % 2 else end + n // 2
        return symbols


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_reference_decoder_reads_the_streams(tables, data):
    indices = np.array(data.draw(st.lists(st.integers(0, 8), max_size=60)), np.uint8)
    symbol = st.one_of(st.integers(-3, 3), st.integers(-120, 120), st.integers(-1048575, 1048575))
    symbols = np.array(data.draw(st.lists(symbol, min_size=len(indices), max_size=len(indices))), np.int32)
    reference = Reference(RansCoder(tables).encode([(symbols, indices)]))
    assert reference.read(tables, indices.tolist()) == symbols.tolist()
    assert (reference.state, reference.words) == (1 << 24, [])


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=400), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_constriction_divides_2_to_the_24_exactly_as_specified(weights, seed):
    tables = Tables.from_weights([(0, np.array(weights, float))])
    bounds = 256 * np.cumsum(tables.frequencies)[:-1].astype(np.int64)
    inside = np.random.default_rng(seed).integers(0, 1 << 24, 50)
    for part in np.concatenate([bounds[:40] - 1, bounds[:40], inside]).tolist():
        # A first word of `part` in the low 24 bits makes the first letter the one that owns this part.
        data = part.to_bytes(3, "little") + b"\0" + b"\1"
        expected = int(np.searchsorted(bounds, part, side="right"))
        assert RansCoder(tables).decoder(data).letters(0, 1).tolist() == [expected]


HALVES = Tables.from_weights([(0, np.array([2.0, 1.0, 1.0]))])


@pytest.mark.parametrize(
    ("symbols", "data"),
    [
        ([], "00000001"),
        ([0], "00000002"),  # 2**24 / 2**23 = 2 goes above the 24 bits of the part
        ([1], "00008004"),  # 2**24 / 2**22 = 4, and letter 1 begins at 2**23
        ([1, 1], "00008012"),  # 0x04800000 / 2**22 = 18
    ],
)
def test_exact_bytes(symbols, data):
    indices = np.zeros(len(symbols), np.uint8)
    assert RansCoder(HALVES).encode([(np.array(symbols, np.int32), indices)]).hex() == data


def test_data_that_ends_with_zero_is_rejected():
    with pytest.raises(PayloadError, match="cannot end with a zero byte"):
        RansCoder(HALVES).decoder(b"\1\0")


def test_data_left_over_is_rejected():
    decoder = RansCoder(HALVES).decoder(b"\1\2\3\4\5")
    decoder.read(np.zeros(1, np.uint8))
    with pytest.raises(PayloadError, match="does not end where its symbols do"):
        decoder.finish()


def test_size_is_within_a_fifth_of_a_percent_of_the_ideal(tables):
    from cnnzip.entropy import ideal_bits

    rng = np.random.default_rng(7)
    letters = rng.choice(tables.size[3], 100_000, p=tables.of(3) / 65536)
    symbols = (letters + tables.low[3]).astype(np.int32)
    indices = np.full(len(symbols), 3, np.uint8)
    size = len(RansCoder(tables).encode([(symbols, indices)]))
    assert 8 * size < 1.002 * ideal_bits(tables, symbols, indices)
