"""Working through files: a few plain ones one after the other, all else as a batch of `cnnzip.batch`."""

import io
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cnnzip.cli.batch_options import BatchOptions
from cnnzip.cli.batch_teller import BatchTeller
from cnnzip.cli.files import STANDARD, Outputs, Teller, each, read_input, shown
from cnnzip.errors import FileError, UsageError
from cnnzip.files import read_bytes

if TYPE_CHECKING:
    from cnnzip.batch.job import Job
    from cnnzip.batch.run import Batch

PLAIN_FILES = 8
"""From so many files on it is a batch, though no option asks for one."""


def carry_out(
    job: "Job",
    files: list[str] | None,
    batch: BatchOptions,
    *,
    output: str | None = None,
    preview: str | None = None,
    force: bool = False,
    as_json: bool = False,
    quiet: bool = False,
    threads: int = 0,
    min_saving: float | None = None,
) -> None:
    """Do the job for all files; a failure is told and the rest still done, then the exit code is 1.

    Raises:
        UsageError: options that contradict one another, no files.
        CnnzipError: the whole cannot be done.
    """
    files = files or []
    if not files and batch.filelist is None:
        raise UsageError(f"Missing argument 'FILE...'; see cnnzip {job.command} --help")
    few = len(files) < PLAIN_FILES or STANDARD in (*files, output)
    if few and not batch.given and min_saving is None:
        _one_by_one(job, files, output, preview, force=force, as_json=as_json, quiet=quiet, threads=threads)
    else:
        request = _request(job, files, output, batch, force=force, threads=threads, min_saving=min_saving)
        _batch(request, BatchTeller(as_json=as_json, quiet=quiet, verbose=batch.verbose), dry_run=batch.dry_run)


def _one_by_one(
    job: "Job",
    files: list[str],
    output: str | None,
    preview: str | None,
    *,
    force: bool,
    as_json: bool,
    quiet: bool,
    threads: int,
) -> None:
    outputs = Outputs(files, output, job.suffix, force=force, mark=job.mark) if job.suffix else None
    previews = Outputs(files, preview, "", force=force) if preview is not None else None
    if outputs and preview is not None and Path(preview).resolve() == Path(outputs.of(files[0])).resolve():
        raise UsageError("--preview names the output; give it another name")
    teller = Teller(as_json=as_json, quiet=quiet, data_on_stdout=outputs is not None and outputs.use_stdout)
    work = job.open(threads)

    def one(source: str) -> None:
        target = outputs.claim(source) if outputs else None
        drawing = previews.claim(source) if previews else None
        start = time.perf_counter()
        outcome = work(read_input(source))
        if outputs is None or target is None or outcome.data is None:
            teller.done(f"{shown(source)}: {outcome.line}", {"input": source, **outcome.fields})
            return
        outputs.write(target, outcome.data)
        outcome.complain()
        if previews and drawing is not None and outcome.preview is not None:
            previews.write(drawing, outcome.preview)
        for note in outcome.notes:
            teller.note(source, note)
        spent = {"seconds": round(time.perf_counter() - start, 4), "notes": list(outcome.notes)}
        record = {"input": source, "output": target, **outcome.fields, **spent}
        teller.done(f"{shown(source)} → {shown(target, 'standard output')}: {outcome.line}", record)

    each(files, teller, one)


def _request(
    job: "Job",
    files: list[str],
    output: str | None,
    options: BatchOptions,
    *,
    force: bool,
    threads: int,
    min_saving: float | None,
) -> "Batch":
    """What the options ask for; raises UsageError."""
    from cnnzip.batch.run import Batch
    from cnnzip.batch.sources import Selection
    from cnnzip.batch.storage import is_url
    from cnnzip.batch.targets import Naming
    from cnnzip.batch.task import Treatment

    if STANDARD in (*files, output):
        raise UsageError("- as a file goes with plain files alone; a list of names comes with --filelist -")
    if "" in (*files, output, options.output_dir):
        raise UsageError("the name of a file is empty")
    if output is not None and (len(files) != 1 or options.filelist is not None or options.recursive):
        raise UsageError("-o/--output goes with a single input")
    if output is not None and options.output_dir is not None:
        raise UsageError("-o/--output and --output-dir contradict one another; give one of them")
    if options.null and options.filelist is None:
        raise UsageError("-0/--null is about --filelist, which is not given")
    if options.scheduler is not None and options.engine != "dask":
        raise UsageError("--scheduler goes with --engine dask")
    if options.skip_existing and force:
        raise UsageError("--skip-existing and --force contradict one another; give one of them")
    if options.keep_times and any(map(is_url, filter(None, (*files, output, options.output_dir)))):
        raise UsageError("--keep-times goes with files of this machine alone")
    naming = Naming(job.suffix, output, options.output_dir, job.mark) if job.suffix else None
    selection = Selection(
        tuple(files),
        options.recursive,
        tuple(options.include or ()),
        tuple(options.exclude or ()),
        leave_out=options.output_dir,
        mark=job.mark,
    )
    return Batch(
        selection,
        Treatment(job, threads, options.rm, options.keep_times, min_saving),
        naming,
        listed=() if options.filelist is None else _listed(options.filelist, null=options.null),
        listed_at=options.filelist,
        jobs=options.jobs,
        engine=options.engine,
        scheduler=options.scheduler,
        force=force,
        skip_existing=options.skip_existing,
        journal=options.journal,
    )


def _listed(name: str, *, null: bool) -> Iterable[str]:
    """The names in a list; those of standard input as they come in."""
    from cnnzip.batch.sources import names_in

    if name != STANDARD:
        return names_in(io.BytesIO(read_bytes(name)), null=null)
    if sys.stdin is None:
        raise FileError("standard input is closed")
    # Not buffered: a thread that waits inside a buffer would keep the process from ending.
    return names_in(getattr(sys.stdin.buffer, "raw", sys.stdin.buffer), null=null)


def _batch(batch: "Batch", teller: BatchTeller, *, dry_run: bool) -> None:
    from cnnzip.batch import run
    from cnnzip.batch.sources import count
    from cnnzip.batch.task import Task

    if dry_run:
        for step in run.preview(batch):
            if isinstance(step, Task):
                teller.planned(step)
            else:
                teller.tell(step)
        failed = teller.failures
    else:
        total = None if batch.listed_at is not None else lambda: count(batch.selection)
        with run.Run(batch) as under_way:
            with teller.progress(total):
                summary = under_way.carry_out(teller.tell)
            teller.close(summary)
        failed = summary.failed
    if failed:
        raise typer.Exit(1)
