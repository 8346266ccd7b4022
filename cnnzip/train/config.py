"""What a training run is told: everything that its result depends on, beside the pictures."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class TrainConfig:
    """Settings of a run. They are written into checkpoints and into the model bundle."""

    family: str = "photo"
    options: dict[str, Any] = field(default_factory=dict)
    """Options of the family, e.g. `{"width": 64}`."""
    start: str | None = None
    """The id of the model whose weights the run starts with; None: it starts from random ones."""
    levels: int = 11
    """A codec's: qualities with gains of their own."""
    lowest_lambda: float = 0.0006
    highest_lambda: float | None = 0.6144
    """A codec's λ of the first and of the last level; None: it doubles from level to level. The loss is
    (bpp + λ·255²·MSE)/√(λ/0.01)."""
    bend: float = 0.3
    """Of the levels between; see `Lambdas`."""
    sent: bool = False
    """A codec's with a hyper-latent: it learns with the symbols that an encoder sends; see `HyperDensity`."""
    noisy: bool = False
    """A codec's: its analysis alone learns, to code noisy pictures as clean ones; see `noisy_coding`."""
    noise: str = "mixed"
    """What noisy pictures have: "gaussian", "camera" or "mixed"; see `noise.noisy_pictures`."""
    crop: int = 128
    batch: int = 16
    steps: int | None = None
    minutes: float | None = None
    rate: float = 2e-3
    warmup: int = 200
    last_rate: float = 0.02
    """The cosine ends at this fraction of `rate`."""
    optimizer: str = "soap"
    average: float = 0.999
    """Decay of the exponential moving average of the weights, a step."""
    weight_decay: float = 0.0
    """Each step shrinks the weights of the convolutions by this times the learning rate, apart from the gradient."""
    dropout: float = 0.0
    """Probability with which a branch's channel is left out of a step."""
    patience: int | None = None
    """The run ends when so many validations in a row were no better than the best; None: it never does."""
    bf16: bool = True
    seed: int = 0

    @classmethod
    def from_json(cls, settings: dict[str, Any]) -> "TrainConfig":
        """What `as_json` gave once; settings that have come since then are as they were meant until then.

        Raises:
            TypeError: there is one that no run has.
        """
        return cls(**{"highest_lambda": None, "bend": 0.0, **settings})

    def as_json(self) -> dict[str, Any]:
        """The settings as JSON values."""
        return asdict(self)
