"""`cnnzip bench`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import typer

from cnnzip.cli.files import shown
from cnnzip.errors import BenchError, FileError, UsageError

RESULTS, CSV, REPORT = "results.json", "results.csv", "report.html"
OUTPUTS = {"codecs": Path("report"), "denoise": Path("report-denoise")}
"""By task; the results of both cannot lie in one folder."""
FOREIGN = {
    "codecs": ("sigma", "denoisers"),
    "denoise": ("codecs", "commands", "qualities", "metrics", "baseline", "cold", "compare", "tolerance"),
}
"""The options that a task does not have."""

T = TypeVar("T")


def bench(
    context: typer.Context,
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="Folder of pictures.")] = None,
    task: Annotated[
        Literal["codecs", "denoise"],
        typer.Option(help="codecs: sizes and quality of files; denoise: known noise is added and taken away again."),
    ] = "codecs",
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="DIR", help="Where results, plots and report go; report or report-denoise."
        ),
    ] = None,
    codecs: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Measure only these; by default all, but of cnnzip the default model alone."),
    ] = None,
    commands: Annotated[
        list[str] | None,
        typer.Option(
            "--codec",
            metavar="NAME=ENC ;; DEC",
            help="Two commands as a codec, with {in} and {out}, and {q} in the first; repeatable.",
        ),
    ] = None,
    qualities: Annotated[
        list[str] | None,
        typer.Option(metavar="[CODEC=]Q,Q", help="The sweep of all codecs, or of one; repeatable."),
    ] = None,
    metrics: Annotated[
        str | None, typer.Option(metavar="A,B", help="psnr_rgb, psnr_y, ssim, ms_ssim, ssimulacra2; by default all.")
    ] = None,
    sigma: Annotated[
        str, typer.Option(metavar="S,S", help="denoise: strengths of the noise, 0–255; 0 leaves pictures clean.")
    ] = "15,25,50",
    denoisers: Annotated[
        str | None, typer.Option(metavar="A,B", help="denoise: measure only these; by default all but bm3d.")
    ] = None,
    baseline: Annotated[str, typer.Option(metavar="CODEC", help="What the others are compared with.")] = "jpeg",
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the first N pictures.")] = None,
    jobs: Annotated[
        int, typer.Option(min=1, max=256, metavar="N", help="Processes; with more than one, codecs get a thread each.")
    ] = 1,
    cold: Annotated[bool, typer.Option("--cold/--no-cold", help="Time whole processes, too.")] = True,
    report: Annotated[bool, typer.Option("--report/--no-report", help="Write report.html.")] = True,
    fresh: Annotated[bool, typer.Option("--fresh", help="Measure all anew, whatever the output folder holds.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The summary as JSON on standard output.")] = False,
    compare: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="A.json B.json", help="Compare two results; exit code 1 where a codec got worse."),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(metavar="PERCENT", help="With --compare: BD-rate by which a codec may get worse.")
    ] = 1.0,
) -> None:
    """Compare codecs on a folder of pictures: size, quality, time and memory. Or, with --task denoise, denoisers.

    Every picture is coded at a sweep of qualities and decoded again. A second run measures only what is missing.
    """
    _refuse_foreign(context, task)
    if (folder is None) == (compare is None):
        raise UsageError("give either a folder of pictures or --compare with two results")
    try:
        import bjontegaard  # noqa: F401
        import matplotlib  # noqa: F401
        import skimage  # noqa: F401
        import ssimulacra2  # noqa: F401
    except ImportError as error:
        raise BenchError(f"the benchmark needs more packages ({error.name}): pip install 'cnnzip[bench]'") from error
    output = output or OUTPUTS[task]
    if compare:
        from cnnzip.cli.bench_codecs import compare_results

        compare_results(*compare, tolerance, as_json)
    elif folder and task == "denoise":
        from cnnzip.cli.bench_denoise import bench_denoise, denoise_request

        wanted = denoise_request(folder, output, sigma, names(denoisers), limit, jobs, fresh)
        bench_denoise(wanted, report=report, as_json=as_json)
    elif folder:
        from cnnzip.cli.bench_codecs import bench_codecs, codecs_request

        request = codecs_request(folder, output, codecs, commands, qualities, metrics, baseline, limit, jobs, fresh)
        bench_codecs(request, cold=cold, report=report, as_json=as_json)


def _refuse_foreign(context: typer.Context, task: str) -> None:
    """Raise UsageError for an option that the task does not have."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name in FOREIGN[task] and source and source.name == "COMMANDLINE":
            raise UsageError(f"{parameter.opts[0]} does not go with --task {task}")


def names(text: str | None) -> list[str] | None:
    """The names in a list with commas."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def measured(carry_out: Callable[[Callable[[int, int], None]], T], output: Path) -> T:
    """Carry a request out with a progress bar on a terminal; its results will lie in `output`."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("measuring"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    try:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("", total=None)
            return carry_out(lambda done, total: bar.update(task, completed=done, total=total))
    except KeyboardInterrupt as error:
        path = shown(str(output / RESULTS))
        raise KeyboardInterrupt(f"interrupted; {path} is saved, and the same command goes on from there") from error


def make(folder: Path) -> None:
    """Make the folder of the outputs; raises FileError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{shown(str(folder))}: {str(error.strerror).lower()}") from error


def tell(line: str) -> None:
    """Say something that is no data."""
    print(f"cnnzip: {line}", file=sys.stderr)
