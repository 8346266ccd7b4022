"""Options that several commands share."""

from typing import Annotated, Literal

import typer

from cnnzip import limits

Files = Annotated[list[str], typer.Argument(metavar="FILE...", help="Files; - is standard input.")]
Output = Annotated[
    str | None,
    typer.Option("-o", "--output", metavar="FILE", help="Output of a single input; - is standard output."),
]
Force = Annotated[bool, typer.Option("-f", "--force", help="Overwrite files that exist.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON record a file on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")]
Runtime = Annotated[Literal["onnx", "torch"], typer.Option(help="What runs the networks; torch needs cnnzip[train].")]
Threads = Annotated[int, typer.Option(min=0, max=1024, metavar="N", help="Threads for the networks; 0 is all cores.")]
LimitPixels = Annotated[int, typer.Option(min=1, metavar="N", help="Refuse pictures of more pixels than this.")]
DEFAULT_LIMIT = limits.MAX_PIXELS
