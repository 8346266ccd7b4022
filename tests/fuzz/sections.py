"""Mutations of `.cnz` files that know the structure and repair the checksums, which stop all others."""

import random
from functools import cache
from pathlib import Path
from zlib import crc32

from cnnzip.container import MAGIC, VERSION, SectionType, write_varint

GOOD = Path(__file__).parent.parent / "golden" / "good"
SIGNATURE = MAGIC + bytes([VERSION])
TYPES = (*SectionType, 0x05, 0x80, 0x90, 0xFF)
NUMBERS = (0, 1, 2, 3, 15, 16, 17, 127, 128, 129, 255, 256, 1023, 1024, 4096, 10_000, 10_001, 65_535, 65_536, 2**35 - 1)
"""Where lengths, sides and qualities have their edges."""

Parts = list[tuple[int, bytes]]
"""Type and payload of every section before the end."""


@cache
def golden() -> dict[str, bytes]:
    """The good files by name."""
    return {path.stem: path.read_bytes() for path in sorted(GOOD.glob("*.cnz"))}


def section(kind: int, payload: bytes, length: bytes | None = None) -> bytes:
    """Type, length and payload, without the checksum; `length` is a claim in place of the true one."""
    return bytes([kind]) + (write_varint(len(payload)) if length is None else length) + payload


def join(bodies: list[bytes]) -> bytes:
    """The file with these sections, as `section` makes them, and right checksums over whatever they are."""
    covered = crc32(SIGNATURE)
    data = [SIGNATURE]
    for body in bodies:
        covered = crc32(body, covered)
        data += [body, crc32(body).to_bytes(4, "little")]
    end = section(SectionType.END, b"")
    return b"".join([*data, end, crc32(end, covered).to_bytes(4, "little")])


def build(parts: Parts) -> bytes:
    """The file with these sections in this order, be it allowed or not."""
    return join([section(*part) for part in parts])


def split(data: bytes) -> Parts:
    """The sections of a file as far as their lengths can be followed, whatever their checksums."""
    parts: Parts = []
    at = len(SIGNATURE)
    while at < len(data):
        kind, length, shift, start = data[at], 0, 0, at + 1
        while start < len(data) and shift < 35:
            length |= (data[start] & 0x7F) << shift
            shift += 7
            start += 1
            if data[start - 1] < 0x80:
                break
        if kind == SectionType.END or start + length > len(data):
            break
        parts.append((kind, data[start : start + length]))
        at = start + length + 4
    return parts


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Some changes to the sections of a file, or of a golden one where there are none to change."""
    parts = split(data) or split(rng.choice(list(golden().values())))
    bodies: dict[int, bytes] = {}
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if not parts:
            break
        here = rng.randrange(len(parts))
        kind, payload = parts[here]
        change = rng.randrange(10)
        if change == 0:
            del parts[here]
        elif change == 1:
            parts.insert(here, parts[here])
        elif change == 2:
            other = rng.randrange(len(parts))
            parts[here], parts[other] = parts[other], parts[here]
        elif change == 3:
            parts[here] = rng.choice(TYPES), payload
        elif change == 4:
            parts.insert(here, rng.choice(split(rng.choice(list(golden().values())))))
        elif change == 5:
            length = rng.choice((len(payload) - 1, len(payload) + 1, *NUMBERS))
            claim = write_varint(max(0, length))
            bodies[here] = section(kind, payload, claim if rng.random() < 0.8 else bytes([claim[0] | 0x80, 0]))
        elif kind == SectionType.HEADER and rng.random() < 0.7:
            parts[here] = kind, change_header(payload, rng)
        else:
            parts[here] = kind, change_bytes(payload, rng)
    return join([bodies.get(number, section(*part)) for number, part in enumerate(parts)])


def change_header(payload: bytes, rng: random.Random) -> bytes:
    """A header with a field changed."""
    field = rng.randrange(5)
    if len(payload) < 12 or field == 0:
        return change_bytes(payload, rng)
    head = 12 + payload[11]
    if field < 3:  # flags, coder or tiling
        at = rng.randrange(3)
        return payload[:at] + bytes([rng.randrange(14)]) + payload[at + 1 :]
    numbers = []
    at = head
    while at < len(payload):
        stop = at + 1
        while payload[stop - 1] >= 0x80 and stop < len(payload):
            stop += 1
        numbers.append(payload[at:stop])
        at = stop
    if numbers:
        numbers[rng.randrange(len(numbers))] = write_varint(
            rng.choice(NUMBERS) if rng.random() < 0.5 else rng.randrange(1, 700)
        )
    return payload[:head] + b"".join(numbers)


def change_bytes(payload: bytes, rng: random.Random) -> bytes:
    """A bit flipped, a byte set, bytes put in, cut out, cut off or repeated."""
    at = rng.randrange(len(payload) + 1)
    change = rng.randrange(6)
    if at == len(payload) or change == 0:
        return payload[:at] + rng.randbytes(rng.randrange(1, 9)) + payload[at:]
    if change == 1:
        return payload[:at] + bytes([payload[at] ^ 1 << rng.randrange(8)]) + payload[at + 1 :]
    if change == 2:
        return payload[:at] + bytes([rng.choice((0, 1, 0x7F, 0x80, 0xFF))]) + payload[at + 1 :]
    if change == 3:
        return payload[:at] + payload[at + rng.randrange(1, 9) :]
    if change == 4:
        return payload[:at]
    return payload[: at + 1] + payload[at:]
