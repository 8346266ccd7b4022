"""`cnnzip info`."""

from cnnzip.cli import options
from cnnzip.cli.files import Teller, each, read_input, shown


def info(
    files: options.Files,
    as_json: options.Json = False,
    limit_pixels: options.LimitPixels = options.DEFAULT_LIMIT,
) -> None:
    """Show what .cnz files hold; needs no model and decodes nothing."""
    from cnnzip.codec.inspect import describe

    teller = Teller(as_json=as_json, quiet=False)

    def one(source: str) -> None:
        report = describe(read_input(source), limit_pixels)
        if as_json:
            teller.done("", {"input": source, **report.as_json()})
        else:
            print(f"{shown(source)}: {report}")

    each(files, teller, one)
