"""What a file holds, without its model and without decoding it; and whether all of it is sound."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from cnnzip import limits
from cnnzip.codec.contents import contents_of, decode_alpha, read_contents
from cnnzip.codec.decode import decode_values
from cnnzip.codec.header import Header
from cnnzip.codec.model import Model
from cnnzip.codec.models import model_for
from cnnzip.container import section_table, sections_at


@dataclass(frozen=True)
class Part:
    """One section: its name, where it starts, and its bytes, overhead included."""

    name: str
    offset: int
    size: int


@dataclass(frozen=True)
class Report:
    """What `cnnzip info` shows."""

    header: Header
    parts: tuple[Part, ...]
    size: int

    @property
    def bpp(self) -> float:
        """Bits a pixel, of the whole file."""
        return 8 * self.size / self.header.pixels

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        header = {
            **asdict(self.header),
            "model_id": self.header.model_id.hex(),
            "quality": self.header.quality,
        }
        del header["quality_units"]
        return {
            **header,
            "bytes": self.size,
            "bpp": self.bpp,
            "sections": [asdict(part) for part in self.parts],
        }

    def __str__(self) -> str:
        head = self.header
        kind = ("RGB" if head.channels == 3 else "gray") + ("+alpha" if head.alpha else "")
        lines = [
            f"{head.width}×{head.height} {kind}, {head.depth} bits; {self.size:,} bytes, {self.bpp:.3f} bpp",
            f"  model {head.model_name} ({head.model_id.hex()}), quality {head.quality:g}, {head.coder}",
        ]
        lines += [f"  {part.name:<13} at {part.offset:>9,}  {part.size:>11,} bytes" for part in self.parts]
        return "\n".join(lines)


def describe(data: bytes, limit_pixels: int = limits.MAX_PIXELS) -> Report:
    """What the `.cnz` file `data` holds; raises CnzError where its structure is bad."""
    table = section_table(data)
    contents = contents_of(sections_at(data, table), limit_pixels)
    parts = tuple(Part(entry.name, entry.offset, entry.size) for entry in table)
    return Report(contents.header, parts, len(data))


def verify(
    data: bytes, limit_pixels: int = limits.MAX_PIXELS, find_model: Callable[[Header], Model] = model_for
) -> str:
    """Decode everything in the file but run no network; the SHA-256 of the values.

    The digest is over the values that the prior gives, as little-endian int32 in the latent's order. It is the
    same on every machine, so it tells whether two decoders agree.

    Raises:
        CnzError: the file is bad.
        ModelError: its model is not here, or damaged.
    """
    contents = read_contents(data, limit_pixels)
    values = decode_values(contents, find_model(contents.header))
    decode_alpha(contents)
    return hashlib.sha256(values.astype("<i4", copy=False).data).hexdigest()
