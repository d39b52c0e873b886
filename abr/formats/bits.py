"""Bits of a byte string, the most significant first."""

from abr.errors import RemoteProtocolError


class Bits:
    """A reader that stands at a bit. Raises RemoteProtocolError when asked for more than is there."""

    def __init__(self, data: bytes, what: str = "data") -> None:
        self._value = int.from_bytes(data)
        self._length = len(data) * 8
        self._place = 0
        self._what = what

    @property
    def left(self) -> int:
        """Bits not read yet."""
        return self._length - self._place

    def read(self, count: int) -> int:
        """The next `count` bits as a number."""
        if count > self.left:
            raise RemoteProtocolError(f"{self._what} ends after {self._length} bits, {count} more are needed")
        self._place += count
        return self._value >> (self._length - self._place) & ((1 << count) - 1)

    def flag(self) -> bool:
        """The next bit."""
        return self.read(1) == 1

    def skip(self, count: int) -> None:
        """Pass over bits."""
        self.read(count)

    def read_golomb(self) -> int:
        """The next unsigned Exp-Golomb number (ITU-T H.264, 9.1)."""
        zeros = 0
        while not self.flag():
            zeros += 1
        return (1 << zeros) - 1 + self.read(zeros)
