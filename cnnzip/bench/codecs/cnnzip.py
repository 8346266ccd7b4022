"""cnnzip's own models, through the functions that its command line uses."""

from importlib import metadata
from typing import TYPE_CHECKING

from cnnzip import __version__
from cnnzip.bench.codecs.codec import Codec, Pixels
from cnnzip.codec.model import Description
from cnnzip.codec.models import DEFAULT_MODEL
from cnnzip.errors import BadModelError, ModelError
from cnnzip.networks.runtime import WEIGHTS, check_installed

if TYPE_CHECKING:
    from cnnzip.codec.model import Model
    from cnnzip.networks.runtime import Runtime


class Cnnzip(Codec):
    """One installed model with one of the entropy coders, and one of the runtimes."""

    qualities = (0, 10, 20, 30, 40, 50, 60, 70, 75, 80, 90, 100)

    def __init__(
        self,
        model: str,
        description: Description | BadModelError,
        coder: str = "huffman",
        runtime: str = "onnx",
        threads: int = 1,
    ) -> None:
        super().__init__(threads)
        self.model, self.description, self.coder, self.runtime = model, description, coder, runtime
        unusual = [name for name in (coder, runtime) if name not in ("huffman", "onnx")]
        self.name = "-".join(("cnnzip", model, *unusual))
        self.label = ", ".join((f"cnnzip {model}", *unusual))
        self.settings = ", ".join((f"model {model}", coder, *(name for name in unusual if name == runtime)))
        # The others are asked for by name: all of them would double the time.
        self.by_default = not unusual and model == DEFAULT_MODEL
        self._opened: tuple[Model, Runtime] | None = None

    @property
    def version(self) -> str:
        """Program and model; the weights by themselves, since a model's id leaves out those of its encoder."""
        assert isinstance(self.description, Description)
        weights = self.description.files[WEIGHTS][:8]
        runtime = {"onnx": "onnxruntime"}.get(self.runtime, self.runtime)
        model = f"model {self.description.id.hex()}, weights {weights}"
        return f"cnnzip {__version__}, {model}, {runtime} {metadata.version(runtime)}"

    def available(self) -> str | None:
        """Why the model or the runtime cannot be used."""
        if isinstance(self.description, BadModelError):
            return str(self.description)
        try:
            check_installed(self.runtime)
        except ModelError as error:
            return str(error)
        return None

    def encode(self, picture: Pixels, quality: float) -> bytes:
        """The `.cnz` file of `picture`."""
        from cnnzip.codec.encode import encode_picture
        from cnnzip.image import Picture

        model, runtime = self._open()
        return encode_picture(Picture(picture), model, runtime, quality=quality, coder=self.coder, threads=self.threads)

    def decode(self, data: bytes) -> Pixels:
        """The picture in `data`."""
        from cnnzip.codec.decode import decode_picture
        from cnnzip.image.picture import to_8_bit

        model, runtime = self._open()
        picture = decode_picture(data, find_model=lambda _: model, open_runtime=lambda _: runtime, threads=self.threads)
        return to_8_bit(picture.color)

    def _open(self) -> "tuple[Model, Runtime]":
        """The loaded model, once a process."""
        if self._opened is None:
            from cnnzip.codec.models import find_model

            model = find_model(self.model)
            self._opened = model, model.runtime(self.runtime, self.threads)
        return self._opened
