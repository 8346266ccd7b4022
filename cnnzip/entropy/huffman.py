"""The Huffman coder: one bit stream for all passes and tables, padded at its very end only."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnzip.entropy.bits import TOO_SHORT, BitReader, pack_bits
from cnnzip.entropy.canonical import MAX_LENGTH, CanonicalCode
from cnnzip.entropy.codebook import Codebook
from cnnzip.entropy.passes import WIDTH_BITS, LetterPass, read_pass
from cnnzip.errors import PayloadError

MAX_SPAN = 1 << 15
"""Bit positions looked at together: what is held for them stays in a core's cache."""

LONG, DOUBLINGS = 1 << 11, 3
"""In so long spans of bits eight words are gone through together; 2 ** DOUBLINGS * MAX_LENGTH fits into a byte."""

HERE = np.arange(MAX_SPAN + MAX_LENGTH, dtype=np.int32)


class HuffmanCoder:
    """Codes with the codebook of a model."""

    name = "huffman"

    def __init__(self, codebook: Codebook) -> None:
        self._codebook = codebook

    def encode(self, passes: Sequence[tuple[NDArray[np.int32], NDArray[np.uint8]]]) -> bytes:
        """All passes as one stream; see `Coder.encode`."""
        values = [np.zeros(0, dtype=np.int64)]
        widths = [np.zeros(0, dtype=np.int64)]
        for symbols, indices in passes:
            letters = LetterPass.of(self._codebook.tables, symbols, indices)
            for table, group in letters.groups:
                words = self._codebook.layout(table).to_words(group)
                code = self._codebook.code(table)
                values.append(code.codes[words])
                widths.append(code.lengths[words].astype(np.int64))
            values += [letters.widths, letters.values]
            widths += [np.full_like(letters.widths, WIDTH_BITS), letters.widths]
        return pack_bits(np.concatenate(values), np.concatenate(widths))

    def expect(self, data: bytes, symbols: int) -> None:
        """See `Coder.expect`."""
        if symbols * self._codebook.least_bits.min() > 8 * len(data):
            raise PayloadError(TOO_SHORT)

    def decoder(self, data: bytes) -> "HuffmanDecoder":
        """A decoder of one stream."""
        return HuffmanDecoder(self._codebook, data)


class HuffmanDecoder:
    """Reads one stream; see `Decoder`."""

    def __init__(self, codebook: Codebook, data: bytes) -> None:
        self._codebook = codebook
        self._bits = BitReader(data)

    def expect(self, counts: NDArray[np.intp]) -> None:
        """See `passes.Source`."""
        if counts @ self._codebook.least_bits > self._bits.left:
            raise PayloadError(TOO_SHORT)

    def read(self, indices: NDArray[np.uint8]) -> NDArray[np.int32]:
        """The symbols of the next pass; see `Decoder.read`."""
        return read_pass(self._codebook.tables, indices, self)

    def finish(self) -> None:
        """PayloadError unless nothing but zero padding is left."""
        self._bits.finish()

    def fields(self, widths: NDArray[np.int64]) -> NDArray[np.int64]:
        """The next raw fields; see `passes.Source`."""
        return self._bits.fields(widths)

    def letters(self, table: int, count: int) -> NDArray[np.integer[Any]]:
        """The next letters of a table; see `passes.Source`."""
        layout = self._codebook.layout(table)
        code = self._codebook.code(table)
        # How far ahead to look is a guess; a wrong one costs time only.
        guess = 1.03 * float(self._codebook.tables.entropy[table])
        ahead = 64
        pieces = []
        left = count
        while left > 0:
            span = min(int(guess * left) + ahead, MAX_SPAN, self._bits.left)
            ahead *= 2  # letters far less likely than the table says must not come a few at a time
            words, ends = _words_ahead(self._bits, code, span)
            carried = np.cumsum(layout.counts(words))
            needed = min(int(np.searchsorted(carried, left)) + 1, len(words))
            # The first piece of an empty rest has no words: the stream is too short, and this says so.
            self._bits.advance(int(ends[needed - 1]) if needed else 1)
            pieces.append(layout.to_letters(words[:needed]))
            left -= int(carried[needed - 1])
        letters = np.concatenate(pieces)
        # What hangs over must be zeros, so that every sequence of symbols has one stream only.
        if left < 0 and (letters[count:] != self._codebook.tables.zero(table)).any():
            raise PayloadError("the last code word of a table goes beyond its symbols")
        return letters[:count]


def _words_ahead(bits: BitReader, code: CanonicalCode, span: int) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """The words that begin within the next `span` bits, and how many bits on from here each ends."""
    windows = bits.windows(span, code.longest)
    # Of integers that are not the machine's own, `take` reads twice as many a second as brackets do.
    lengths = code.window_lengths.take(windows)
    begin = _starts(lengths)
    length = lengths.take(begin)
    return code.words(windows.take(begin), length), begin + length


def _starts(lengths: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Where words begin, the first at 0, if one that began at position p would have `lengths[p]` bits."""
    span = len(lengths)
    steps, hops = lengths, []
    if span >= LONG:
        # From each position to the next word, and with every doubling twice as far; behind the span nothing moves on.
        hop = HERE[: span + MAX_LENGTH].copy()
        hop[:span] += lengths
        for _ in range(DOUBLINGS):
            hops.append(hop)
            hop = hop.take(hop)
        steps = (hop - HERE[: len(hop)]).astype(np.uint8)
    # The only step that must go one after the other. Indexing bytes is the fastest look-up that plain Python has.
    ahead = steps.tobytes()
    starts: list[int] = []
    append = starts.append
    position = 0
    while position < span:
        append(position)
        position += ahead[position]
    begin = np.array(starts, dtype=np.int32)
    for hop in reversed(hops):
        begin = np.stack([begin, hop.take(begin)], axis=1).ravel()
    return begin[: int(begin.searchsorted(span))]
