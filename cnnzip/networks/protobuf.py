"""A reader of protobuf messages that knows every field it may meet, and refuses all others.

`google.protobuf` takes 130 ms to import, more than all the rest of a decode, and passes over what it does not know;
a graph from a stranger must have nothing in it that was not looked at. The encoding:
https://protobuf.dev/programming-guides/encoding/
"""

import struct
from collections.abc import Mapping
from typing import Any, NamedTuple

MAX_TEXT = 128
"""Characters of a name; nothing longer has a meaning here."""

INT, FLOAT, TEXT, BYTES, NEVER = "int", "float", "text", "bytes", "never"

_VARINT, _SIZED, _FIXED_32 = 0, 2, 5
_WIRE_TYPES = {INT: _VARINT, FLOAT: _FIXED_32}


class Field(NamedTuple):
    """A field that a message may have.

    Attributes:
        name: what the value is found under.
        kind: INT, a whole number of 64 bits with a sign; FLOAT, of 32 bits; TEXT, printable ASCII; BYTES; NEVER, which
            is refused by its name; or a message.
        repeated: whether there may be several: the value is then a list.
    """

    name: str
    kind: "str | MessageType"
    repeated: bool = False


class MessageType:
    """The fields that a message may have, by their numbers."""

    def __init__(self, fields: Mapping[int, Field]) -> None:
        self.by_tag: dict[int, Field] = {}
        for number, field in fields.items():
            wire = _WIRE_TYPES.get(field.kind, _SIZED) if isinstance(field.kind, str) else _SIZED
            self.by_tag[number << 3 | wire] = field
        self.repeated = [field.name for field in fields.values() if field.repeated]


Message = dict[str, Any]
"""The values of the fields that are there, by name, and an empty list for repeated ones that are not."""


def parse(data: bytes, kind: MessageType) -> Message:
    """The message in `data`.

    Raises:
        ValueError: it is cut off, has a field that is not in `kind`, or one twice that may be there once.
    """
    message: Message = {name: [] for name in kind.repeated}
    by_tag = kind.by_tag
    at, end = 0, len(data)
    try:
        while at < end:
            # Nearly every number here is a single byte: a graph has thousands, and each call would be felt.
            tag, at = (data[at], at + 1) if data[at] < 0x80 else _varint(data, at)
            if tag not in by_tag:
                raise ValueError(f"field {tag >> 3} of type {tag & 7} is not known")
            name, what, repeated = by_tag[tag]
            value: Any
            if what is INT:
                value, at = (data[at], at + 1) if data[at] < 0x80 else _varint(data, at)
                value -= value >> 63 << 64
            else:
                if what is FLOAT:
                    length = 4
                else:
                    length, at = (data[at], at + 1) if data[at] < 0x80 else _varint(data, at)
                if length > end - at:
                    raise ValueError("cut off")
                value = _value(name, what, data[at : at + length])
                at += length
            if repeated:
                message[name].append(value)
            elif name in message:
                raise ValueError(f"'{name}' is there twice")
            else:
                message[name] = value
    except IndexError:
        raise ValueError("cut off") from None
    return message


def _value(name: str, kind: str | MessageType, data: bytes) -> Any:
    if kind is TEXT:
        text = data.decode("ascii", errors="replace")
        if len(text) > MAX_TEXT or not (text.isascii() and text.isprintable()):
            raise ValueError(f"'{name}' is not a name")
        return text
    if isinstance(kind, MessageType):
        try:
            return parse(data, kind)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    if kind is FLOAT:
        return struct.unpack("<f", data)[0]
    if kind is NEVER:
        raise ValueError(f"'{name}' may not be there")
    return data


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The whole number that begins there, without a sign, and where it ends; IndexError if it does not."""
    number = shift = 0
    while shift < 70:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80 and not number >> 64:
            return number, at
    raise ValueError("a number has more than 64 bits")
