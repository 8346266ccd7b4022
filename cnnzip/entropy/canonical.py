"""Canonical prefix codes: the code lengths alone say everything.

Words are ordered by (length, word index); the first has the code 0, and each next code is the previous one
plus one, shifted left where the length grows (RFC 1951, section 3.2.2).
"""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

MAX_LENGTH = 16
"""Bits of the longest code: a decoder sees every code whole in a window of 16 bits."""


class CanonicalCode:
    """A complete prefix code over the words 0 ... W - 1."""

    def __init__(self, lengths: NDArray[np.uint8]) -> None:
        """`lengths`: (W,) code lengths of 1 to 16 bits that fulfil Kraft's equation."""
        self.lengths = lengths
        self.longest = int(lengths.max())
        self._order = np.argsort(lengths, kind="stable")
        count = np.bincount(lengths, minlength=self.longest + 1)
        self._rank = np.cumsum(count) - count  # rank of the first word of each length
        covered = count << (self.longest - np.arange(self.longest + 1))
        self._covered = covered  # windows that begin with a code of each length
        self._first = np.cumsum(covered) - covered  # the first of these windows

    @cached_property
    def codes(self) -> NDArray[np.int64]:
        """(W,) the code of each word."""
        length = self.lengths[self._order].astype(np.int64)
        within = np.arange(len(length)) - self._rank[length]
        codes = np.empty(len(length), dtype=np.int64)
        codes[self._order] = (self._first[length] >> (self.longest - length)) + within
        return codes

    @cached_property
    def window_lengths(self) -> NDArray[np.uint8]:
        """(1 << longest,) length of the code that begins a window of `longest` bits."""
        return np.repeat(np.arange(self.longest + 1, dtype=np.uint8), self._covered)

    def words(self, windows: NDArray[np.uint32], lengths: NDArray[np.uint8]) -> NDArray[np.intp]:
        """The words whose codes, of the given lengths, begin the windows."""
        within = (windows - self._first.take(lengths)) >> (self.longest - lengths.astype(np.int64))
        words: NDArray[np.intp] = self._order.take(self._rank.take(lengths) + within)
        return words


def kraft_holds(lengths: NDArray[np.uint8]) -> bool:
    """Whether lengths of 1 to 16 bits make a complete prefix code."""
    return int((1 << (MAX_LENGTH - lengths.astype(np.int64))).sum()) == 1 << MAX_LENGTH
