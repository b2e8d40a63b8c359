"""The wire format of Protocol Buffers, as far as a `.model` file needs it.

A message is a row of fields. Each begins with a key, ``number << 3 | kind``, written as a varint:
seven bits a byte, the lowest first, the top bit set on all bytes but the last. The kind tells how
long the value is: a varint, 8 bytes, a length and so many bytes, or 4 bytes.
"""

import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from .untrusted import BrokenFileError

VARINT, EIGHT, LENGTH, FOUR = 0, 1, 2, 5
KINDS = {VARINT: "a varint", EIGHT: "8 bytes", LENGTH: "a length and bytes", FOUR: "4 bytes"}


class Message(NamedTuple):
    """The bytes ``data[start:end]`` of a file; `name` is what an error calls it."""

    data: bytes
    start: int
    end: int
    name: str

    def broken(self, place: int, problem: str) -> BrokenFileError:
        """The error for what stands at this byte."""
        return BrokenFileError(f"{self.name}: byte {place}: {problem}")


class Field(NamedTuple):
    """A field: its number and kind, its value, and the place of its key and of its end."""

    number: int
    kind: int
    value: Any  # int, bytes or Message
    place: int
    end: int


def read_varint(message: Message, at: int) -> tuple[int, int]:
    """(value, place after it) of the varint at `at`."""
    value = 0
    for k in range(10):
        if at + k >= message.end:
            raise message.broken(at + k, "the file ends inside a number")
        byte = message.data[at + k]
        value |= (byte & 0x7F) << (7 * k)
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at + k + 1
    raise message.broken(at, "a number of more than 10 bytes")


def fields(message: Message) -> Iterator[Field]:
    """The fields of a message in order. Nothing is copied until a value is asked for."""
    at = message.start
    while at < message.end:
        place = at
        key, at = read_varint(message, at)
        number, kind = key >> 3, key & 7
        if kind not in KINDS or not 0 < number < 1 << 29:
            raise message.broken(place, f"field {number} of kind {kind}, which does not exist")
        if kind == VARINT:
            value: Any
            value, at = read_varint(message, at)
        else:
            size = {EIGHT: 8, FOUR: 4}.get(kind, 0)
            if kind == LENGTH:
                size, at = read_varint(message, at)
            if size > message.end - at:
                raise message.broken(
                    place, f"field {number} needs {size} bytes, but {message.end - at} are left"
                )
            value = Message(message.data, at, at + size, message.name)
            at += size
        yield Field(number, kind, value, place, at)


def expect(message: Message, field: Field, kind: int) -> None:
    """Raise the error that says where, if a field is not of the kind it should be."""
    if field.kind != kind:
        raise message.broken(
            field.place,
            f"field {field.number} is {KINDS[field.kind]}; expected {KINDS[kind]}",
        )


def as_int(message: Message, field: Field) -> int:
    """A varint as a signed 32-bit number."""
    expect(message, field, VARINT)
    value = field.value - (1 << 64) if field.value >> 63 else field.value
    if not -(1 << 31) <= value < 1 << 31:
        raise message.broken(field.place, f"field {field.number} is {value}, not a 32-bit number")
    return value


def as_float(message: Message, field: Field) -> float:
    """A finite number in four bytes."""
    expect(message, field, FOUR)
    value = struct.unpack_from("<f", message.data, field.value.start)[0]
    if not -3.5e38 < value < 3.5e38:
        raise message.broken(field.place, f"field {field.number} is {value}, not a finite number")
    return value


def as_bytes(message: Message, field: Field) -> bytes:
    """The bytes of a field with a length."""
    expect(message, field, LENGTH)
    return message.data[field.value.start : field.value.end]


def as_text(message: Message, field: Field) -> str:
    """The UTF-8 text of a field with a length."""
    data = as_bytes(message, field)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise message.broken(
            field.value.start + error.start, f"field {field.number} is not valid UTF-8"
        ) from None


def varint(value: int) -> bytes:
    """A whole number as a varint; a negative one as if it had 64 bits.

    >>> varint(300).hex(" ")
    'ac 02'
    """
    value &= 0xFFFFFFFFFFFFFFFF
    result = bytearray()
    while value > 0x7F:
        result.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*result, value])


def field(number: int, value: int | float | str | bytes) -> bytes:
    """One field: whole numbers and truth values as varints, floats in 4 bytes, the rest as bytes.

    >>> field(1, "a").hex(" ")
    '0a 01 61'
    """
    if isinstance(value, float):
        return varint(number << 3 | FOUR) + struct.pack("<f", value)
    if isinstance(value, int):
        return varint(number << 3 | VARINT) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | LENGTH) + varint(len(data)) + data
