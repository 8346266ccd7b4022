"""Hostile streams under hostile tables, by the coder of this name; streams.py has what the coders share."""

import random
from collections.abc import Iterable

import streams
from streams import EXPECTED, MAX_BYTES, MEGABYTES, SECONDS

__all__ = ["EXPECTED", "MAX_BYTES", "MEGABYTES", "SECONDS"]


def seeds() -> Iterable[bytes]:
    """See `streams.seeds`."""
    return streams.seeds("huffman")


def one(data: bytes) -> None:
    """See `streams.run`."""
    streams.run("huffman", data)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """See `streams.mutate`."""
    return streams.mutate("huffman", data, rng)
