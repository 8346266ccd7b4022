"""What a denoiser is to the benchmark."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from cnnzip.bench.denoising.noise import Noise, Samples
from cnnzip.bench.results import CodecInfo


@dataclass(frozen=True)
class DenoiserInfo(CodecInfo):
    """A denoiser as it was measured."""

    blind: bool = False
    """Whether it is not told sigma."""
    eight_bit_only: bool = False
    """Whether it cannot take unclipped noise."""


class Denoiser(ABC):
    """Noisy samples → denoised ones. Objects are sent to other processes: what is heavy is opened when used."""

    name: str
    """As `--denoisers` takes it."""
    label: str
    settings: str = ""
    """What was chosen, for people; a change makes earlier measurements invalid."""
    blind: bool = False
    eight_bit_only: bool = False
    by_default: bool = True
    """Whether it is measured where `--denoisers` does not name it."""

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads

    @property
    @abstractmethod
    def version(self) -> str:
        """Of the libraries that do the work; only asked where the denoiser is available."""

    @property
    def used_threads(self) -> int:
        """Those that it can make use of; 0 where that is not known."""
        return 1

    def available(self) -> str | None:
        """Why it cannot be measured here; None if it can."""
        return None

    def takes(self, noise: Noise) -> bool:
        """Whether it is measured on such noise: who is told that there is none has nothing to do."""
        return (noise.sigma > 0 or self.blind) and (noise.eight_bit or not self.eight_bit_only)

    @abstractmethod
    def denoise(self, noisy: Samples, sigma: float) -> tuple[Samples, float | None]:
        """Denoise one picture. May raise anything.

        Args:
            noisy: (H, W, 3), 1 is white; samples may lie outside 0…1.
            sigma: of the noise, on the scale 0…255. Blind denoisers must not look at it.

        Returns:
            The picture, and the sigma that a blind denoiser found.
        """

    @property
    def info(self) -> DenoiserInfo:
        """What the results say of it."""
        fields = (self.name, self.label, self.version, self.settings, self.used_threads)
        return DenoiserInfo(*fields, blind=self.blind, eight_bit_only=self.eight_bit_only)
