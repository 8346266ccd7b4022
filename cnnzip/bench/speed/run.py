"""A run from beginning to end: pictures, codecs, measurements."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cnnzip.bench.codecs.registry import choose, every
from cnnzip.bench.cold import tools
from cnnzip.bench.machine import libraries, machine
from cnnzip.bench.speed import pictures
from cnnzip.bench.speed.measure import measure_processes, measure_sizes, measure_warm
from cnnzip.bench.speed.results import KODAK, SpeedRun
from cnnzip.codec.models import DEFAULT_MODEL
from cnnzip.errors import FileError, UsageError

OTHERS = ("jpeg", "webp", "avif", "jxl")

RESULTS = "speed.json"


@dataclass(frozen=True)
class Request:
    """What the command line asks for."""

    out: Path
    data: Path
    model: str | None
    threads: int
    largest: int
    """Megapixels; what is larger is left out."""
    resume: bool


def carry_out(request: Request, told: Callable[[str], None]) -> SpeedRun:
    """Measure all that is asked for, keeping it in OUT as it goes.

    Args:
        request: what to measure.
        told: is given a line about each step.

    Raises:
        FileError, PictureError: the pictures cannot be read or made.
        UsageError: an interrupted run was another one, or there is no such model.
    """
    try:
        request.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{request.out}: {error.strerror}") from error
    told("making the pictures")
    kodak = pictures.kodak(request.data)
    made = pictures.make(request.data, request.out, request.largest)
    sets = {KODAK: kodak, **{f"{size} MP": made[size] for size in (2, 12) if size in made}}
    model = request.model or DEFAULT_MODEL
    codecs, skipped = choose(every(request.threads, []), [f"cnnzip-{model}", f"cnnzip-{model}-openvino", *OTHERS])
    run = SpeedRun(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine(),
        versions=libraries(),
        model=model,
        threads=request.threads,
        sets={name: [path.name for path in paths] for name, paths in sets.items()},
        codecs=[codec.info for codec in codecs],
        skipped=skipped,
    )
    path = request.out / RESULTS
    if request.resume:
        run = _resumed(run, path)

    def save() -> None:
        run.write(path)

    programs = [tool for tool in tools(model) if tool.codec in (run.ours, *OTHERS)]
    measure_warm(run, codecs, [path for paths in sets.values() for path in paths], save, told)
    # What the libraries still hold, gigabytes of it in ONNX Runtime, the programs could miss.
    codecs.clear()
    measure_processes(run, programs, [paths[0] for paths in sets.values()], save, told)
    measure_sizes(run, programs[0], {size: made[size][0] for size in sorted(made)}, save, told)
    save()
    return run


def _resumed(run: SpeedRun, path: Path) -> SpeedRun:
    """The run that was interrupted, with the sets of this one; `run` itself where there is none."""
    earlier = SpeedRun.earlier(path, jobs=1)
    if earlier is None:
        return run
    before, now = ((one.versions, one.model, one.threads, one.codecs) for one in (earlier, run))
    if before != now:
        raise UsageError(f"{path}: was measured with other codecs, libraries or threads; leave --resume out")
    earlier.sets, earlier.skipped = run.sets, run.skipped
    return earlier
