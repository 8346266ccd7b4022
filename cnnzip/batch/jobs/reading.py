"""What the jobs that read `.cnz` files have in common: the models that these name, loaded once for many files."""

from typing import TYPE_CHECKING

from cnnzip.image import Crop, Picture

if TYPE_CHECKING:
    from cnnzip.codec.model import Model
    from cnnzip.networks.runtime import Runtime


class CnzReader:
    """Decodes `.cnz` files.

    Args:
        runtime: what runs the networks.
        threads: for them; 0 for all cores.
        limit_pixels: of a picture.
    """

    def __init__(self, runtime: str, threads: int, limit_pixels: int) -> None:
        from cnnzip.codec.models import Models

        self._runtime = runtime
        self._threads = threads
        self._limit_pixels = limit_pixels
        self._models = Models()
        self._runtimes: dict[int, tuple[Model, Runtime]] = {}

    def read(self, data: bytes, crop: Crop | None = None, shrink: int = 1) -> Picture:
        """The picture in a file, or a part or a preview of it: see `decode_picture`; raises CnnzipError."""
        from cnnzip.codec.decode import decode_picture

        return decode_picture(
            data,
            crop=crop,
            shrink=shrink,
            limit_pixels=self._limit_pixels,
            find_model=self._models,
            open_runtime=self._runtime_of,
            threads=self._threads,
        )

    def salvage(self, data: bytes) -> tuple[Picture, list[str]]:
        """What is left of a damaged file, and what is lost: see `decode_partial`; raises CnnzipError."""
        from cnnzip.codec.partial import decode_partial

        return decode_partial(
            data,
            limit_pixels=self._limit_pixels,
            find_model=self._models,
            open_runtime=self._runtime_of,
            threads=self._threads,
        )

    def _runtime_of(self, model: "Model") -> "Runtime":
        if id(model) not in self._runtimes:
            if len(self._runtimes) == self._models.KEPT:
                self._runtimes.clear()
            self._runtimes[id(model)] = model, model.runtime(self._runtime, self._threads)
        return self._runtimes[id(model)][1]
