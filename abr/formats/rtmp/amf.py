"""AMF0 values ⇄ bytes (Action Message Format 0, 2007); a value within may be one of AMF3."""

import struct
from collections.abc import Callable

from abr.errors import LocalProtocolError, RemoteProtocolError
from abr.formats.rtmp import amf3
from abr.formats.rtmp.value import Cursor, Value, check_depth

__all__ = ["Value", "decode", "encode"]

_NUMBER, _BOOLEAN, _STRING, _OBJECT, _NULL = 0x00, 0x01, 0x02, 0x03, 0x05
_OBJECT_END, _STRICT_ARRAY, _LONG_STRING, _AVMPLUS = 0x09, 0x0A, 0x0C, 0x11
_LONGEST_STRING = 0xFFFF


def decode(data: bytes) -> list[Value]:
    """All values in `data`. Raises RemoteProtocolError for what is cut short, too deep or unknown.

    Values of AMF3 may hold themselves (`amf3.read`).
    """
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
        self._cursor = Cursor(data)

    @property
    def left(self) -> int:
        return self._cursor.left

    def value(self, depth: int) -> Value:
        check_depth(depth)
        marker = self._cursor.integer(1)
        read = _READERS.get(marker)
        if read is None:
            raise RemoteProtocolError(f"AMF0 values of type {marker} are not supported")
        return read(self, depth)

    def number(self, _: int) -> Value:
        (value,) = struct.unpack(">d", self._cursor.take(8))
        return float(value)

    def boolean(self, _: int) -> Value:
        return self._cursor.integer(1) != 0

    def string(self, _: int) -> Value:
        return self._text(2)

    def long_string(self, _: int) -> Value:
        return self._text(4)

    def nothing(self, _: int) -> Value:
        return None

    def date(self, _: int) -> Value:
        value = self.number(0)
        self._cursor.take(2)  # time zone, reserved
        return value

    def object(self, depth: int) -> Value:
        found: dict[str, Value] = {}
        cursor = self._cursor
        while True:
            key = self._text(2)
            if not key and cursor.left and cursor.data[cursor.position] == _OBJECT_END:
                cursor.take(1)
                return found
            found[key] = self.value(depth + 1)

    def ecma_array(self, depth: int) -> Value:
        self._cursor.take(4)  # a count that writers do not keep to; the end marker counts
        return self.object(depth)

    def typed_object(self, depth: int) -> Value:
        self._text(2)
        return self.object(depth)

    def strict_array(self, depth: int) -> Value:
        count = self._cursor.count(self._cursor.integer(4))
        return [self.value(depth + 1) for _ in range(count)]

    def avmplus(self, depth: int) -> Value:
        return amf3.read(self._cursor, depth)

    def _text(self, prefix: int) -> str:
        return self._cursor.text(self._cursor.integer(prefix))


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
    _AVMPLUS: _Reader.avmplus,
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
