"""The rANS coder: within a hair of the entropy, by `constriction`."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnzip.entropy.passes import WIDTH_BITS, LetterPass, read_pass
from cnnzip.entropy.tables import TOTAL, Tables
from cnnzip.errors import PayloadError

WORD_BYTES = 4
"""constriction's coder emits words of 32 bits; in a stream they are little-endian."""

START_BITS = 24
START = 1 << START_BITS
"""The state in which the encoder begins: one that a decoder of data cut short hardly ever ends in."""

NO_END = "the coded data does not end where its symbols do"

PIECE = 1 << 18
"""So many letters are read before it is asked whether anything is left to read."""


class RansCoder:
    """Codes with the integer frequencies of the tables themselves."""

    name = "rans"

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._models: dict[int, Any] = {}

    @cached_property
    def least_bits(self) -> NDArray[np.float64]:
        """(T,) a letter of each table takes no fewer bits.

        A letter of f parts takes a state x to f·⌊x / 2^24⌋ + (x mod 2^24) − c, where c ≤ x mod 2^24 are the parts below
        it: to at most x − k·(2^24 − f), k = ⌊x / 2^24⌋. As x + 1 ≤ (k + 1)·2^24, x + 1 shrinks by the factor
        1 − (1 − f / 2^24)·k / (k + 1) at least, and k ≥ 256 while there are words. Behind them x falls from below 2^32
        to 2^24 with k ≥ 1, where a letter may take half of that: so 8 bits count double, and START's 24 make up for it.
        """
        likeliest = np.maximum.reduceat(self._tables.frequencies, self._tables.start[:-1])
        bits: NDArray[np.float64] = -np.log2(1 - (1 - likeliest / TOTAL) * 256 / 257)
        return bits

    def expect(self, data: bytes, symbols: int) -> None:
        """See `Coder.expect`."""
        if symbols * self.least_bits.min() > 8 * len(data):
            raise PayloadError(NO_END)

    def encode(self, passes: Sequence[tuple[NDArray[np.int32], NDArray[np.uint8]]]) -> bytes:
        """All passes as one stream; see `Coder.encode`."""
        import constriction

        ans = constriction.stream.stack.AnsCoder(np.array([START], dtype=np.uint32))
        split = [LetterPass.of(self._tables, symbols, indices) for symbols, indices in passes]
        # A stack: what is written last is read first.
        for letters in reversed(split):
            widths = np.full_like(letters.widths, WIDTH_BITS)
            _push_fields(ans, letters.values, letters.widths)
            _push_fields(ans, letters.widths, widths)
            for table, group in reversed(letters.groups):
                ans.encode_reverse(group, self.model(table))
        # The words' trailing zero bytes carry nothing: the decoder puts them back.
        words: NDArray[np.uint32] = ans.get_compressed()
        return words.astype("<u4").tobytes().rstrip(b"\0")

    def decoder(self, data: bytes) -> "RansDecoder":
        """A decoder of one stream; PayloadError if its last byte is zero."""
        return RansDecoder(self._tables, self, data)

    def model(self, table: int) -> Any:
        """The model of one table, made when it is first needed."""
        import constriction

        if table not in self._models:
            # constriction gives each letter one of its 2**24 parts and divides the rest in proportion to
            # these weights. They sum to that rest, so each letter gets exactly 256 times its frequency.
            weights = 256.0 * self._tables.of(table) - 1
            self._models[table] = constriction.stream.model.Categorical(weights, perfect=False)
        return self._models[table]


class RansDecoder:
    """Reads one stream; see `Decoder`."""

    def __init__(self, tables: Tables, coder: RansCoder, data: bytes) -> None:
        import constriction

        if data.endswith(b"\0"):
            raise PayloadError("rANS data cannot end with a zero byte")
        words = np.frombuffer(data + bytes(-len(data) % WORD_BYTES), dtype="<u4").astype(np.uint32)
        self._tables = tables
        self._coder = coder
        self._ans = constriction.stream.stack.AnsCoder(words)

    def expect(self, counts: NDArray[np.intp]) -> None:
        """See `passes.Source`."""
        # constriction counts the bits below the leading one.
        if counts @ self._coder.least_bits > self._ans.num_valid_bits() + 1:
            raise PayloadError(NO_END)

    def read(self, indices: NDArray[np.uint8]) -> NDArray[np.int32]:
        """The symbols of the next pass; see `Decoder.read`."""
        return read_pass(self._tables, indices, self)

    def finish(self) -> None:
        """PayloadError unless the coder is back in the state in which the encoder began."""
        if self._ans.get_compressed().tolist() != [START]:
            raise PayloadError(NO_END)

    def fields(self, widths: NDArray[np.int64]) -> NDArray[np.int64]:
        """The next raw fields; see `passes.Source`."""
        import constriction

        values = np.zeros(len(widths), dtype=np.int64)
        wide = widths > 0
        if wide.any():
            values[wide] = self._ans.decode(constriction.stream.model.Uniform(), (1 << widths[wide]).astype(np.int32))
        return values

    def letters(self, table: int, count: int) -> NDArray[np.integer[Any]]:
        """The next letters of a table; see `passes.Source`."""
        model = self._coder.model(table)
        letters = np.empty(count, dtype=np.int32)
        for start in range(0, count, PIECE):
            # No letter raises the state, so that it cannot come back to START; constriction would go on for ever.
            if start and self._ans.num_valid_bits() < START_BITS:
                raise PayloadError(NO_END)
            piece = letters[start : start + PIECE]
            piece[:] = self._ans.decode(model, len(piece))
        return letters


def _push_fields(ans: Any, values: NDArray[np.int64], widths: NDArray[np.int64]) -> None:
    """Raw fields as symbols of uniform models; a field of no bits is no symbol."""
    import constriction

    wide = widths > 0
    if wide.any():
        ans.encode_reverse(
            values[wide].astype(np.int32), constriction.stream.model.Uniform(), (1 << widths[wide]).astype(np.int32)
        )
