"""What a coder is."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Decoder(Protocol):
    """Reads one stream, pass after pass."""

    def read(self, indices: NDArray[np.uint8]) -> NDArray[np.int32]:
        """The symbols of the next pass, one for each table index.

        Raises:
            PayloadError: the stream cannot hold these symbols.
            ValueError: an index names no table.
        """
        ...

    def finish(self) -> None:
        """PayloadError unless the stream ends here."""
        ...


class Coder(Protocol):
    """Symbols with their table indices ↔ bytes.

    The symbols come in passes, because the indices of one pass may depend on the symbols of those before.
    """

    name: str

    def encode(self, passes: Sequence[tuple[NDArray[np.int32], NDArray[np.uint8]]]) -> bytes:
        """All passes, each (symbols, table indices), as one stream.

        Raises:
            ValueError: a symbol beyond ±(2**20 - 1), an index of no table, or arrays that do not match.
        """
        ...

    def expect(self, data: bytes, symbols: int) -> None:
        """See that the data is no shorter than any stream of so many symbols.

        Raises:
            PayloadError: it is.
        """
        ...

    def decoder(self, data: bytes) -> Decoder:
        """A decoder of one stream; PayloadError if the bytes cannot begin one."""
        ...
