"""Inputs of the target `bundle`: which parts of a bundle are replaced, and by what; and mutations that know them.

input:  number of the model (1 byte), then parts
part:   number of its name in `NAMES` (1 byte), length (3 bytes, little-endian), content
"""

import json
import random
from typing import Any

HEADER, TENSORS = "header", "tensors"
NAMES = (
    "model.json",
    HEADER,
    TENSORS,
    "analysis.onnx",
    "synthesis.onnx",
    "preview.onnx",
    "hyper_analysis.onnx",
)

NUMBERS = (-1, 0, 1, 2, 3, 7, 16, 255, 256, 4096, 65535, 1 << 24, 1 << 31, 1 << 32, (1 << 63) - 1, 1 << 64, -(1 << 63))
WORDS = (
    "",
    "factorised",
    "hyper",
    "none",
    "F16",
    "F32",
    "I8",
    "I64",
    "BF16",
    "F8_E4M3",
    "\x1b[2J",
    "\ud800",
    "a" * 5000,
)
OPERATORS = b"Add Sub Mul Div Cast Conv Relu Shape Concat Reshape Resize Transpose MaxPool Loop If Expand Tile".split()
BYTES = (0x00, 0x01, 0x7C, 0x7F, 0x80, 0xFC, 0xFF)


def pack(model: int, parts: dict[str, bytes]) -> bytes:
    """An input."""
    packed = (bytes([NAMES.index(name)]) + len(part).to_bytes(3, "little") + part for name, part in parts.items())
    return bytes([model]) + b"".join(packed)


def unpack(data: bytes) -> tuple[int, dict[str, bytes]]:
    """The number of the model and the parts; whatever the bytes are."""
    model, at = data[0] if data else 0, 1
    parts = {}
    while at + 4 <= len(data):
        length = int.from_bytes(data[at + 1 : at + 4], "little")
        parts[NAMES[data[at] % len(NAMES)]] = data[at + 4 : at + 4 + length]
        at += 4 + length
    return model, parts


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Change one part by what it is."""
    model, parts = unpack(data)
    if not parts:
        parts[TENSORS] = b""
    name = rng.choice(list(parts))
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if name == TENSORS:
            place = rng.randbytes(3) if rng.random() < 0.7 else rng.randbytes(1) + b"\0\0"
            parts[name] = parts[name][-400:] + place + bytes([rng.choice(BYTES)])
        elif name.endswith(".onnx"):
            parts[name] = _message(parts[name], rng, depth=0)
        else:
            parts[name] = _text(parts[name], rng)
    return pack(model, parts)


def _text(data: bytes, rng: random.Random) -> bytes:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return data
    return json.dumps(_value(value, rng)).encode()


def _value(value: Any, rng: random.Random) -> Any:
    """The value with one place in it changed."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        way = rng.random()
        if way < 0.1:
            return {name: entry for name, entry in value.items() if name != key}
        if way < 0.2:
            return value | {rng.choice(list(value)): value[key]}
        return value | {key: _value(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.9:
        at = rng.randrange(len(value))
        return [*value[:at], *([_value(value[at], rng)] if rng.random() < 0.8 else []), *value[at + 1 :]]
    if isinstance(value, int) and rng.random() < 0.5:
        return value + rng.choice((-1, 1, 2, 8)) if rng.random() < 0.5 else value * rng.choice((-1, 2, 4096))
    return rng.choice((rng.choice(NUMBERS), rng.choice(WORDS), None, True, 0.5, 1e999, [], {}, [[]] * 3))


def _message(data: bytes, rng: random.Random, depth: int) -> bytes:
    """A protobuf message with one field changed, somewhere in it."""
    fields = _fields(data)
    if not fields:
        return data
    # The nodes of a graph are many, and few of its other fields would ever be changed.
    number = rng.choice(sorted({number for number, *_ in fields}))
    at = rng.choice([at for at, field in enumerate(fields) if field[0] == number])
    number, kind, value = fields[at]
    way = rng.random()
    if way < 0.05:
        del fields[at]
    elif way < 0.1:
        fields.insert(rng.randrange(len(fields) + 1), fields[at])
    elif way < 0.15:
        other = rng.randrange(len(fields))
        fields[at], fields[other] = fields[other], fields[at]
    elif way < 0.2:
        fields[at] = rng.choice((number, 5, 6, 7, 9, 15, 20, 25)), kind, value
    elif isinstance(value, int):
        changed = rng.choice(NUMBERS) if rng.random() < 0.5 else value + rng.choice((-1, 1, 2))
        fields[at] = number, kind, changed % (1 << 64)
    elif depth < 5 and _fields(value) and rng.random() < 0.95:
        fields[at] = number, kind, _message(value, rng, depth + 1)
    elif kind == 5:
        fields[at] = number, kind, rng.randbytes(4)
    else:
        names = [other for _, _, other in fields if isinstance(other, bytes)]
        fields[at] = number, kind, rng.choice((rng.choice(OPERATORS), rng.choice(names), value[:-1], value + b"1"))
    return b"".join(_field(*field) for field in fields)


def _fields(data: bytes) -> list[tuple[int, int, Any]]:
    """Number, wire type and value of each field; none if it is no message."""
    fields, at = [], 0
    try:
        while at < len(data):
            tag, at = _number(data, at)
            kind = tag & 7
            if kind == 0:
                value, at = _number(data, at)
                fields.append((tag >> 3, kind, value))
                continue
            length, at = (4, at) if kind == 5 else _number(data, at)
            if kind not in (2, 5) or at + length > len(data) or not 0 < tag >> 3 < 32:
                return []
            fields.append((tag >> 3, kind, data[at : at + length]))
            at += length
    except IndexError:
        return []
    return fields


def _number(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80 or shift > 63:
            return number, at


def _varint(number: int) -> bytes:
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def _field(number: int, kind: int, value: Any) -> bytes:
    tag = _varint(number << 3 | kind)
    if isinstance(value, int):
        return tag + _varint(value)
    return tag + (value if kind == 5 else _varint(len(value)) + value)
