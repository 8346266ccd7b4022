"""The options of every command that works through folders, lists of files, or on several cores and machines."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, Literal

import typer


@dataclass(frozen=True)
class BatchOptions:
    """What the options say; those of `WRITERS` belong to commands that write files."""

    recursive: Annotated[bool, typer.Option("-r", "--recursive", help="Take the files in folders, and below.")] = False
    filelist: Annotated[
        str | None, typer.Option(metavar="FILE", help="Take the files named in FILE, one a line; - is standard input.")
    ] = None
    null: Annotated[bool, typer.Option("-0", "--null", help="In --filelist, a NUL ends a name, not a line.")] = False
    include: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Of the files in folders take only these; repeatable."),
    ] = None
    exclude: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Of the files and folders in folders leave these out; repeatable."),
    ] = None
    output_dir: Annotated[
        str | None, typer.Option(metavar="DIR", help="Write below DIR, as the sources lie below their folder.")
    ] = None
    skip_existing: Annotated[bool, typer.Option("--skip-existing", help="Skip files whose output exists.")] = False
    rm: Annotated[
        bool,
        typer.Option("--rm", help="Remove each source, once its output was read back, verified and is on the disk."),
    ] = False
    keep_times: Annotated[bool, typer.Option("--keep-times", help="Give outputs the times of their sources.")] = False
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be done.")] = False
    jobs: Annotated[
        int | None,
        typer.Option("-j", "--jobs", min=1, max=1024, metavar="N", help="Worker processes; by default all cores."),
    ] = None
    journal: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where what is done is noted, so that the same command goes on from there."),
    ] = None
    engine: Annotated[
        Literal["local", "dask"], typer.Option(help="Work on this machine, or on a Dask cluster (cnnzip[dask]).")
    ] = "local"
    scheduler: Annotated[
        str | None, typer.Option(metavar="URL", help="The cluster's scheduler, tcp://HOST:8786; else a local cluster.")
    ] = None
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Say a line for every file, in batches, too.")] = (
        False
    )

    @property
    def given(self) -> bool:
        """Whether any of them asks for a batch, rather than for some plain files one after the other."""
        default = BatchOptions()
        return any(
            getattr(self, field.name) != getattr(default, field.name)
            for field in fields(self)
            if field.name != "verbose"
        )


WRITERS = {"output_dir", "skip_existing", "rm", "keep_times"}


def takes_batch_options(*, writes: bool) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options above; it gets them as one `BatchOptions` in its last parameter, `batch`."""
    added = [
        inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=field.type)
        for field in fields(BatchOptions)
        if writes or field.name not in WRITERS
    ]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command)
        own = [parameter for parameter in signature.parameters.values() if parameter.name != "batch"]

        @wraps(command)
        def with_options(**values: Any) -> None:
            chosen = {parameter.name: values.pop(parameter.name) for parameter in added}
            command(**values, batch=BatchOptions(**chosen))

        # What Typer reads the options from.
        with_options.__signature__ = signature.replace(parameters=[*own, *added])  # type: ignore[attr-defined]
        with_options.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *added)}
        return with_options

    return decorate
