"""What `cnnzip encode` does to one file."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from cnnzip import image
from cnnzip.batch.job import Outcome, Work
from cnnzip.batch.jobs.denoise import open_pinned
from cnnzip.codec.tiling import TILE_PIXELS
from cnnzip.errors import ModelError


@dataclass(frozen=True)
class EncodeJob:
    """`cnnzip encode`: see `codec.rate_control` for `goal` and `max_bytes`, `image.prepare` for the geometry."""

    goal: Any
    model: str
    max_bytes: int | None = None
    coder: str = "huffman"
    crop: image.Crop | None = None
    resize: image.Resize | None = None
    grayscale: bool = False
    strip: bool = False
    tile: int = TILE_PIXELS
    """Pixels a side of a tile, about; 0 for one piece."""
    denoise: float | str | None = None
    """The noise level to take out first, "auto" to find it; None leaves the noise."""
    runtime: str = "onnx"
    limit_pixels: int = 0
    model_id: bytes | None = None
    denoiser_id: bytes | None = None
    command: ClassVar[str] = "encode"
    suffix: ClassVar[str | None] = ".cnz"
    mark: ClassVar[str] = ""

    def pinned(self) -> "EncodeJob":
        """With the ids of the models that the names stand for here."""
        from cnnzip.codec.models import find_model

        model_id = find_model(self.model).description.id
        if self.denoise is None:
            return replace(self, model_id=model_id)
        from cnnzip.denoise.model import DEFAULT_DENOISER

        denoiser = open_pinned(DEFAULT_DENOISER, self.runtime, 1, None)
        return replace(self, model_id=model_id, denoiser_id=denoiser.description.id)

    def recognises(self, head: bytes, name: str) -> bool:
        """See `Job`."""
        return image.recognises(head, name)

    def open(self, threads: int) -> Work:
        """See `Job`; raises ModelError where the model is missing or another than where the batch began."""
        from cnnzip.codec.encode import Encoder
        from cnnzip.codec.models import find_model
        from cnnzip.codec.rate_control import encode_to

        model = find_model(self.model)
        if self.model_id not in (None, model.description.id):
            raise ModelError(f"model '{self.model}' is another one on this machine: {model.description.id.hex()}")
        runner = model.runtime(self.runtime, threads)
        runner.preload("analysis", "hyper_analysis")
        clean = None if self.denoise is None else self._cleaning(threads)
        changed = self.crop is not None or self.resize is not None

        def encode(given: bytes) -> Outcome:
            picture = image.read(given, limit_pixels=self.limit_pixels)
            sigma = None
            if clean:
                picture, sigma = clean(picture)
            if self.strip:
                picture = image.strip(picture)
            if changed or self.grayscale:
                picture = image.prepare(
                    picture,
                    crop=self.crop,
                    resize=self.resize,
                    grayscale=self.grayscale,
                    limit_pixels=self.limit_pixels,
                )
            encoder = Encoder(picture, model, runner, self.coder, tile=self.tile, threads=threads)
            encoded = encode_to(encoder, self.goal, self.max_bytes)
            data = encoded.data
            bpp = 8 * len(data) / (picture.width * picture.height)
            saving = 1 - len(data) / len(given)
            fields = {
                "width": picture.width,
                "height": picture.height,
                "input_bytes": len(given),
                "bytes": len(data),
                "bpp": round(bpp, 5),
                "saving": round(saving, 5),
                "quality": encoded.quality,
                **({"psnr": round(encoded.psnr, 4)} if encoded.psnr is not None else {}),
                **({"denoised": round(sigma, 3)} if sigma is not None else {}),
                "model": model.description.name,
                "coder": self.coder,
            }
            line = (
                f"{len(given):,} → {len(data):,} bytes, {bpp:.3f} bpp, "
                + (f"{saving:.1%} saved" if saving >= 0 else f"{-saving:.1%} larger")
                + (f", {picture.width}×{picture.height}" if changed else "")
                # Where the quality was not given, it is part of the result.
                + (f", quality {encoded.quality:g}" if encoded.units != self.goal else "")
                + (f", {encoded.psnr:.2f} dB" if encoded.psnr is not None else "")
                + (f", denoised at level {sigma:.1f}" if sigma else ", no noise found" if clean else "")
            )
            return Outcome(data, line, fields, tuple(picture.notes))

        return encode

    def _cleaning(self, threads: int) -> Callable[[image.Picture], tuple[image.Picture, float]]:
        """What takes the noise out of a picture and tells its level; loaded where it is asked for, and only there."""
        from cnnzip.denoise.denoise import denoise_picture
        from cnnzip.denoise.model import DEFAULT_DENOISER

        denoiser = open_pinned(DEFAULT_DENOISER, self.runtime, threads, self.denoiser_id)
        level = self.denoise if isinstance(self.denoise, float) else None
        return lambda picture: denoise_picture(picture, denoiser, sigma=level)

    def check(self, data: bytes) -> None:
        """See `Job`; everything is decoded but the pixels."""
        from cnnzip.codec.inspect import verify

        verify(data, self.limit_pixels)
