"""Layouts: how the letters of one table are put together into the words that get a Huffman code each.

A code word has at least one bit, most symbols are near-certain zeros: one word must carry many of them.
"""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

MAX_WORDS = 4096
"""Words a table: their lengths are stored with the model, a byte each."""

NAMES = ("symbol", "block", "run")
"""Layouts by their number in a model bundle."""


class Layout(Protocol):
    """Letters ↔ words 0 ... `words` - 1, for a table of given letters and zero letter."""

    words: int

    def word_weights(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """(words,) probability of each word, given that of each letter."""
        ...

    def to_words(self, letters: NDArray[np.int32]) -> NDArray[np.int64]:
        """Words for all letters; the last word may hang over by zeros."""
        ...

    def counts(self, words: NDArray[np.intp]) -> NDArray[np.int64]:
        """How many letters each word stands for."""
        ...

    def to_letters(self, words: NDArray[np.intp]) -> NDArray[np.integer[Any]]:
        """All letters of the words."""
        ...


class Block:
    """One word for `length` letters: the number they spell in base `letters`, first letter foremost."""

    def __init__(self, letters: int, zero: int, length: int) -> None:
        self.words = letters**length
        self._letters = letters
        self._zero = zero
        self._places = letters ** np.arange(length - 1, -1, -1)

    def word_weights(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """(words,) the product of the letters' probabilities."""
        weights = probabilities
        for _ in self._places[1:]:
            weights = np.multiply.outer(weights, probabilities).ravel()
        return weights

    def to_words(self, letters: NDArray[np.int32]) -> NDArray[np.int64]:
        """Words for all letters, the last block filled up with zeros."""
        length = len(self._places)
        padded = np.full(-(-len(letters) // length) * length, self._zero, dtype=np.int64)
        padded[: len(letters)] = letters
        return padded.reshape(-1, length) @ self._places

    def counts(self, words: NDArray[np.intp]) -> NDArray[np.int64]:
        """The length of a block, for each word."""
        return np.full(len(words), len(self._places))

    def to_letters(self, words: NDArray[np.intp]) -> NDArray[np.integer[Any]]:
        """The digits of the words."""
        if len(self._places) == 1:
            return words
        return (words[:, None] // self._places % self._letters).ravel()


class Run:
    """A word for j < `longest` zeros and another letter v after them, and one word for `longest` zeros.

    The former is word `j * (letters - 1) + v`, where v skips the zero letter; the latter is the last word.
    """

    def __init__(self, letters: int, zero: int, longest: int) -> None:
        self.words = longest * (letters - 1) + 1
        self._others = letters - 1
        self._zero = zero
        self._longest = longest

    def word_weights(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """(words,) the product of the zeros' probability and that of the letter behind them."""
        # A product, not a power: its rounding is the same on every machine.
        zeros = np.cumprod(np.concatenate([[1.0], np.full(self._longest, probabilities[self._zero])]))
        others = np.delete(probabilities, self._zero)
        return np.concatenate([np.multiply.outer(zeros[:-1], others).ravel(), zeros[-1:]])

    def to_words(self, letters: NDArray[np.int32]) -> NDArray[np.int64]:
        """Words for all letters; zeros at the end may be rounded up to a longest run."""
        at = np.flatnonzero(letters != self._zero)
        value = letters[at].astype(np.int64)
        value -= value > self._zero
        full, rest = np.divmod(np.diff(at, prepend=-1) - 1, self._longest)
        tail = len(letters) - (int(at[-1]) + 1 if len(at) else 0)
        ends = np.cumsum(full + 1)
        count = (int(ends[-1]) if len(at) else 0) + -(-tail // self._longest)
        words = np.full(count, self.words - 1, dtype=np.int64)
        words[ends - 1] = rest * self._others + value
        return words

    def counts(self, words: NDArray[np.intp]) -> NDArray[np.int64]:
        """The zeros, and the letter behind them."""
        return np.minimum(words // self._others + 1, self._longest)

    def to_letters(self, words: NDArray[np.intp]) -> NDArray[np.integer[Any]]:
        """The zeros and the letters behind them, for all words."""
        ends = np.cumsum(self.counts(words))
        letters = np.full(int(ends[-1]), self._zero, dtype=np.int32)
        valued = words < self.words - 1
        value = words[valued] % self._others
        letters[ends[valued] - 1] = value + (value >= self._zero)
        return letters


def make_layout(name: str, parameter: int, letters: int, zero: int | None) -> Layout:
    """The layout of one table: a `symbol`, a `block` of k >= 2 letters, or a `run` of up to r >= 1 zeros.

    Args:
        name: one of NAMES.
        parameter: 1 for `symbol`, k or r for the others.
        letters: letters of the table.
        zero: the letter of the symbol 0; None if the table does not cover it, which leaves `symbol` alone.

    Raises:
        ValueError: the parameter does not fit, or the layout has more than MAX_WORDS words.
    """
    least = {"symbol": 1, "block": 2, "run": 1}[name]
    most = 1 if name == "symbol" else 0 if zero is None else MAX_WORDS
    if not least <= parameter <= most:
        raise ValueError(f"layout {name} does not take the parameter {parameter} here")
    # With two letters or more, a block of 13 has too many words already: the power stays small.
    words = parameter * (letters - 1) + 1 if name == "run" else letters ** min(parameter, 13)
    if words > MAX_WORDS:
        raise ValueError(f"layout {name} with the parameter {parameter} has more than {MAX_WORDS} words")
    return Run(letters, zero or 0, parameter) if name == "run" else Block(letters, zero or 0, parameter)
