"""What is done to one file, as a value that can be sent to another process or machine.

A job says what to do, and `open` gives the function that does it: it is called once in every worker, and what it loads
serves all files of that worker. A further command is a further class; nothing else of the room knows what a job does.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol

from cnnzip import image
from cnnzip.container.format import MAGIC
from cnnzip.errors import ModelError


@dataclass(frozen=True)
class Outcome:
    """What a job made of one file."""

    data: bytes | None
    """What is to be written; None where the job writes nothing."""
    line: str
    """For people, behind the names of the files."""
    fields: dict[str, Any] = field(default_factory=dict)
    """For the record of `--json`."""
    notes: tuple[str, ...] = ()
    """What was lost or converted."""


Work = Callable[[bytes], Outcome]
"""The bytes of a file → what becomes of it; raises CnnzipError where that is impossible."""


class Job(Protocol):
    """One command with its options. Implementations are frozen dataclasses, so that their `repr` tells them apart."""

    command: ClassVar[str]
    """What the command is called."""

    @property
    def suffix(self) -> str | None:
        """What a result beside its source is called; None where the job writes nothing."""

    def pinned(self) -> "Job":
        """The same job, with what this machine decides (such as the model behind a name) fixed for all workers."""

    def recognises(self, head: bytes, name: str) -> bool:
        """Whether a file in a folder, with these first bytes, is one for this job."""

    def open(self, threads: int) -> Work:
        """Load what the work needs; `threads` for the networks, 0 for all cores."""

    def check(self, data: bytes) -> None:
        """Raise CnnzipError unless `data`, read back from a result, is sound."""


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
    denoise: float | str | None = None
    """The noise level to take out first, "auto" to find it; None leaves the noise."""
    runtime: str = "onnx"
    limit_pixels: int = 0
    model_id: bytes | None = None
    denoiser_id: bytes | None = None
    command: ClassVar[str] = "encode"
    suffix: ClassVar[str | None] = ".cnz"

    def pinned(self) -> "EncodeJob":
        """With the ids of the models that the names stand for here."""
        from cnnzip.codec.models import find_model

        model_id = find_model(self.model).description.id
        if self.denoise is None:
            return replace(self, model_id=model_id)
        from cnnzip.denoise.model import open_denoiser

        return replace(self, model_id=model_id, denoiser_id=open_denoiser().description.id)

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
            encoded = encode_to(Encoder(picture, model, runner, self.coder), self.goal, self.max_bytes)
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
        from cnnzip.denoise.model import open_denoiser

        denoiser = open_denoiser(runtime=self.runtime, threads=threads)
        found = denoiser.description
        if self.denoiser_id not in (None, found.id):
            raise ModelError(f"model '{found.name}' is another one on this machine: {found.id.hex()}")
        level = self.denoise if isinstance(self.denoise, float) else None
        return lambda picture: denoise_picture(picture, denoiser, sigma=level)

    def check(self, data: bytes) -> None:
        """See `Job`; everything is decoded but the pixels."""
        from cnnzip.codec.inspect import verify

        verify(data, self.limit_pixels)


class _CnzJob:
    """What the jobs that take `.cnz` files have in common."""

    def recognises(self, head: bytes, name: str) -> bool:
        """See `Job`."""
        return head.startswith(MAGIC)


@dataclass(frozen=True)
class DecodeJob(_CnzJob):
    """`cnnzip decode`, to a format that `image.format_of` names."""

    format: str
    suffix: str | None
    runtime: str = "onnx"
    limit_pixels: int = 0
    command: ClassVar[str] = "decode"

    def pinned(self) -> "DecodeJob":
        """Itself: the files name their models."""
        return self

    def open(self, threads: int) -> Work:
        """See `Job`."""
        from cnnzip.codec.decode import decode_picture
        from cnnzip.codec.model import Model
        from cnnzip.codec.models import Models
        from cnnzip.networks.runtime import Runtime

        models = Models()
        runtimes: dict[int, tuple[Model, Runtime]] = {}

        def runtime_of(model: Model) -> Runtime:
            if id(model) not in runtimes:
                if len(runtimes) == Models.KEPT:
                    runtimes.clear()
                runtimes[id(model)] = model, model.runtime(self.runtime, threads)
            return runtimes[id(model)][1]

        def decode(given: bytes) -> Outcome:
            picture = decode_picture(given, limit_pixels=self.limit_pixels, find_model=models, open_runtime=runtime_of)
            data, notes = image.write(picture, self.format)
            fields = {
                "width": picture.width,
                "height": picture.height,
                "input_bytes": len(given),
                "bytes": len(data),
            }
            line = f"{picture.width}×{picture.height} {picture.mode}, {len(data):,} bytes"
            return Outcome(data, line, fields, notes)

        return decode

    def check(self, data: bytes) -> None:
        """See `Job`; the picture is decoded."""
        image.read(data, limit_pixels=self.limit_pixels)


@dataclass(frozen=True)
class VerifyJob(_CnzJob):
    """`cnnzip verify`."""

    limit_pixels: int = 0
    command: ClassVar[str] = "verify"
    suffix: ClassVar[str | None] = None

    def pinned(self) -> "VerifyJob":
        """Itself: the files name their models."""
        return self

    def open(self, threads: int) -> Work:
        """See `Job`."""
        from cnnzip.codec.inspect import verify
        from cnnzip.codec.models import Models

        models = Models()

        def check(given: bytes) -> Outcome:
            digest = verify(given, self.limit_pixels, models)
            return Outcome(None, "ok", {"symbols_sha256": digest})

        return check

    def check(self, data: bytes) -> None:
        """Nothing is written, so there is nothing to read back."""
