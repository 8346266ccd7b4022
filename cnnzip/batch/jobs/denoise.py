"""What `cnnzip denoise` does to one file, and the denoiser that `cnnzip encode --denoise` shares with it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from cnnzip import image
from cnnzip.batch.job import Outcome, Work
from cnnzip.batch.jobs.reading import CnzReader
from cnnzip.container import is_cnz
from cnnzip.errors import ModelError

if TYPE_CHECKING:
    from cnnzip.denoise.model import Denoiser


def open_pinned(name: str, runtime: str, threads: int, model_id: bytes | None) -> "Denoiser":
    """The denoiser called `name`, which has to be the one of this id if one is given.

    Raises:
        ModelError: it is missing, damaged, or another than where the batch began.
    """
    from cnnzip.denoise.model import open_denoiser

    denoiser = open_denoiser(name, runtime=runtime, threads=threads)
    found = denoiser.description
    if model_id not in (None, found.id):
        raise ModelError(f"model '{found.name}' is another one on this machine: {found.id.hex()}")
    return denoiser


@dataclass(frozen=True)
class DenoiseJob:
    """`cnnzip denoise`, to a format that `image.format_of` names: see `denoise.denoise_picture`."""

    format: str
    suffix: str | None
    model: str
    sigma: float | None = None
    strength: float = 1.0
    keep_detail: bool = False
    chroma: bool = False
    preview: str | None = None
    """The format of the preview that is drawn of every picture; None for none."""
    runtime: str = "onnx"
    limit_pixels: int = 0
    denoiser_id: bytes | None = None
    command: ClassVar[str] = "denoise"
    # Denoised, it is still a photograph, and beside its source there is one of its name.
    mark: ClassVar[str] = "-denoised"

    def pinned(self) -> "DenoiseJob":
        """With the id of the model that the name stands for here."""
        return replace(self, denoiser_id=open_pinned(self.model, self.runtime, 1, None).description.id)

    def recognises(self, head: bytes, name: str) -> bool:
        """See `Job`."""
        return is_cnz(head) or image.recognises(head, name)

    def open(self, threads: int) -> Work:
        """See `Job`; raises ModelError where the model is missing or another than where the batch began."""
        from cnnzip.denoise.denoise import denoise_picture
        from cnnzip.denoise.preview import preview

        denoiser = open_pinned(self.model, self.runtime, threads, self.denoiser_id)
        reader = CnzReader(self.runtime, threads, self.limit_pixels)

        def denoise(given: bytes) -> Outcome:
            picture = reader.read(given) if is_cnz(given) else image.read(given, limit_pixels=self.limit_pixels)
            denoised, level = denoise_picture(
                picture,
                denoiser,
                sigma=self.sigma,
                strength=self.strength,
                keep_detail=self.keep_detail,
                chroma=self.chroma,
            )
            data, losses = image.write(denoised, self.format)
            fields = {
                "width": picture.width,
                "height": picture.height,
                "input_bytes": len(given),
                "bytes": len(data),
                "sigma": round(level, 3),
                "estimated": self.sigma is None,
                "model": denoiser.description.name,
            }
            line = (
                f"noise level {level:.1f} {'found' if self.sigma is None else 'given'}"
                + (", pixels unchanged" if denoised is picture else "")
                + f"; {picture.width}×{picture.height} {picture.mode}, {len(data):,} bytes"
            )
            drawn = image.write(preview(picture, denoised), self.preview)[0] if self.preview else None
            return Outcome(data, line, fields, (*picture.notes, *losses), drawn)

        return denoise

    def check(self, data: bytes) -> None:
        """See `Job`; the picture is decoded."""
        image.read(data, limit_pixels=self.limit_pixels)
