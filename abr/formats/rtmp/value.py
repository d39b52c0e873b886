"""AMF values in Python, and a place in the bytes that hold them."""

from typing import TypeAlias

from abr.errors import RemoteProtocolError

Value: TypeAlias = "float | bool | str | list[Value] | dict[str, Value] | None"
"""Numbers are floats; null, undefined and what nobody here reads are None; dates are their milliseconds."""

MAX_DEPTH = 16
"""Objects within objects. Publishers send two levels; more only serves to exhaust the stack."""


class Cursor:
    """A place in the bytes; what is taken lies behind it from then on. Raises RemoteProtocolError at their end."""

    def __init__(self, data: bytes, position: int = 0, *, what: str = "an AMF value") -> None:
        self.data = data
        self.position = position
        self._what = what

    @property
    def left(self) -> int:
        return len(self.data) - self.position

    def integer(self, size: int) -> int:
        """An unsigned number of `size` bytes, the high one first."""
        return int.from_bytes(self.take(size), "big")

    def text(self, size: int) -> str:
        """UTF-8; what is none becomes replacement characters."""
        return self.take(size).decode("utf-8", errors="replace")

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise RemoteProtocolError(f"{self._what} is cut short: {size} bytes wanted, {self.left} left")
        start, self.position = self.position, self.position + size
        return self.data[start : self.position]

    def count(self, number: int) -> int:
        """A number of values that are announced: each has a byte at least."""
        if number > self.left:
            raise RemoteProtocolError(f"an AMF array of {number} values lies in {self.left} bytes")
        return number


def check_depth(depth: int) -> None:
    """Raises RemoteProtocolError for values nested too deep."""
    if depth > MAX_DEPTH:
        raise RemoteProtocolError(f"AMF objects are nested deeper than {MAX_DEPTH}")
