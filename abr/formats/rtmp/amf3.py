"""AMF3 values (Action Message Format 3, 2013), read only: nobody needs to be answered in it."""

import struct
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from abr.errors import RemoteProtocolError
from abr.formats.rtmp.value import Cursor, Value, check_depth

T = TypeVar("T")

_SIGN, _RANGE = 1 << 28, 1 << 29
_LONGEST = 4
"""Bytes of a number of variable length; the fourth one has eight bits (§1.3.1)."""


def read(cursor: Cursor, depth: int) -> Value:
    """The one value at the cursor. What it refers to lies within itself.

    A value may refer to one that holds it, and to one value many times: never walk through it as a whole.
    Raises RemoteProtocolError for what is cut short, too deep or unknown.
    """
    return _Reader(cursor).value(depth)


class _Traits(NamedTuple):
    """What objects of one class have in common (§3.12)."""

    names: tuple[str, ...]
    dynamic: bool


class _Reader:
    """The cursor, and what later values may refer to (§2.2)."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._strings: list[str] = []
        self._objects: list[Value] = []
        self._traits: list[_Traits] = []

    def value(self, depth: int) -> Value:
        check_depth(depth)
        marker = self._cursor.integer(1)
        read = _READERS.get(marker)
        if read is None:
            raise RemoteProtocolError(f"AMF3 values of type {marker} are not supported")
        return read(self, depth)

    def nothing(self, _: int) -> Value:
        return None

    def no(self, _: int) -> Value:
        return False

    def yes(self, _: int) -> Value:
        return True

    def integer(self, _: int) -> Value:
        number = self._number()
        return float(number - _RANGE if number & _SIGN else number)

    def double(self, _: int) -> Value:
        (value,) = struct.unpack(">d", self._cursor.take(8))
        return float(value)

    def string(self, _: int) -> Value:
        return self._text()

    def document(self, _: int) -> Value:
        head = self._number()
        return self._known(head) if not head & 1 else self._kept(self._cursor.text(head >> 1))

    def date(self, depth: int) -> Value:
        head = self._number()
        return self._known(head) if not head & 1 else self._kept(self.double(depth))

    def blob(self, _: int) -> Value:
        head = self._number()
        if not head & 1:
            return self._known(head)
        self._cursor.take(head >> 1)
        return self._kept(None)

    def array(self, depth: int) -> Value:
        """Values by place, as a list; with values by name beside them, all as a dictionary (§3.11)."""
        head = self._number()
        if not head & 1:
            return self._known(head)
        place = len(self._objects)
        self._objects.append(None)
        named = self._members(depth)
        dense = [self.value(depth + 1) for _ in range(self._cursor.count(head >> 1))]
        found: Value = named | {str(at): value for at, value in enumerate(dense)} if named else dense
        self._objects[place] = found
        return found

    def object(self, depth: int) -> Value:
        head = self._number()
        if not head & 1:
            return self._known(head)
        traits = self._read_traits(head)
        found: dict[str, Value] = {}
        self._objects.append(found)
        for name in traits.names:
            found[name] = self.value(depth + 1)
        if traits.dynamic:
            found.update(self._members(depth))
        return found

    def _read_traits(self, head: int) -> _Traits:
        if not head & 2:
            return _at(self._traits, head >> 2)
        if head & 4:
            raise RemoteProtocolError("AMF3 objects with a form of their own are not supported")
        self._text()  # the class
        names = tuple(self._text() for _ in range(self._cursor.count(head >> 4)))
        self._traits.append(_Traits(names, dynamic=bool(head & 8)))
        return self._traits[-1]

    def _members(self, depth: int) -> dict[str, Value]:
        """Names and values up to the empty name."""
        found: dict[str, Value] = {}
        while name := self._text():
            found[name] = self.value(depth + 1)
        return found

    def _text(self) -> str:
        head = self._number()
        if not head & 1:
            return _at(self._strings, head >> 1)
        text = self._cursor.text(head >> 1)
        if text:  # an empty one is always written out (§1.3.2)
            self._strings.append(text)
        return text

    def _number(self) -> int:
        number = 0
        for _ in range(_LONGEST - 1):
            byte = self._cursor.integer(1)
            number = number << 7 | byte & 0x7F
            if byte < 0x80:
                return number
        return number << 8 | self._cursor.integer(1)

    def _known(self, head: int) -> Value:
        return _at(self._objects, head >> 1)

    def _kept(self, value: Value) -> Value:
        self._objects.append(value)
        return value


_READERS: dict[int, Callable[[_Reader, int], Value]] = {
    0x00: _Reader.nothing,  # undefined
    0x01: _Reader.nothing,
    0x02: _Reader.no,
    0x03: _Reader.yes,
    0x04: _Reader.integer,
    0x05: _Reader.double,
    0x06: _Reader.string,
    0x07: _Reader.document,
    0x08: _Reader.date,
    0x09: _Reader.array,
    0x0A: _Reader.object,
    0x0B: _Reader.document,
    0x0C: _Reader.blob,
}


def _at(known: list[T], place: int) -> T:
    if place >= len(known):
        raise RemoteProtocolError(f"an AMF3 value refers to number {place} of {len(known)}")
    return known[place]
