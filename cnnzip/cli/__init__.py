"""The command line: one file a command, and what they share."""


def main() -> None:
    """The entry point of `cnnzip`."""
    from cnnzip.cli.app import run

    run()


__all__ = ["main"]
