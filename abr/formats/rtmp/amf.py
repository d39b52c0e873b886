"""AMF0 values ⇄ bytes (Action Message Format 0, 2007). Of AMF3 only its marker is known."""

import struct
from collections.abc import Callable
from typing import TypeAlias

from abr.errors import LocalProtocolError, RemoteProtocolError

Value: TypeAlias = "float | bool | str | list[Value] | dict[str, Value] | None"
"""Numbers are floats; null, undefined and unsupported are None; dates are their milliseconds."""

MAX_DEPTH = 16
"""Objects within objects. Publishers send two levels; more only serves to exhaust the stack."""

_NUMBER, _BOOLEAN, _STRING, _OBJECT, _NULL = 0x00, 0x01, 0x02, 0x03, 0x05
_OBJECT_END, _STRICT_ARRAY, _LONG_STRING, _AVMPLUS = 0x09, 0x0A, 0x0C, 0x11
_LONGEST_STRING = 0xFFFF


def decode(data: bytes) -> list[Value]:
    """All values in `data`. Raises RemoteProtocolError for what is cut short, too deep or unknown."""
    reader = _Reader(data)
    values: list[Value] = []
    while reader.left:
        values.append(reader.value(0))
    return values


def encode(*values: Value) -> bytes:
    """The values one after the other. Raises LocalProtocolError for a key over 65535 bytes."""
    return b"".join(map(_encoded, values))


class _Reader:
    """A place in the bytes, and the values that begin there."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._position

    def value(self, depth: int) -> Value:
        if depth > MAX_DEPTH:
            raise RemoteProtocolError(f"AMF objects are nested deeper than {MAX_DEPTH}")
        marker = self._integer(1)
        read = _READERS.get(marker)
        if read is None:
            kind = "AMF3 values" if marker == _AVMPLUS else f"AMF0 values of type {marker}"
            raise RemoteProtocolError(f"{kind} are not supported")
        return read(self, depth)

    def number(self, _: int) -> Value:
        (value,) = struct.unpack(">d", self._take(8))
        return float(value)

    def boolean(self, _: int) -> Value:
        return self._integer(1) != 0

    def string(self, _: int) -> Value:
        return self._text(2)

    def long_string(self, _: int) -> Value:
        return self._text(4)

    def nothing(self, _: int) -> Value:
        return None

    def date(self, _: int) -> Value:
        value = self.number(0)
        self._take(2)  # time zone, reserved
        return value

    def object(self, depth: int) -> Value:
        found: dict[str, Value] = {}
        while True:
            key = self._text(2)
            if not key and self.left and self._data[self._position] == _OBJECT_END:
                self._take(1)
                return found
            found[key] = self.value(depth + 1)

    def ecma_array(self, depth: int) -> Value:
        self._take(4)  # a count that writers do not keep to; the end marker counts
        return self.object(depth)

    def typed_object(self, depth: int) -> Value:
        self._text(2)
        return self.object(depth)

    def strict_array(self, depth: int) -> Value:
        count = self._integer(4)
        if count > self.left:
            raise RemoteProtocolError(f"an AMF array of {count} values lies in {self.left} bytes")
        return [self.value(depth + 1) for _ in range(count)]

    def _text(self, prefix: int) -> str:
        return self._take(self._integer(prefix)).decode("utf-8", errors="replace")

    def _integer(self, size: int) -> int:
        return int.from_bytes(self._take(size), "big")

    def _take(self, size: int) -> bytes:
        if size > self.left:
            raise RemoteProtocolError(f"an AMF value is cut short: {size} bytes wanted, {self.left} left")
        start, self._position = self._position, self._position + size
        return self._data[start : self._position]


_READERS: dict[int, Callable[[_Reader, int], Value]] = {
    _NUMBER: _Reader.number,
    _BOOLEAN: _Reader.boolean,
    _STRING: _Reader.string,
    _OBJECT: _Reader.object,
    _NULL: _Reader.nothing,
    0x06: _Reader.nothing,  # undefined
    0x08: _Reader.ecma_array,
    _STRICT_ARRAY: _Reader.strict_array,
    0x0B: _Reader.date,
    _LONG_STRING: _Reader.long_string,
    0x0D: _Reader.nothing,  # unsupported
    0x0F: _Reader.long_string,  # XML document
    0x10: _Reader.typed_object,
}


def _encoded(value: Value) -> bytes:
    match value:
        case bool():
            return bytes([_BOOLEAN, value])
        case int() | float():
            return struct.pack(">Bd", _NUMBER, value)
        case str():
            return _encoded_text(value)
        case dict():
            members = (_encoded_key(key) + _encoded(member) for key, member in value.items())
            return bytes([_OBJECT]) + b"".join(members) + bytes([0, 0, _OBJECT_END])
        case list():
            return struct.pack(">BI", _STRICT_ARRAY, len(value)) + encode(*value)
        case None:
            return bytes([_NULL])


def _encoded_text(text: str) -> bytes:
    data = text.encode()
    if len(data) > _LONGEST_STRING:
        return struct.pack(">BI", _LONG_STRING, len(data)) + data
    return struct.pack(">BH", _STRING, len(data)) + data


def _encoded_key(key: str) -> bytes:
    data = key.encode()
    if len(data) > _LONGEST_STRING:
        raise LocalProtocolError(f"an AMF key of {len(data)} bytes is longer than {_LONGEST_STRING}")
    return struct.pack(">H", len(data)) + data
