"""ISO BMFF boxes as spans of a buffer (ISO/IEC 14496-12 4.2)."""

from collections.abc import Iterator
from typing import NamedTuple

from abr.errors import RemoteProtocolError


class Box(NamedTuple):
    """A box: its type, where it begins, where its content begins, and where it ends."""

    kind: str
    start: int
    body: int
    end: int


class Reader:
    """A buffer that is read only inside its bounds."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._inner: dict[tuple[Box, int], list[Box]] = {}

    def boxes(self, start: int, end: int, *, cut: bool = False) -> Iterator[Box]:
        """The boxes of a span. With `cut` the last one may run past the end of the buffer.

        Raises RemoteProtocolError for sizes that cannot be.
        """
        place = start
        while place < end:
            box = self._box(place, end)
            if box.end > end and not cut:
                raise RemoteProtocolError(
                    f"box {box.kind} at byte {place} ends {box.end - end} bytes too late"
                )
            yield box if box.end <= end else box._replace(end=end)
            place = box.end

    def _box(self, place: int, end: int) -> Box:
        if end - place < 8:
            raise RemoteProtocolError(f"{end - place} loose bytes at byte {place}")
        size = self.number(place, 4)
        kind = self.data[place + 4 : place + 8].decode("latin-1")
        body = place + 8
        if size == 1:
            size, body = self.number(place + 8, 8), place + 16
        elif size == 0:
            size = end - place
        if size < body - place:
            raise RemoteProtocolError(f"box {kind!r} at byte {place} has the size {size}")
        return Box(kind, place, body, place + size)

    def number(self, place: int, size: int) -> int:
        """An unsigned number. Raises RemoteProtocolError past the end."""
        if place < 0 or place + size > len(self.data):
            raise RemoteProtocolError(f"data ends at byte {len(self.data)}, before a field at byte {place}")
        return int.from_bytes(self.data[place : place + size], "big")

    def signed(self, place: int, size: int) -> int:
        """A number in two's complement. Raises RemoteProtocolError past the end."""
        value = self.number(place, size)
        return value - (1 << 8 * size) if value >> (8 * size - 1) else value

    def inside(self, box: Box, skip: int = 0) -> list[Box]:
        """The boxes in a box, after `skip` bytes of fields."""
        if (box, skip) not in self._inner:
            self._inner[box, skip] = list(self.boxes(box.body + skip, box.end))
        return self._inner[box, skip]

    def child(self, box: Box, *path: str) -> Box | None:
        """The first box at a path below a box."""
        found: Box | None = box
        for kind in path:
            if found is None:
                return None
            found = next((inner for inner in self.inside(found) if inner.kind == kind), None)
        return found

    def need(self, box: Box, *path: str) -> Box:
        """The box at a path. Raises RemoteProtocolError if it is not there."""
        found = self.child(box, *path)
        if found is None:
            raise RemoteProtocolError(f"{box.kind} has no {'/'.join(path)}")
        return found

    def version(self, box: Box) -> tuple[int, int]:
        """Version and flags of a full box."""
        word = self.number(box.body, 4)
        return word >> 24, word & 0xFFFFFF

    def bytes(self, box: Box) -> bytes:
        """The content of a box."""
        return self.data[box.body : box.end]
