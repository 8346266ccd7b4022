"""The measurements, one after the other; what an interrupted run has is not measured again."""

import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

from PIL import Image

from cnnzip.bench import cold
from cnnzip.bench.codecs.codec import Codec, Pixels
from cnnzip.bench.cold import Tool, measure_cold, run_process, turn
from cnnzip.bench.measure import measure, warm_up
from cnnzip.bench.metrics import METRICS, psnr_rgb
from cnnzip.bench.pictures import rgb
from cnnzip.bench.results import Measurement
from cnnzip.bench.speed.results import START, CropTime, Size, SpeedRun
from cnnzip.errors import BenchError

TARGET_PSNR = 34.0
"""dB on the first picture: every codec is measured at the quality that comes nearest."""

QUALITIES = range(1, 101)

RUNS, RUNS_LARGE, LARGE_MEGAPIXELS = 3, 1, 20
"""Runs of cnnzip's processes on one picture, and on a large one, from so many megapixels on."""

CROP_SIDE = 512
"""Pixels."""

Save = Callable[[], None]
Told = Callable[[str], None]


def nearest_quality(psnr_at: Callable[[int], float]) -> int:
    """The whole quality whose PSNR is nearest to the target, for a PSNR that grows with the quality."""
    low, high = QUALITIES.start, QUALITIES.stop - 1
    found: dict[int, float] = {}
    while low <= high:
        middle = (low + high) // 2
        found[middle] = psnr_at(middle)
        if found[middle] < TARGET_PSNR:
            low = middle + 1
        else:
            high = middle - 1
    return min(found, key=lambda quality: abs(found[quality] - TARGET_PSNR))


def measure_warm(run: SpeedRun, codecs: list[Codec], pictures: list[Path], save: Save, told: Told) -> None:
    """Add every codec on every picture to `run`, pixels in memory to bytes in memory and back."""
    first = rgb(pictures[0])
    running = []
    for codec in codecs:
        warm_up(codec)
        try:
            if codec.name not in run.warm_quality:
                told(f"{codec.label}: looking for its quality")
                run.warm_quality[codec.name] = nearest_quality(partial(_psnr, codec, first))
            running.append(codec)
        except BenchError as error:
            run.skipped[f"{codec.name}, warm"] = str(error)
    have = {(m.picture, m.codec) for m in run.warm}
    for path in pictures:
        pixels = rgb(path)
        # Picture by picture, so that whatever else the machine does meanwhile falls on all codecs.
        for codec in (codec for codec in running if (path.name, codec.name) not in have):
            told(f"warm: {path.name}, {codec.label}")
            try:
                run.warm.append(_measured(codec, path.name, pixels, run.warm_quality[codec.name]))
            except BenchError as error:
                run.skipped[f"{codec.name}, warm, {path.name}"] = str(error)
            save()


def _psnr(codec: Codec, picture: Pixels, quality: int) -> float:
    try:
        return psnr_rgb(picture, codec.decode(codec.encode(picture, quality)))
    except Exception as error:  # a codec may raise anything; the others are still measured
        raise BenchError(f"{type(error).__name__} at quality {quality}") from error


def _measured(codec: Codec, name: str, pixels: Pixels, quality: float) -> Measurement:
    found = measure(codec, pixels, quality, [METRICS["psnr_rgb"]])
    height, width = pixels.shape[:2]
    return Measurement(
        codec=codec.name,
        picture=name,
        quality=quality,
        bytes=found.bytes,
        width=width,
        height=height,
        encode_seconds=found.encode_seconds,
        decode_seconds=found.decode_seconds,
        metrics=found.metrics,
    )


def measure_processes(run: SpeedRun, tools: list[Tool], pictures: list[Path], save: Save, told: Told) -> None:
    """Add the installed ones among the tools to `run`, as whole processes on each picture."""
    running = []
    for tool in tools:
        try:
            running.append(_at_target(run, tool, pictures[0], told))
        except BenchError as error:
            run.skipped[f"{tool.codec}, cold"] = str(error)
    for path in pictures:
        have = {time.codec for time in run.cold if time.picture == path.name}
        if wanted := [tool for tool in running if tool.codec not in have]:
            told(f"cold: {path.name}")
            failures: list[str] = []
            run.cold += measure_cold(path, wanted, run.threads, failures.append)
            run.skipped |= {f"cold, {path.name}": "; ".join(failures)} if failures else {}
            save()


def _at_target(run: SpeedRun, tool: Tool, picture: Path, told: Told) -> Tool:
    """The tool at the quality that comes nearest to the target on `picture`; raises BenchError where it fails."""
    if missing := tool.missing():
        raise BenchError(f"{missing} is not installed")
    if tool.codec not in run.cold_quality:
        told(f"{tool.codec}, as a program: looking for its quality")
        pixels = rgb(picture)
        with tempfile.TemporaryDirectory(prefix="cnnzip-speed-") as scratch:
            folder = Path(scratch)
            Image.fromarray(pixels).save(folder / f"in{tool.source}")

            def psnr(quality: int) -> float:
                turn(replace(tool, quality=quality), folder, run.threads)
                return psnr_rgb(pixels, rgb(folder / f"y{tool.decoded}"))

            run.cold_quality[tool.codec] = nearest_quality(psnr)
    return replace(tool, quality=run.cold_quality[tool.codec])


def measure_sizes(run: SpeedRun, tool: Tool, pictures: dict[int, Path], save: Callable[[], None], told: Told) -> None:
    """Add cnnzip's own processes on one picture of each size to `run`, and a crop out of the largest.

    Args:
        run: what is added to.
        tool: cnnzip, at the quality that `measure_processes` has found.
        pictures: by megapixels, 0 for the start, in ascending order.
        save: called after each.
        told: is given a line about each.
    """
    if tool.codec not in run.cold_quality:
        return
    ours = replace(tool, quality=run.cold_quality[tool.codec])
    largest = max(pictures)
    crops = knows_crop()
    if not crops:
        run.skipped["crop"] = "cnnzip decode has no --crop"
    with tempfile.TemporaryDirectory(prefix="cnnzip-speed-") as scratch:
        folder = Path(scratch)
        for megapixels, path in pictures.items():
            name = f"{megapixels} MP" if megapixels else START
            wants_crop = megapixels == largest and crops and not run.crops
            if run.size(name) and not wants_crop:
                continue
            told(f"cnnzip alone: {name}")
            try:
                size = _size(name, ours, path, folder, run.threads)
                others = (one for one in run.sizes if one.name != name)
                run.sizes = sorted((*others, size), key=lambda one: one.megapixels)
                if wants_crop:
                    told(f"cnnzip alone: a crop out of {name}")
                    run.crops = [_crop(size, folder / f"x{ours.coded}", run.threads)]
            except BenchError as error:
                run.skipped[f"cnnzip alone, {name}"] = str(error)
            save()


def _size(name: str, ours: Tool, path: Path, folder: Path, threads: int) -> Size:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # it is one of ours
        with Image.open(path) as image:
            width, height = image.size
    runs = RUNS if width * height < 1e6 * LARGE_MEGAPIXELS else RUNS_LARGE
    turns = [turn(ours, folder, threads, path) for _ in range(runs)]
    encode, encode_peak, decode, decode_peak = (median(column) for column in zip(*turns, strict=True))
    return Size(name, width, height, encode, decode, round(encode_peak), round(decode_peak), runs)


def knows_crop() -> bool:
    """Whether `cnnzip decode` can decode a part of a picture."""
    done = subprocess.run([sys.executable, "-m", "cnnzip", "decode", "--help"], capture_output=True, text=True)
    return "--crop" in done.stdout


def _crop(size: Size, coded: Path, threads: int) -> CropTime:
    """The middle of a coded picture; raises BenchError where it cannot be decoded."""
    side = min(CROP_SIDE, size.width, size.height)
    where = f"{side}x{side}+{(size.width - side) // 2}+{(size.height - side) // 2}"
    target = str(coded.with_name("crop.png"))
    command = [sys.executable, "-m", "cnnzip", "decode", "--force", "--crop", where, "--threads", str(threads)]
    times = [run_process([*command, str(coded), "-o", target]) for _ in range(cold.RUNS)]
    seconds, peak = (median(column) for column in zip(*times, strict=True))
    return CropTime(size.name, size.width, size.height, side, seconds, round(peak), len(times))
