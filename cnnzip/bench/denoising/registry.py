"""Every denoiser that there is, in the order in which they are shown."""

from cnnzip.bench.denoising.classical import (
    BayesShrink,
    Bm3d,
    Gaussian,
    Median,
    Nlm,
    Noisy,
    OpenCvNlm,
    TotalVariation,
    VisuShrink,
)
from cnnzip.bench.denoising.denoiser import Denoiser
from cnnzip.bench.denoising.ours import Ours
from cnnzip.codec.model import Description
from cnnzip.codec.models import installed
from cnnzip.denoise.model import DEFAULT_DENOISER
from cnnzip.errors import UsageError

NOISY = Noisy.name
"""What all others are compared with: it is always measured."""


def every(threads: int) -> list[Denoiser]:
    """All denoisers, whether or not they are available: those of cnnzip first.

    Args:
        threads: that each may use.
    """
    classical = (Gaussian, Median, BayesShrink, VisuShrink, TotalVariation, Nlm, OpenCvNlm, Bm3d)
    return [*_ours(threads), Noisy(threads), *(kind(threads) for kind in classical)]


def _ours(threads: int) -> list[Denoiser]:
    """Every installed denoising model blind and told sigma, the default one first."""
    found: dict[str, Description | None] = {DEFAULT_DENOISER: None}
    for folder, description in installed():
        # Of two with the same name, the first is the one that denoise takes.
        if isinstance(description, Description) and not description.codes and not found.get(folder.name):
            found[folder.name] = description
    return [Ours(name, found[name], blind=blind, threads=threads) for name in found for blind in (True, False)]


def choose(denoisers: list[Denoiser], names: list[str] | None) -> tuple[list[Denoiser], dict[str, str]]:
    """Those to measure, the noisy input always among them, and those that cannot be, with the reason.

    Args:
        denoisers: as `every` gives them.
        names: what `--denoisers` says; None chooses those that are measured by default.

    Raises:
        UsageError: there is no denoiser of that name.
    """
    known = {denoiser.name: denoiser for denoiser in denoisers}
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise UsageError(f"no denoiser is called '{unknown[0]}'; there are {', '.join(known)}")
    wanted = {NOISY, *names} if names else {denoiser.name for denoiser in denoisers if denoiser.by_default}
    chosen = [denoiser for denoiser in denoisers if denoiser.name in wanted]
    skipped = {denoiser.name: reason for denoiser in chosen if (reason := denoiser.available())}
    return [denoiser for denoiser in chosen if denoiser.name not in skipped], skipped
