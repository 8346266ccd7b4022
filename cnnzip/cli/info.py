"""`cnnzip info`."""

from typing import Annotated

import typer

from cnnzip.cli import options
from cnnzip.cli.files import Teller, each, read_input, shown


def info(
    files: options.Files,
    entropy: Annotated[
        bool,
        typer.Option(
            "--entropy",
            help="Show what each probability table costs: its entropy, the Huffman layout chosen and why, and what "
            "the others would have cost. Needs the model.",
        ),
    ] = False,
    as_json: options.Json = False,
    limit_pixels: options.LimitPixels = options.DEFAULT_LIMIT,
) -> None:
    """Show what .cnz files hold; without --entropy this needs no model and decodes nothing."""
    from cnnzip.codec.inspect import describe

    teller = Teller(as_json=as_json, quiet=False)

    def one(source: str) -> None:
        data = read_input(source)
        report = describe(data, limit_pixels)
        costs = None
        if entropy:
            from cnnzip.codec.tally import describe_entropy

            costs = describe_entropy(data, limit_pixels)
        if as_json:
            teller.done("", {"input": source, **report.as_json(), **({"entropy": costs.as_json()} if costs else {})})
        else:
            print(f"{shown(source)}: {report}" + (f"\n\n{costs}" if costs else ""))

    each(files, teller, one)
