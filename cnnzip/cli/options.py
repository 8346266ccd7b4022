"""Options that several commands share."""

import re
from typing import Annotated, Literal

import typer

from cnnzip import limits
from cnnzip.errors import UsageError

Files = Annotated[list[str], typer.Argument(metavar="FILE...", help="Files; - is standard input.")]
SomeFiles = Annotated[
    list[str] | None, typer.Argument(metavar="[FILE...]", help="Files, with -r folders; - is standard input.")
]
Output = Annotated[
    str | None,
    typer.Option("-o", "--output", metavar="FILE", help="Output of a single input; - is standard output."),
]
Force = Annotated[bool, typer.Option("-f", "--force", help="Overwrite files that exist.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON record a file on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Say nothing but errors.")]
Runtime = Annotated[
    Literal["onnx", "torch", "openvino"],
    typer.Option(help="What runs the networks; torch needs cnnzip[train], and openvino cnnzip[openvino]."),
]
Threads = Annotated[int, typer.Option(min=0, max=1024, metavar="N", help="Threads for the networks; 0 is all cores.")]
LimitPixels = Annotated[int, typer.Option(min=1, metavar="N", help="Refuse pictures of more pixels than this.")]
DEFAULT_LIMIT = limits.MAX_PIXELS

_SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(k|M|G)?(i?B)?", re.IGNORECASE)
_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?%?")
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3}


def parse_size(option: str, text: str) -> int:
    """`40000`, `40kB`, `1.5M` or `40KiB` in bytes: k, M and G are powers of 1000, with an i of 1024.

    Raises:
        UsageError: it is no size, or less than a byte.
    """
    match = _SIZE.fullmatch(text.strip())
    if match:
        number, prefix, unit = match.groups(default="")
        size = int(float(number) * (1024 if unit.lower() == "ib" else 1000) ** _POWERS[prefix.lower()])
        if size >= 1:
            return size
    raise UsageError(f"{option} is a size such as 40000, 40kB or 1.5MiB, not '{text}'")


def parse_percent(option: str, text: str) -> float:
    """`5%` or `5` as the fraction 0.05.

    Raises:
        UsageError: it is no percentage, or more than 100 of them.
    """
    match = _PERCENT.fullmatch(text.strip())
    if match and float(match[1]) <= 100:
        return float(match[1]) / 100
    raise UsageError(f"{option} is a percentage such as 5%, not '{text}'")
