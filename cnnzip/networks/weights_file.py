"""Where the tensors of a safetensors file lie, without reading them.

The format: 8 bytes length of the header, little-endian; the header, JSON; the tensors.
"""

import json
import math
import os
import struct
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from cnnzip.errors import BadModelError

WEIGHTS = "weights.safetensors"

MAX_HEADER_BYTES = 1 << 20
"""50 times that of the flagship; safetensors itself would read 100 MB."""


class Span(NamedTuple):
    """A tensor in a file.

    Attributes:
        offset: in the file, in bytes.
        length: in bytes.
        dtype: as safetensors calls it, e.g. "F16".
        shape: of the tensor.
    """

    offset: int
    length: int
    dtype: str
    shape: tuple[int, ...]


_BYTES = {"F16": 2, "F32": 4}
"""Of the types that a network's weights may have."""


def header_length(start: bytes) -> int:
    """The bytes of the header in a file that begins so.

    Raises:
        ValueError: it is cut off, or claims more than any model has.
    """
    if len(start) < 8:
        raise ValueError("cut off")
    length: int = struct.unpack_from("<Q", start)[0]
    if length > MAX_HEADER_BYTES:
        raise ValueError(f"a header of {length} bytes")
    return length


class WeightsFile:
    """The file of a bundle that its graphs point into; its header is read when it is first needed, and once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def spans(self) -> dict[str, Span]:
        """Where each tensor lies, by name.

        Raises:
            BadModelError: the file cannot be read, or is no such file.
        """
        try:
            with self.path.open("rb") as file:
                header = file.read(header_length(file.read(8)))
                size = file.seek(0, os.SEEK_END)
            entries = json.loads(header).items()
            spans = {name: _span(entry, 8 + len(header)) for name, entry in entries if name != "__metadata__"}
        except OSError as error:
            raise BadModelError(f"{self.path}: cannot be read: {error.strerror}") from error
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
            raise BadModelError(f"{self.path}: damaged weights ({type(error).__name__})") from error
        for name, span in spans.items():
            unit = _BYTES.get(span.dtype)
            if span.offset + span.length > size or (unit and math.prod(span.shape) * unit != span.length):
                raise BadModelError(f"{self.path}: damaged weights ({name!r:.100} does not lie where it should)")
        return spans


def _span(entry: dict[str, Any], start: int) -> Span:
    first, last = map(int, entry["data_offsets"])
    shape = tuple(map(int, entry["shape"]))
    if not 0 <= first <= last or min(shape, default=0) < 0:
        raise ValueError
    return Span(start + first, last - first, str(entry["dtype"]), shape)
