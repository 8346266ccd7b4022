"""Variable-length integers: unsigned LEB128 in its shortest form, as in section lengths and the header.

Seven bits a byte, lowest first; bit 7 says that another byte follows. One number has exactly one form, so
equal content always gives equal files.
"""

from cnnzip.errors import SectionError, TruncatedError

MAX_VARINT_BYTES = 5
"""35 bits: the fewest bytes that hold any length of a file of `limits.MAX_FILE_BYTES`."""

MAX_VARINT = (1 << 7 * MAX_VARINT_BYTES) - 1


def write_varint(number: int) -> bytes:
    """The 1 to 5 bytes of `number`; ValueError outside 0 … 2^35 − 1."""
    if not 0 <= number <= MAX_VARINT:
        raise ValueError(f"{number} does not fit a varint of {MAX_VARINT_BYTES} bytes")
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def read_varint(data: bytes, pos: int) -> tuple[int, int]:
    """The number that starts at `data[pos]`, and the position behind it.

    Raises:
        TruncatedError: the data ends inside the number.
        SectionError: the number is longer than 5 bytes, or not in its shortest form.
    """
    number = 0
    for index in range(MAX_VARINT_BYTES):
        if pos + index >= len(data):
            raise TruncatedError(f"the data ends inside the number at byte {pos}")
        byte = data[pos + index]
        number |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            if byte == 0 and index > 0:
                raise SectionError(f"the number at byte {pos} is not in its shortest form")
            return number, pos + index + 1
    raise SectionError(f"the number at byte {pos} is longer than {MAX_VARINT_BYTES} bytes")
