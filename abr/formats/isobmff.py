"""Fragments and headers of CMAF: the full boxes that abr writes or reads (ISO/IEC 14496-12, ISO/IEC 23000-19)."""

import struct
from typing import NamedTuple

import numpy as np

from abr.errors import RemoteProtocolError
from abr.formats.box import Box, make_box, make_full_box
from abr.model.columns import Column
from abr.model.time import NANO

SYNC = 0x0200_0000
"""Sample flags of a picture that depends on no other (sample_depends_on 2); of all audio too."""
NOT_SYNC = 0x0101_0000
"""Sample flags of a picture that depends on others (sample_depends_on 1, sample_is_non_sync_sample)."""
TRACK = 1
"""track_ID in every file: one track each."""

_DEFAULT_BASE_IS_MOOF = 0x02_0000
_HAS_DURATION, _HAS_SIZE, _HAS_FLAGS = 0x08, 0x10, 0x20
_DATA_OFFSET, _FIRST_FLAGS = 0x001, 0x004
_DURATIONS, _SIZES, _FLAGS, _OFFSETS = 0x100, 0x200, 0x400, 0x800
_NTP_EPOCH = 2_208_988_800
"""Seconds from 1900, where NTP time begins, to 1970."""


class Run(NamedTuple):
    """The samples of a fragment in decode order, column by column; times in ticks of the track."""

    durations: Column
    sizes: Column
    flags: Column
    offsets: Column
    """Composition offsets: presentation time − decode time."""


class TrackHeader(NamedTuple):
    """tkhd: sizes are those of the display, in pixels, rounded."""

    track: int
    duration: int
    width: int
    height: int


class MediaHeader(NamedTuple):
    """mdhd."""

    timescale: int
    duration: int
    language: str


class FragmentDefaults(NamedTuple):
    """tfhd; None where the box leaves it to trex."""

    track: int
    base_is_moof: bool
    duration: int | None
    size: int | None
    flags: int | None


class SampleRow(NamedTuple):
    """A sample in trun; None where tfhd or trex tells."""

    duration: int | None
    size: int | None
    flags: int | None
    offset: int | None


class RunTable(NamedTuple):
    """trun."""

    version: int
    data_offset: int | None
    first_flags: int | None
    rows: tuple[SampleRow, ...]


def make_brands(kind: str, major: str, compatible: tuple[str, ...]) -> bytes:
    """A ftyp or styp box."""
    return make_box(kind, major.encode(), bytes(4), "".join(compatible).encode())


def make_moof(sequence: int, decode_time: int, run: Run) -> bytes:
    """A movie fragment of one run, whose media data is the mdat right behind it (8.8.4 to 8.8.12).

    What is equal in all samples stands once in tfhd, never in trex. Addresses count from the moof.
    """
    mfhd = make_full_box("mfhd", 0, 0, (sequence & 0xFFFF_FFFF).to_bytes(4))
    tfdt = make_full_box("tfdt", 1, 0, decode_time.to_bytes(8))
    durations, flags = _is_constant(run.durations), _is_constant(run.flags[1:])
    tfhd = _make_tfhd(run, durations=durations, flags=flags)
    parts, columns = _DATA_OFFSET | _SIZES, [run.sizes]
    if not durations:
        parts, columns = parts | _DURATIONS, [run.durations, *columns]
    first = b""
    if not flags:
        parts, columns = parts | _FLAGS, [*columns, run.flags]
    elif run.flags[0] != run.flags[-1]:
        parts, first = parts | _FIRST_FLAGS, int(run.flags[0]).to_bytes(4)
    if run.offsets.any():
        parts, columns = parts | _OFFSETS, [*columns, run.offsets]
    rows = np.empty((len(run.sizes), len(columns)), dtype=">u4")
    for place, column in enumerate(columns):
        rows[:, place] = column
    table = rows.tobytes()
    # moof 8, mfhd 16, traf 8, trun 20; the data begins behind the header of mdat
    data_offset = 52 + len(tfhd) + len(tfdt) + len(first) + len(table) + 8
    trun = make_full_box("trun", 1, parts, struct.pack(">II", len(run.sizes), data_offset), first, table)
    return make_box("moof", mfhd, make_box("traf", tfhd, tfdt, trun))


def make_prft(wall: int, media_time: int) -> bytes:
    """Producer reference time: `media_time` (ticks) was encoded at `wall` (nanoseconds since 1970) (8.16.5)."""
    ntp = ((wall + _NTP_EPOCH * NANO) << 32) // NANO
    return make_full_box("prft", 1, 0, struct.pack(">IQQ", TRACK, ntp & (1 << 64) - 1, media_time))


def mdat_header(size: int) -> bytes:
    """The eight bytes before `size` bytes of media data. Segments stay far below 4 GiB."""
    return struct.pack(">I4s", 8 + size, b"mdat")


def read_brands(data: bytes, box: Box) -> tuple[str, ...]:
    """The major brand and the compatible ones of ftyp or styp."""
    names = _fields(data, box, 8).decode("latin-1")
    return (names[:4], *(names[at : at + 4] for at in range(8, len(names), 4)))


def read_track_header(data: bytes, box: Box) -> TrackHeader:
    """The fields of tkhd, either version."""
    body = _fields(data, box, 84)
    long = body[0] == 1
    track, duration = struct.unpack_from(">I4xQ" if long else ">I4xI", body, 20 if long else 12)
    width, height = struct.unpack_from(">II", body, len(body) - 8)
    return TrackHeader(track, duration, (width + 0x8000) >> 16, (height + 0x8000) >> 16)


def read_media_header(data: bytes, box: Box) -> MediaHeader:
    """The fields of mdhd, either version."""
    body = _fields(data, box, 24)
    long = body[0] == 1
    layout, at = (">IQH", 20) if long else (">IIH", 12)
    timescale, duration, packed = _unpack(layout, body, at, box)
    language = "".join(chr((packed >> shift & 31) + 0x60) for shift in (10, 5, 0))
    return MediaHeader(timescale, duration, language)


def read_movie_duration(data: bytes, box: Box) -> int:
    """The duration in mvhd."""
    body = _fields(data, box, 100)
    return int(_unpack(">Q" if body[0] == 1 else ">I", body, 24 if body[0] == 1 else 16, box)[0])


def read_extends(data: bytes, box: Box) -> tuple[int, ...]:
    """The fields of trex: track_ID, sample description, and the defaults: duration, size, flags."""
    return struct.unpack_from(">5I", _fields(data, box, 24), 4)


def read_defaults(data: bytes, box: Box) -> FragmentDefaults:
    """The fields of tfhd."""
    body = _fields(data, box, 8)
    flags, track = struct.unpack_from(">II", body)
    at = 8 + (8 if flags & 1 else 0) + (4 if flags & 2 else 0)
    values: list[int | None] = []
    for bit in (_HAS_DURATION, _HAS_SIZE, _HAS_FLAGS):
        values.append(_unpack(">I", body, at, box)[0] if flags & bit else None)
        at += 4 if flags & bit else 0
    return FragmentDefaults(track, bool(flags & _DEFAULT_BASE_IS_MOOF), *values)


def read_decode_time(data: bytes, box: Box) -> int:
    """The time in tfdt, either version."""
    body = _fields(data, box, 8)
    return int(_unpack(">Q" if body[0] == 1 else ">I", body, 4, box)[0])


def read_run(data: bytes, box: Box) -> RunTable:
    """The table of trun, either version. Raises RemoteProtocolError where the table is longer than the box."""
    body = _fields(data, box, 8)
    flags, count = int.from_bytes(body[1:4]), int.from_bytes(body[4:8])
    version, at = body[0], 8
    data_offset = first = None
    if flags & _DATA_OFFSET:
        data_offset, at = _unpack(">i", body, at, box)[0], at + 4
    if flags & _FIRST_FLAGS:
        first, at = _unpack(">I", body, at, box)[0], at + 4
    bits = (_DURATIONS, _SIZES, _FLAGS, _OFFSETS)
    signed = "i" if version else "I"
    row = struct.Struct(">" + "".join(signed if bit == _OFFSETS else "I" for bit in bits if flags & bit))
    if count * row.size > len(body) - at or (count and not row.size):
        raise RemoteProtocolError(f"trun at byte {box.start} names {count} samples and has no room for them")
    rows = (iter(row.unpack_from(body, at + row.size * index)) for index in range(count))
    table = tuple(SampleRow(*(next(values) if flags & bit else None for bit in bits)) for values in rows)
    return RunTable(version, data_offset, first, table)


def _make_tfhd(run: Run, *, durations: bool, flags: bool) -> bytes:
    """A tfhd box with the values that hold for the whole run."""
    parts, values = _DEFAULT_BASE_IS_MOOF, [TRACK]
    if durations:
        parts, values = parts | _HAS_DURATION, [*values, int(run.durations[0])]
    if flags:
        parts, values = parts | _HAS_FLAGS, [*values, int(run.flags[-1])]
    return make_full_box("tfhd", 0, parts, struct.pack(f">{len(values)}I", *values))


def _is_constant(column: Column) -> bool:
    values = column.tolist()
    return not values or values.count(values[0]) == len(values)


def _fields(data: bytes, box: Box, least: int) -> bytes:
    """The body of a box that needs `least` bytes."""
    if box.end - box.body < least:
        raise RemoteProtocolError(f"box {box.kind!r} at byte {box.start} has only {box.size} bytes")
    return data[box.body : box.end]


def _unpack(layout: str, body: bytes, at: int, box: Box) -> tuple[int, ...]:
    if at + struct.calcsize(layout) > len(body):
        raise RemoteProtocolError(f"box {box.kind!r} at byte {box.start} is cut off after {box.size} bytes")
    return struct.unpack_from(layout, body, at)
