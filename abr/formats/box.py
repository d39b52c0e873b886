"""Boxes of the ISO base media file format: bytes ⇄ trees with offsets (ISO/IEC 14496-12, 4.2)."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from abr.errors import RemoteProtocolError

_HEADER = struct.Struct(">I4s")
_DEEPEST = 16
"""Boxes within boxes: a real file stops at eight."""

_CHILDREN_AT = {
    **dict.fromkeys(
        ("moov", "trak", "mdia", "minf", "stbl", "dinf", "mvex", "moof", "traf", "edts", "udta"), 0
    ),
    "meta": 4,
    "stsd": 8,
    "dref": 8,
    **dict.fromkeys(("avc1", "avc3", "hvc1", "hev1", "av01", "vp09", "encv"), 78),
    **dict.fromkeys(("mp4a", "Opus", "fLaC", "ac-3", "ec-3", "enca"), 28),
}
"""Boxes that hold boxes, and how many bytes of their own stand before those."""


class Box(NamedTuple):
    """Where a box lies in its bytes. `body` is where its header ends."""

    kind: str
    start: int
    body: int
    end: int

    @property
    def size(self) -> int:
        """Bytes, header included."""
        return self.end - self.start


def make_box(kind: str, *contents: bytes) -> bytes:
    """A box of these contents, one after the other."""
    size = 8 + sum(map(len, contents))
    return b"".join((_HEADER.pack(size, kind.encode("latin-1")), *contents))


def make_full_box(kind: str, version: int, flags: int, *contents: bytes) -> bytes:
    """A box that begins with a version and 24 flags."""
    return make_box(kind, struct.pack(">I", version << 24 | flags), *contents)


def read_boxes(data: bytes, start: int = 0, end: int | None = None) -> list[Box]:
    """The boxes between two offsets. Raises RemoteProtocolError where they do not fill the space exactly."""
    stop = len(data) if end is None else end
    boxes = []
    while start < stop:
        box = _read_box(data, start, stop)
        boxes.append(box)
        start = box.end
    return boxes


def children(data: bytes, box: Box) -> list[Box]:
    """The boxes within a box; none for a kind that holds none. Raises RemoteProtocolError."""
    skip = _CHILDREN_AT.get(box.kind)
    if skip is None:
        return []
    if box.body + skip > box.end:
        raise RemoteProtocolError(f"box {box.kind!r} at byte {box.start} has only {box.size} bytes")
    return read_boxes(data, box.body + skip, box.end)


def find_box(data: bytes, path: str, within: Box | None = None) -> Box | None:
    """The first box of a path as `moov/trak/mdia`, from the top or within a box. Raises RemoteProtocolError."""
    level = read_boxes(data) if within is None else children(data, within)
    found = None
    for kind in path.split("/"):
        found = next((box for box in level if box.kind == kind), None)
        if found is None:
            return None
        level = children(data, found)
    return found


def need_box(data: bytes, path: str, within: Box | None = None) -> Box:
    """`find_box`, or RemoteProtocolError that names the path."""
    box = find_box(data, path, within)
    if box is None:
        raise RemoteProtocolError(f"there is no box {path!r}")
    return box


def walk(data: bytes, boxes: list[Box] | None = None, depth: int = 0) -> Iterator[tuple[int, Box]]:
    """All boxes with their depth, as they stand in the bytes. Raises RemoteProtocolError."""
    if depth > _DEEPEST:
        raise RemoteProtocolError(f"boxes lie more than {_DEEPEST} deep in each other")
    for box in read_boxes(data) if boxes is None else boxes:
        yield depth, box
        yield from walk(data, children(data, box), depth + 1)


def _read_box(data: bytes, start: int, stop: int) -> Box:
    """The box at `start`; size 1 has 64 bits behind the kind, size 0 reaches to the end."""
    if start + 8 > stop:
        raise RemoteProtocolError(f"{stop - start} bytes at {start} are too few for a box")
    size, name = _HEADER.unpack_from(data, start)
    body = start + 8
    if size == 1:
        if start + 16 > stop:
            raise RemoteProtocolError(f"the 64-bit size of the box at byte {start} is cut off")
        size = int.from_bytes(data[body : body + 8])
        body += 8
    elif size == 0:
        size = stop - start
    kind = name.decode("latin-1")
    if start + size < body or start + size > stop:
        raise RemoteProtocolError(
            f"box {kind!r} at byte {start} says {size} bytes where {stop - start} are left"
        )
    return Box(kind, start, body, start + size)
