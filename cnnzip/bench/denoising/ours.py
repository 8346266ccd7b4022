"""cnnzip's own denoisers, through the functions that its command line uses."""

from typing import TYPE_CHECKING

from cnnzip import __version__
from cnnzip.bench.denoising.denoiser import Denoiser
from cnnzip.bench.denoising.noise import Samples
from cnnzip.codec.model import Description
from cnnzip.networks.runtime import WEIGHTS

if TYPE_CHECKING:
    from cnnzip.denoise.model import Denoiser as Network


class Ours(Denoiser):
    """One installed denoising model, told sigma or not."""

    def __init__(self, model: str, description: Description | None, *, blind: bool, threads: int = 1) -> None:
        super().__init__(threads)
        self.model, self.description, self.blind = model, description, blind
        how = "blind" if blind else "told σ"
        self.name = f"cnnzip-{model}" if blind else f"cnnzip-{model}-sigma"
        self.label = f"cnnzip {model}, {how}"
        self.settings = f"model {model}, {how}"
        self._opened: Network | None = None

    @property
    def version(self) -> str:
        """Program and model."""
        from importlib.metadata import version

        assert self.description
        weights = self.description.files[WEIGHTS][:8]
        return f"cnnzip {__version__}, weights {weights}, onnxruntime {version('onnxruntime')}"

    @property
    def used_threads(self) -> int:
        """As many as it is given."""
        return self.threads

    def available(self) -> str | None:
        """Whether the model is installed, and for colour."""
        if self.description is None:
            return f"no usable model '{self.model}' is installed"
        return None if self.description.channels == 3 else "takes gray pictures only"

    def denoise(self, noisy: Samples, sigma: float) -> tuple[Samples, float | None]:
        """Denoise; a blind one estimates the level, which is a part of its time."""
        from cnnzip.denoise.denoise import denoise_pixels
        from cnnzip.denoise.level import estimate_level

        network = self._open()
        level = estimate_level(noisy) if self.blind else sigma
        return denoise_pixels(noisy, network, sigma=level), level if self.blind else None

    def _open(self) -> "Network":
        """The loaded model, once a process."""
        if self._opened is None:
            from cnnzip.denoise.model import open_denoiser

            self._opened = open_denoiser(self.model, threads=self.threads)
        return self._opened
