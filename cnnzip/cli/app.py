"""The commands together, and how the program ends: exit codes 0, 1, 2 and 130, no traceback for the expected."""

import io
import json
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cnnzip import __version__
from cnnzip.errors import CnnzipError, UsageError

COMMANDS = ("encode", "decode", "denoise", "info", "verify", "explain", "models", "train", "bench")
"""In the order of --help; each is the function of that name in the module of that name."""

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


class _Commands(TyperGroup):
    """Hands an interrupt on to `run`: Typer would end without a word, also without that of the training loop."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise typer.Abort(str(error)) from error


def _version(value: bool) -> None:
    if value:
        typer.echo(f"cnnzip {__version__}")
        raise typer.Exit


def cnnzip(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """A learned image compressor: photographs to small .cnz files and back."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help(), err=True)
        raise typer.Exit(EXIT_USAGE)


def app_with(commands: Sequence[str]) -> typer.Typer:
    """The command line with some of the commands."""
    app = typer.Typer(
        name="cnnzip",
        cls=_Commands,
        # Rich doubles the time of --help; plain text is also what pipes and screen readers want.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback(invoke_without_command=True)(cnnzip)
    for name in commands:
        module = import_module(f"cnnzip.cli.{name}")
        app.command(cls=getattr(module, "COMMAND_CLASS", None))(getattr(module, name))
    return app


def run() -> None:
    """Run the command line and leave with its exit code."""
    as_json = "--json" in sys.argv
    # SIGTERM ends like Ctrl-C, through the clean-ups that leave no temporary file behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A file's name may hold what the terminal's encoding cannot say.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = _outcome(as_json)
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # the reader has left, as `head` does: no news
            _tell(as_json, "FileError", f"{error.filename or 'standard output'}: {error.strerror}")
        # What Python would still flush has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_FAILED
    sys.exit(code)


def _outcome(as_json: bool) -> int:
    """Run the command line; its exit code, after the error was told."""
    try:
        # All commands take 15 ms to load and to explain to Typer; the one that is named is enough.
        named = [name for name in sys.argv[1:2] if name in COMMANDS]
        return app_with(named or COMMANDS)(prog_name="cnnzip", standalone_mode=False) or 0
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        hint = f"; see {context.command_path} --help" if context else ""
        _tell(as_json, "UsageError", error.format_message().rstrip(".") + hint)
        return EXIT_USAGE
    except CnnzipError as error:
        _tell(as_json, type(error).__name__, str(error))
        return EXIT_USAGE if isinstance(error, UsageError) else EXIT_FAILED
    except MemoryError:  # outside of what is done to each file
        _tell(as_json, "MemoryError", "not enough memory")
        return EXIT_FAILED
    except (KeyboardInterrupt, typer.Abort) as error:
        _tell(as_json, "Interrupted", str(error) or "interrupted")
        return EXIT_INTERRUPTED


def _tell(as_json: bool, kind: str, message: str) -> None:
    if as_json:
        print(json.dumps({"status": "error", "error": kind, "message": message}), file=sys.stderr)
    else:
        print(f"cnnzip: {message}", file=sys.stderr)
