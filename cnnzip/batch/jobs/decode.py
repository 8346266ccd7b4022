"""What `cnnzip decode` does to one file."""

from dataclasses import dataclass
from typing import ClassVar

from cnnzip import image
from cnnzip.batch.job import Outcome, Work
from cnnzip.batch.jobs.reading import CnzReader
from cnnzip.container import is_cnz


@dataclass(frozen=True)
class DecodeJob:
    """`cnnzip decode`, to a format that `image.format_of` names."""

    format: str
    suffix: str | None
    crop: image.Crop | None = None
    shrink: int = 1
    partial: bool = False
    """Of a damaged file, decode what is left."""
    runtime: str = "onnx"
    limit_pixels: int = 0
    command: ClassVar[str] = "decode"
    mark: ClassVar[str] = ""

    def pinned(self) -> "DecodeJob":
        """Itself: the files name their models."""
        return self

    def recognises(self, head: bytes, name: str) -> bool:
        """See `Job`."""
        return is_cnz(head)

    def open(self, threads: int) -> Work:
        """See `Job`."""
        reader = CnzReader(self.runtime, threads, self.limit_pixels)

        def decode(given: bytes) -> Outcome:
            picture, lost = reader.salvage(given) if self.partial else (reader.read(given, self.crop, self.shrink), [])
            data, notes = image.write(picture, self.format)
            fields = {
                "width": picture.width,
                "height": picture.height,
                "input_bytes": len(given),
                "bytes": len(data),
            }
            line = f"{picture.width}×{picture.height} {picture.mode}, {len(data):,} bytes"
            return Outcome(data, line, fields, notes, lost=tuple(lost))

        return decode

    def check(self, data: bytes) -> None:
        """See `Job`; the picture is decoded."""
        image.read(data, limit_pixels=self.limit_pixels)
