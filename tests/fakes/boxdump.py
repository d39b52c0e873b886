"""A box tree as text, one line a box: for golden files and for people."""

from collections.abc import Callable

from abr.errors import RemoteProtocolError
from abr.formats.box import Box, walk
from abr.formats.isobmff import (
    read_brands,
    read_decode_time,
    read_defaults,
    read_extends,
    read_media_header,
    read_movie_duration,
    read_run,
    read_track_header,
)

_UNSTABLE = frozenset(("avcC", "hvcC", "av1C", "esds"))
"""Their bytes, and so the sizes of all around them, change with the encoder's version."""


def dump(data: bytes, *, sizes: bool = True) -> str:
    """Kind, size and fields of every box. `sizes=False` leaves out what changes with an encoder's version.

    Raises RemoteProtocolError for bytes that are no boxes.
    """
    lines = []
    for depth, box in walk(data):
        size = f" {box.size}" if sizes and box.kind not in _UNSTABLE else ""
        lines.append(f"{'  ' * depth}{box.kind.strip()}{size}{_fields(data, box)}")
    return "\n".join(lines) + "\n"


def _fields(data: bytes, box: Box) -> str:
    reader = _FIELDS.get(box.kind)
    return f" {text}" if reader and (text := reader(data, box)) else ""


def _movie(data: bytes, box: Box) -> str:
    return f"duration={read_movie_duration(data, box)}"


def _track(data: bytes, box: Box) -> str:
    head = read_track_header(data, box)
    return f"track={head.track} duration={head.duration} size={head.width}x{head.height}"


def _media(data: bytes, box: Box) -> str:
    head = read_media_header(data, box)
    return f"timescale={head.timescale} duration={head.duration} language={head.language}"


def _handler(data: bytes, box: Box) -> str:
    body = data[box.body : box.end]
    return f"{body[8:12].decode('latin-1')} name={body[24:].rstrip(bytes(1)).decode('latin-1')!r}"


def _extends(data: bytes, box: Box) -> str:
    track, entry, duration, size, flags = read_extends(data, box)
    return f"track={track} entry={entry} duration={duration} size={size} flags={flags:08x}"


def _sequence(data: bytes, box: Box) -> str:
    return f"sequence={int.from_bytes(data[box.body + 4 : box.end])}"


def _defaults(data: bytes, box: Box) -> str:
    head = read_defaults(data, box)
    values = {"duration": head.duration, "size": head.size, "flags": _hex(head.flags)}
    given = "".join(f" {name}={value}" for name, value in values.items() if value is not None)
    return f"track={head.track} base-is-moof={int(head.base_is_moof)}{given}"


def _decode_time(data: bytes, box: Box) -> str:
    return f"time={read_decode_time(data, box)}"


def _run(data: bytes, box: Box) -> str:
    table = read_run(data, box)
    first = "" if table.first_flags is None else f" first-flags={_hex(table.first_flags)}"
    lines = [f"version={table.version} samples={len(table.rows)} data-offset={table.data_offset}{first}"]
    for row in table.rows:
        named = {**row._asdict(), "flags": _hex(row.flags)}
        lines.append("".join(f" {name}={value}" for name, value in named.items() if value is not None))
    return "\n         ".join(lines)


def _reference(data: bytes, box: Box) -> str:
    body = data[box.body + 4 : box.end]
    if len(body) < 20:
        raise RemoteProtocolError(f"prft at byte {box.start} has only {box.size} bytes")
    return f"track={int.from_bytes(body[:4])} ntp={body[4:12].hex()} time={int.from_bytes(body[12:])}"


def _brands(data: bytes, box: Box) -> str:
    return " ".join(read_brands(data, box))


def _hex(flags: int | None) -> str | None:
    return None if flags is None else f"{flags:08x}"


_FIELDS: dict[str, Callable[[bytes, Box], str]] = {
    "ftyp": _brands,
    "styp": _brands,
    "mvhd": _movie,
    "tkhd": _track,
    "mdhd": _media,
    "hdlr": _handler,
    "trex": _extends,
    "mfhd": _sequence,
    "tfhd": _defaults,
    "tfdt": _decode_time,
    "trun": _run,
    "prft": _reference,
}
