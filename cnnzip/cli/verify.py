"""`cnnzip verify`."""

from cnnzip.cli import options
from cnnzip.cli.files import Teller, each, read_input, shown


def verify(
    files: options.Files,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
    limit_pixels: options.LimitPixels = options.DEFAULT_LIMIT,
) -> None:
    """Check that .cnz files are sound.

    Verifies every checksum, and decodes everything but the pixels.
    """
    from cnnzip.codec.inspect import verify as verify_data

    teller = Teller(as_json=as_json, quiet=quiet)

    def one(source: str) -> None:
        digest = verify_data(read_input(source), limit_pixels)
        teller.done(f"{shown(source)}: ok", {"input": source, "symbols_sha256": digest})

    each(files, teller, one)
