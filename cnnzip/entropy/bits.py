"""Fields of bits ↔ bytes, most significant bit first, without padding between fields."""

import numpy as np
from numpy.typing import NDArray

from cnnzip.errors import PayloadError

TOO_SHORT = "the coded data ends too early"


def pack_bits(values: NDArray[np.int64], widths: NDArray[np.int64]) -> bytes:
    """Fields one after another, the last byte filled up with zeros.

    Args:
        values: (N,) unsigned fields, each below `1 << width`.
        widths: (N,) bits of each field, 0 to 32.
    """
    ends = np.cumsum(widths)
    total = int(ends[-1]) if len(ends) else 0
    starts = ends - widths
    word = starts >> 5
    aligned = values.astype(np.uint64) << (64 - (starts & 31) - widths).astype(np.uint64)
    # A field touches two words of 32 bits at most. The bits of different fields are disjoint, so that the
    # float64 sums of bincount are exact: they stay below 2**32.
    count = (total >> 5) + 2
    words = np.bincount(word, (aligned >> np.uint64(32)).astype(np.float64), count)
    words += np.bincount(word + 1, (aligned & np.uint64(0xFFFFFFFF)).astype(np.float64), count)
    return words.astype(">u4").tobytes()[: (total + 7) // 8]


class BitReader:
    """Reads bits from bytes; `position` is the number of bits read so far."""

    def __init__(self, data: bytes) -> None:
        self.size = 8 * len(data)
        self.position = 0
        # Behind the end there are zeros, so that a window or field may hang over it.
        self._bytes = np.frombuffer(data + bytes(8), dtype=np.uint8)

    @property
    def left(self) -> int:
        """Bits that are left."""
        return self.size - self.position

    def advance(self, count: int) -> None:
        """Moves on by `count` bits; PayloadError beyond the end."""
        if count > self.left:
            raise PayloadError(TOO_SHORT)
        self.position += count

    def windows(self, span: int, width: int) -> NDArray[np.uint32]:
        """(span,) the next `width` <= 16 bits as seen from each of the next `span` positions."""
        first, skip = divmod(self.position, 8)
        chunk = self._bytes[first : first + (skip + span + 7) // 8 + 2].astype(np.uint32)
        triple = chunk[:-2] << 16 | chunk[1:-1] << 8 | chunk[2:]
        rows = triple[:, None] >> np.arange(24 - width, 16 - width, -1, dtype=np.uint32)
        rows &= (1 << width) - 1
        return rows.astype(np.uint32, copy=False).ravel()[skip : skip + span]

    def fields(self, widths: NDArray[np.int64]) -> NDArray[np.int64]:
        """(N,) the next fields of `widths` <= 32 bits each; PayloadError beyond the end."""
        ends = np.cumsum(widths)
        starts = self.position + ends - widths
        self.advance(int(ends[-1]))
        values = np.zeros(len(widths), dtype=np.uint64)
        for offset in range(5):
            values = values << np.uint64(8) | self._bytes[(starts >> 3) + offset]
        values >>= (40 - (starts & 7) - widths).astype(np.uint64)
        return values.astype(np.int64) & ((1 << widths) - 1)

    def finish(self) -> None:
        """PayloadError unless only the zeros that fill the last byte are left."""
        if self.left >= 8:
            raise PayloadError(f"{self.left // 8} bytes of coded data are left over")
        if self.left and self._bytes[self.position >> 3] & ((1 << self.left) - 1):
            raise PayloadError("the padding behind the coded data is not zero")
