"""The commands together, and how the program ends: exit codes 0, 1, 2 and 130, no traceback for the expected."""

import json
import os
import signal
import sys
from typing import Annotated

import typer

from cnnzip import __version__
from cnnzip.cli.decode import decode
from cnnzip.cli.encode import encode
from cnnzip.cli.info import info
from cnnzip.cli.models import models
from cnnzip.cli.train import train
from cnnzip.cli.verify import verify
from cnnzip.errors import CnnzipError, UsageError

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="cnnzip",
    no_args_is_help=True,
    # Rich's help costs 0.1 s at every --help; plain text is also what pipes and screen readers want.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
for command in (encode, decode, info, verify, models, train):
    app.command()(command)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"cnnzip {__version__}")
        raise typer.Exit


@app.callback()
def cnnzip(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """A learned image compressor: photographs to small .cnz files and back."""


def run() -> None:
    """Run the command line and leave with its exit code."""
    as_json = "--json" in sys.argv
    # SIGTERM ends like Ctrl-C, through the clean-ups that leave no temporary file behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = app(standalone_mode=False) or 0
    except typer.Exit as error:
        code = error.exit_code
    except typer.TyperException as error:
        _tell(as_json, "UsageError", error.format_message())
        code = error.exit_code
    except CnnzipError as error:
        _tell(as_json, type(error).__name__, str(error))
        code = EXIT_USAGE if isinstance(error, UsageError) else EXIT_FAILED
    except (KeyboardInterrupt, typer.Abort) as error:
        _tell(as_json, "Interrupted", str(error) or "interrupted")
        code = EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader has left, as `head` does; what Python would still flush has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_FAILED
    sys.exit(code)


def _tell(as_json: bool, kind: str, message: str) -> None:
    if as_json:
        line = json.dumps({"status": "error", "error": kind, "message": message}, ensure_ascii=False)
        print(line, file=sys.stderr)
    else:
        print(f"cnnzip: {message}", file=sys.stderr)
