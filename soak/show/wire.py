"""How does a message look in protobuf? The few kinds of field that Prometheus' messages have.

A field is a tag, its number and kind in one varint, and a value; a message within a message is
preceded by its length. Only what is written here exists: nothing is read.
"""

import struct
from collections.abc import Iterable

_VARINT, _DOUBLE, _BYTES = 0, 1, 2


def varint(value: int) -> bytes:
    """A whole number >= 0, seven bits a byte, lowest first."""
    if value < 0x80:
        return bytes((value,))
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)


def zigzag(value: int) -> int:
    """Numbers around zero as small ones: 0, -1, 1, -2 become 0, 1, 2, 3."""
    return value << 1 if value >= 0 else (-value << 1) - 1


def whole(number: int, value: int) -> bytes:
    """A field that holds a whole number >= 0."""
    return varint(number << 3 | _VARINT) + varint(value)


def signed(number: int, value: int) -> bytes:
    """A field of type sint32 or sint64."""
    return whole(number, zigzag(value))


def double(number: int, value: float) -> bytes:
    return varint(number << 3 | _DOUBLE) + struct.pack("<d", value)


def block(number: int, content: bytes) -> bytes:
    """A field that holds bytes, text in UTF-8, or a message."""
    return varint(number << 3 | _BYTES) + varint(len(content)) + content


def text(number: int, content: str) -> bytes:
    return block(number, content.encode())


def packed_signed(number: int, values: Iterable[int]) -> bytes:
    """A repeated field of type sint64, in one piece."""
    return block(number, b"".join(varint(zigzag(value)) for value in values))


def delimited(message: bytes) -> bytes:
    """The message with its length before it, as they follow each other in a stream."""
    return varint(len(message)) + message
