"""Options that several commands share."""

import re
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cnnzip import limits
from cnnzip.cli.files import STANDARD
from cnnzip.errors import OutputFormatError, UsageError

if TYPE_CHECKING:
    from cnnzip.image import Crop, Resize

Files = Annotated[list[str], typer.Argument(metavar="FILE...", help="Files; - is standard input.")]
SomeFiles = Annotated[
    list[str] | None, typer.Argument(metavar="[FILE...]", help="Files, with -r folders; - is standard input.")
]
Output = Annotated[
    str | None,
    typer.Option("-o", "--output", metavar="FILE", help="Output of a single input; - is standard output."),
]
FileFormat = Annotated[
    str | None,
    typer.Option("--format", metavar="png|jpeg|…", help="Output format; by default what the suffix says."),
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


def output_format(output: str | None, file_format: str | None) -> tuple[str, str]:
    """The format of the pictures that a command writes, and the suffix of those that -o does not name.

    Args:
        output: what -o says.
        file_format: what --format says; it counts before the suffix of `output`. Without both it is PNG.

    Raises:
        UsageError: no such format is known.
    """
    from cnnzip import image

    suffix = ".png" if file_format is None else f".{file_format.removeprefix('.').lower()}"
    named = output if output and output != STANDARD and file_format is None else f"x{suffix}"
    try:
        return image.format_of(named), suffix
    except OutputFormatError as error:
        raise UsageError(f"{error}; or say it with --format" if file_format is None else str(error)) from error


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


def parse_crop(text: str) -> "Crop":
    """What --crop says; UsageError where that is no rectangle."""
    from cnnzip.image import Crop

    try:
        return Crop.parse(text)
    except ValueError as error:
        raise UsageError(f"--crop {error}") from error


def parse_resize(text: str) -> "Resize":
    """What --resize says; UsageError where that is no size."""
    from cnnzip.image import Resize

    try:
        return Resize.parse(text)
    except ValueError as error:
        raise UsageError(f"--resize {error}") from error
