"""What noise costs in a file, and what denoising before coding saves: rate and distortion against the clean picture.

    python -m cnnzip.bench.noisy_rates FOLDER [--sigma 15,25] [--qualities 10,30,50] [--model NAME] [--analysis DIR]
        [--limit N]

White Gaussian noise, clipped to 8 bits, is added to every picture. Each is coded at a sweep of qualities as it is, and
denoised first as `encode --denoise` does it, blind and told sigma; beside them stands the clean picture. With
`--analysis` the noisy picture is also coded by the analysis of that bundle, which was trained for it ("joint"; `cnnzip
train --noise`). PSNR is against the clean picture, and points are means over the pictures.

Files of the noisy picture get no better from some quality on, because they keep the noise. So bits at equal PSNR are
told for the qualities up to there, and the mean over that range, the BD-rate, is taken with PCHIP: where a curve turns
flat, Akima's method, which the other benchmarks use, overshoots.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from bjontegaard import bd_rate
from scipy.interpolate import PchipInterpolator

from cnnzip.bench.codecs.cnnzip import Cnnzip
from cnnzip.bench.denoising.noise import Noise, Pixels, add_noise, to_pixels
from cnnzip.bench.metrics import METRICS
from cnnzip.bench.pictures import pictures, rgb
from cnnzip.bench.summary import MIN_POINTS, Point, frontier
from cnnzip.codec.decode import decode_picture
from cnnzip.codec.encode import encode_picture
from cnnzip.codec.model import Model
from cnnzip.codec.models import DEFAULT_MODEL, find_model
from cnnzip.denoise.denoise import denoise_picture
from cnnzip.denoise.model import DEFAULT_DENOISER, Denoiser, open_denoiser
from cnnzip.errors import CnnzipError, ModelError
from cnnzip.image import Picture
from cnnzip.image.picture import to_8_bit
from cnnzip.networks.runtime import Runtime

PSNR = METRICS["psnr_rgb"]
PLAIN, BLIND, TOLD, JOINT, CLEAN = ("noisy", "blind", "told sigma", "joint", "clean")
"""What is coded: the noisy picture, that denoised blind or told sigma, the noisy one by an analysis made for it, and
the clean picture."""

Curves = dict[str, list[Point]]
"""By way, in the order above: (quality, bpp, PSNR)."""


@dataclass(frozen=True)
class Coder:
    """A model that codes pictures, and what runs its networks, of which the encoder's may be another bundle's."""

    model: Model
    runtime: Runtime

    def point(self, picture: Picture, clean: Pixels, quality: float) -> tuple[float, float]:
        """Bits a pixel of `picture` in a file, and the PSNR of what is decoded against `clean`."""
        data = encode_picture(picture, self.model, self.runtime, quality=quality)
        decoded = decode_picture(data, find_model=lambda _: self.model, open_runtime=lambda _: self.runtime)
        return 8 * len(data) / (picture.width * picture.height), PSNR.measure(clean, to_8_bit(decoded.color))


def versions(
    clean: Pixels, sigma: float, coder: Coder, denoiser: Denoiser, joint: Coder | None
) -> Iterator[tuple[str, Picture, Coder]]:
    """The noisy picture in every way in which it is coded, and what codes it."""
    noisy = Picture(to_pixels(add_noise(clean, Noise(sigma, eight_bit=True))))
    yield PLAIN, noisy, coder
    yield BLIND, denoise_picture(noisy, denoiser)[0], coder
    yield TOLD, denoise_picture(noisy, denoiser, sigma=sigma)[0], coder
    if joint:
        yield JOINT, noisy, joint


def measure(
    folder: Path,
    coder: Coder,
    denoiser: Denoiser,
    sigmas: list[float],
    qualities: list[float],
    limit: int | None = None,
    joint: Coder | None = None,
) -> dict[float, Curves]:
    """The curves for each sigma; `joint` has an analysis for noisy pictures.

    Raises:
        FileError: there is no picture.
        BadModelError: a network fails.
    """
    found: dict[tuple[float, str, float], list[tuple[float, float]]] = {}
    for name, _, _ in islice(pictures(folder), limit):
        clean = rgb(folder / name)
        ideal = {quality: coder.point(Picture(clean), clean, quality) for quality in qualities}
        for sigma in sigmas:
            for way, picture, by in versions(clean, sigma, coder, denoiser, joint):
                for quality in qualities:
                    found.setdefault((sigma, way, quality), []).append(by.point(picture, clean, quality))
            for quality, point in ideal.items():
                found.setdefault((sigma, CLEAN, quality), []).append(point)
    means = {key: np.mean(points, axis=0) for key, points in found.items()}

    def curve(sigma: float, way: str) -> list[Point]:
        return [(q, float(means[sigma, way, q][0]), float(means[sigma, way, q][1])) for q in sorted(qualities)]

    ways = list(dict.fromkeys(way for _, way, _ in found))
    return {sigma: {way: curve(sigma, way) for way in ways} for sigma in sigmas}


def saved(curves: Curves, way: str, against: str = PLAIN) -> tuple[float, float, float] | None:
    """BD-rate of `way` in per cent, from which PSNR to which; None without a common range."""
    base, ours = (frontier(curves[one], PSNR.info) for one in (against, way))
    if min(len(base), len(ours)) < MIN_POINTS:
        return None
    low, high = max(base[0][2], ours[0][2]), min(base[-1][2], ours[-1][2])
    if low >= high:
        return None
    columns = [[point[i] for point in curve] for curve in (base, ours) for i in (1, 2)]
    return float(bd_rate(*columns, method="pchip", require_matching_points=False, min_overlap=0)), low, high


def rate_at(curve: list[Point], value: float) -> float | None:
    """The bits a pixel at which a curve reaches a PSNR; None where it does not."""
    points = frontier(curve, PSNR.info)
    if len(points) < 2 or not points[0][2] <= value <= points[-1][2]:
        return None
    return float(np.exp(PchipInterpolator([p[2] for p in points], np.log([p[1] for p in points]))(value)))


def report(sigma: float, curves: Curves) -> None:
    """Print the points of every curve, and the bits that the others take at the PSNR of the noisy picture's files."""
    print(f"\nσ {sigma:g}: bits a pixel, and PSNR in dB against the clean picture\n")
    print("quality" + "".join(f"{way:>20}" for way in curves))
    for points in zip(*curves.values(), strict=True):
        print(f"{points[0][0]:7g}" + "".join(f"{bpp:12.3f}{value:8.2f}" for _, bpp, value in points))
    print(f"\nσ {sigma:g}: bits a pixel at the PSNR of the noisy picture's files\n")
    others = [way for way in curves if way != PLAIN]
    print(f"{'dB':>7}{PLAIN:>10}" + "".join(f"{way:>20}" for way in others))
    for _, bpp, value in frontier(curves[PLAIN], PSNR.info):
        rates = [rate_at(curves[way], value) for way in others]
        cells = (f"{'–':>20}" if rate is None else f"{rate:11.3f}{100 * (rate / bpp - 1):+7.1f} %" for rate in rates)
        print(f"{value:7.2f}{bpp:10.3f}" + "".join(cells))
    pairs = [(way, PLAIN) for way in others]
    if JOINT in curves:
        pairs += [(JOINT, BLIND), (JOINT, TOLD)]
    for way, against in pairs:
        mean = saved(curves, way, against)
        said = f"{mean[0]:+.1f} %, {mean[1]:.2f} to {mean[2]:.2f} dB" if mean else "no range in common"
        print(f"BD-rate, {way} against {against}: {said}")


def with_analysis(model: Model, bundle: str) -> Coder:
    """`model` with the networks of another bundle, from which it differs in the encoder's alone.

    Raises:
        ModelNotFoundError, BadModelError, ModelError: it cannot be used, or is of another model.
    """
    other = find_model(bundle)
    if other.description.id != model.description.id:
        raise ModelError(f"{bundle}: is no analysis for model '{model.description.name}': their ids differ")
    return Coder(model, other.runtime())


def main() -> None:
    """Parse the command line and print the report."""
    parser = argparse.ArgumentParser(description="What noise costs, and what denoising before coding saves.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sigma", default="15,25")
    parser.add_argument("--qualities", default=",".join(f"{quality:g}" for quality in Cnnzip.qualities))
    parser.add_argument("--model", default=DEFAULT_MODEL)
    parser.add_argument("--denoiser", default=DEFAULT_DENOISER)
    parser.add_argument("--analysis", help="a bundle of the same id, made for noisy pictures")
    parser.add_argument("--limit", type=int)
    options = parser.parse_args()
    try:
        sigmas, qualities = ([float(one) for one in text.split(",")] for text in (options.sigma, options.qualities))
        model, denoiser = find_model(options.model), open_denoiser(options.denoiser)
        coder = Coder(model, model.runtime())
        joint = with_analysis(model, options.analysis) if options.analysis else None
        found = measure(options.folder, coder, denoiser, sigmas, qualities, options.limit, joint)
    except (CnnzipError, ValueError) as error:
        sys.exit(f"cnnzip.bench.noisy_rates: {error}")
    for sigma, curves in found.items():
        report(sigma, curves)


if __name__ == "__main__":
    main()
