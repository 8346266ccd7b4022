"""The Huffman coder: one bit stream for all passes and tables, padded at its very end only."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnzip.entropy.bits import BitReader, pack_bits
from cnnzip.entropy.canonical import CanonicalCode
from cnnzip.entropy.codebook import Codebook
from cnnzip.entropy.passes import WIDTH_BITS, LetterPass, read_pass
from cnnzip.errors import PayloadError

MAX_SPAN = 1 << 16
"""Bit positions looked at together: bounds the memory, whatever the length of the stream."""


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

    def decoder(self, data: bytes) -> "HuffmanDecoder":
        """A decoder of one stream."""
        return HuffmanDecoder(self._codebook, data)


class HuffmanDecoder:
    """Reads one stream; see `Decoder`."""

    def __init__(self, codebook: Codebook, data: bytes) -> None:
        self._codebook = codebook
        self._bits = BitReader(data)

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
        pieces = []
        left = count
        while left > 0:
            span = min(int(guess * left) + 64, MAX_SPAN, self._bits.size - self._bits.position)
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


def _words_ahead(bits: BitReader, code: CanonicalCode, span: int) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """The words that begin within the next `span` bits, and how many bits on from here each ends."""
    windows = bits.windows(span, code.longest)
    lengths = code.window_lengths[windows]
    # The only step that must go word by word. Indexing bytes is the fastest look-up that plain Python has.
    steps = lengths.tobytes()
    starts: list[int] = []
    append = starts.append
    position = 0
    while position < span:
        append(position)
        position += steps[position]
    begin = np.array(starts, dtype=np.int64)
    length = lengths[begin]
    return code.words(windows[begin], length), begin + length
