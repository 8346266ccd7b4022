"""What a benchmark of denoisers has measured, and its JSON."""

from dataclasses import dataclass, field
from typing import ClassVar

from cnnzip.bench.denoising.denoiser import DenoiserInfo
from cnnzip.bench.denoising.noise import KINDS, Noise
from cnnzip.bench.records import Record
from cnnzip.bench.results import MetricInfo


@dataclass(frozen=True)
class Measurement:
    """One picture with noise of one strength and kind, denoised.

    `metrics` goes from the name of a metric to its value; a metric that the picture is too small for is not in it.
    A PSNR is infinite where the clean picture came back exactly.
    """

    denoiser: str
    picture: str
    """The file's name in the folder of pictures."""
    sigma: float
    """Of the noise, on the scale 0…255."""
    eight_bit: bool
    """Whether the noisy picture was clipped and rounded; see `Noise`."""
    width: int
    height: int
    seconds: float
    """Warm: samples in memory to samples in memory, median of the runs."""
    metrics: dict[str, float]
    level: float | None = None
    """The sigma that a blind denoiser found."""
    picture_sha256: str = ""
    """Of the file, in hexadecimal."""
    fingerprint: str = ""
    """Of the denoiser; see `CodecInfo.fingerprint`."""

    @property
    def noise(self) -> Noise:
        """What was added."""
        return Noise(self.sigma, self.eight_bit)

    @property
    def megapixels(self) -> float:
        """Width times height."""
        return self.width * self.height / 1e6


@dataclass(frozen=True)
class Failure:
    """Something that could not be measured. `denoiser` is empty where the picture itself could not be read."""

    denoiser: str
    picture: str
    sigma: float | None
    eight_bit: bool | None
    message: str


@dataclass
class DenoisingResults(Record):
    """All of one run. What it does not cover but earlier runs into the same folder measured is in `kept`."""

    FORMAT: ClassVar[int | str] = "denoise 1"
    LISTS: ClassVar[dict[str, type]] = {
        "denoisers": DenoiserInfo,
        "metrics": MetricInfo,
        "measurements": Measurement,
        "failures": Failure,
        "kept": Measurement,
    }

    command: str
    created: str
    """ISO 8601, UTC."""
    machine: dict[str, str]
    versions: dict[str, str]
    """Of the libraries."""
    denoisers: list[DenoiserInfo]
    metrics: list[MetricInfo]
    measurements: list[Measurement] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    """Denoisers and metrics that were not measured, and why."""
    notes: list[str] = field(default_factory=list)
    """Conversions of pictures, such as gray to RGB."""
    jobs: int = 1
    kept: list[Measurement] = field(default_factory=list)

    @property
    def pictures(self) -> list[str]:
        """The names of the pictures, in the order in which they were measured."""
        return list(dict.fromkeys(m.picture for m in self.measurements))

    @property
    def noises(self) -> list[Noise]:
        """What was added: unclipped first, each by ascending sigma."""
        found = {m.noise for m in self.measurements}
        return sorted(found, key=lambda noise: (list(KINDS).index(noise.eight_bit), noise.sigma))
