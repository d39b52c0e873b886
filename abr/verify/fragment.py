"""Media segments: moof, trun and the samples they describe (ISO/IEC 14496-12 8.8)."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from abr.errors import RemoteProtocolError
from abr.verify.boxes import Box, Reader
from abr.verify.init import Defaults, Init, Track
from abr.verify.picture import starts_with_key

Ticks = NDArray[np.int64]

_NOT_SYNC = 0x10000
"""sample_is_non_sync_sample of the sample flags (8.8.3.1)."""
_DEFAULT_BASE_IS_MOOF, _BASE_OFFSET = 0x20000, 1
_LARGEST_TIME = 2**62


class Run(NamedTuple):
    """The samples of one traf, in decode order, in ticks."""

    durations: Ticks
    sizes: Ticks
    flags: Ticks
    offsets: Ticks
    """Composition offsets."""
    places: Ticks
    """Where the bytes of each sample begin in the segment."""
    version: int
    """The lowest version of its trun boxes."""
    addressed: bool
    """Whether the first trun has a data offset."""


@dataclass(frozen=True, slots=True, eq=False)
class Fragment:
    """One traf of one moof."""

    track: int
    start: int | None
    """tfdt."""
    moof_based: bool
    """default-base-is-moof."""
    absolute: bool
    """base_data_offset is there."""
    run: Run

    @property
    def duration(self) -> int:
        """Sum of the sample durations."""
        return int(self.run.durations.sum())


@dataclass(frozen=True, eq=False)
class Media:
    """A media segment. Times are in ticks of its track; presentation times count before edit lists."""

    size: int
    brands: tuple[str, ...]
    """Of styp; empty if there is none."""
    fragments: tuple[Fragment, ...]
    tracks_of_moof: int
    """The largest number of trafs in a moof."""
    key: bool | None
    """Whether the bytes of the first sample are an IDR or key picture; None for other media."""
    loose: int
    """Samples whose bytes do not lie inside an mdat."""
    first_end: int
    """Where the first sample ends."""

    @property
    def start(self) -> int:
        """The first decode time; 0 without tfdt."""
        return self.fragments[0].start or 0

    @cached_property
    def duration(self) -> int:
        """Sum of all sample durations of the first track."""
        return sum(item.duration for item in self.fragments if item.track == self.fragments[0].track)

    @cached_property
    def samples(self) -> int:
        """Samples of the first track."""
        return int(
            sum(len(item.run.durations) for item in self.fragments if item.track == self.fragments[0].track)
        )

    @cached_property
    def shown(self) -> Ticks:
        """Composition times of all samples of the first track, in decode order."""
        return _joined([_decode_times(item) + item.run.offsets for item in self._own()])

    @cached_property
    def durations(self) -> Ticks:
        """Durations of all samples of the first track, in decode order."""
        return _joined([item.run.durations for item in self._own()])

    @cached_property
    def first_shown(self) -> int:
        """The earliest composition time."""
        return int(self.shown.min())

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """The different durations of its samples."""
        return tuple(set(self.durations.tolist()))

    @cached_property
    def sync(self) -> NDArray[np.bool_]:
        """Which samples are marked as sync samples."""
        flags = _joined([item.run.flags for item in self._own()])
        return np.asarray((flags & _NOT_SYNC) == 0)

    @property
    def keys(self) -> tuple[int, ...]:
        """Composition times of the samples marked as sync samples."""
        return tuple(self.shown[self.sync].tolist())

    def _own(self) -> list[Fragment]:
        return [item for item in self.fragments if item.track == self.fragments[0].track]


def _decode_times(fragment: Fragment) -> Ticks:
    durations = fragment.run.durations
    return (fragment.start or 0) + np.concatenate([[0], np.cumsum(durations[:-1])]).astype(np.int64)


def parse_segment(data: bytes, init: Init, *, cut: bool = False) -> Media:
    """Read a media segment. With `cut` the bytes may stop inside mdat (the range of an I-frame).

    Raises RemoteProtocolError where boxes are broken, no sample is there or times cannot be.
    """
    reader = Reader(data)
    top = list(reader.boxes(0, len(data), cut=cut))
    styp = next((box for box in top if box.kind == "styp"), None)
    moofs = [box for box in top if box.kind == "moof"]
    grouped = [_trafs(reader, moof, init) for moof in moofs]
    fragments = tuple(item for group in grouped for item in group)
    if not sum(len(item.run.durations) for item in fragments[:1]):
        raise RemoteProtocolError("the segment has no samples")
    spans = [(box.body, box.end) for box in top if box.kind == "mdat"]
    first = fragments[0].run
    place, size = int(first.places[0]), int(first.sizes[0])
    track = next((track for track in init.tracks if track.id == fragments[0].track), init.track)
    return Media(
        size=len(data),
        brands=_brands(reader, styp) if styp else (),
        fragments=fragments,
        tracks_of_moof=max(map(len, grouped)),
        key=starts_with_key(data[max(0, place) : place + size], track.entry),
        loose=sum(_loose(item.run, spans) for item in fragments),
        first_end=place + size,
    )


def _brands(reader: Reader, styp: Box) -> tuple[str, ...]:
    text = reader.bytes(styp).decode("latin-1")
    return (text[:4], *(text[place : place + 4] for place in range(8, len(text) - 3, 4)))


def _loose(run: Run, spans: list[tuple[int, int]]) -> int:
    inside = np.zeros(len(run.places), dtype=np.bool_)
    for start, end in spans:
        inside |= (run.places >= start) & (run.places + run.sizes <= end)
    return int(len(inside) - inside.sum())


def _trafs(reader: Reader, moof: Box, init: Init) -> list[Fragment]:
    return [_traf(reader, traf, moof, init) for traf in reader.inside(moof) if traf.kind == "traf"]


def _traf(reader: Reader, traf: Box, moof: Box, init: Init) -> Fragment:
    tfhd = reader.need(traf, "tfhd")
    _, flags = reader.version(tfhd)
    identity = reader.number(tfhd.body + 4, 4)
    track = next((track for track in init.tracks if track.id == identity), None)
    defaults, base = _header(reader, tfhd, flags, track)
    tfdt = reader.child(traf, "tfdt")
    start = None
    if tfdt is not None:
        start = reader.number(tfdt.body + 4, 8 if reader.version(tfdt)[0] == 1 else 4)
        if start > _LARGEST_TIME:
            raise RemoteProtocolError(f"tfdt is {start}")
    truns = [box for box in reader.inside(traf) if box.kind == "trun"]
    run = _runs(reader, truns, defaults, moof.start if base is None else base)
    return Fragment(
        track=identity,
        start=start,
        moof_based=bool(flags & _DEFAULT_BASE_IS_MOOF),
        absolute=bool(flags & _BASE_OFFSET),
        run=run,
    )


def _header(reader: Reader, tfhd: Box, flags: int, track: Track | None) -> tuple[Defaults, int | None]:
    """Defaults of tfhd over those of trex, and base_data_offset (8.8.7)."""
    place = tfhd.body + 8
    base = None
    if flags & _BASE_OFFSET:
        base, place = reader.number(place, 8), place + 8
        if base > _LARGEST_TIME:
            raise RemoteProtocolError(f"base_data_offset is {base}")
    place += 4 if flags & 2 else 0
    values = list(track.defaults if track else Defaults(0, 0, 0))
    for index, bit in enumerate((8, 16, 32)):
        if flags & bit:
            values[index], place = reader.number(place, 4), place + 4
    return Defaults(*values), base


def _joined(columns: list[Ticks]) -> Ticks:
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


def _runs(reader: Reader, truns: list[Box], defaults: Defaults, base: int) -> Run:
    runs: list[Run] = []
    after = base
    for trun in truns:
        run = _run(reader, trun, defaults, base, after)
        if len(run.places):
            after = int(run.places[-1] + run.sizes[-1])
        runs.append(run)
    if not runs:
        empty = np.zeros(0, dtype=np.int64)
        return Run(empty, empty, empty, empty, empty, 1, addressed=True)
    return Run(
        durations=_joined([run.durations for run in runs]),
        sizes=_joined([run.sizes for run in runs]),
        flags=_joined([run.flags for run in runs]),
        offsets=_joined([run.offsets for run in runs]),
        places=_joined([run.places for run in runs]),
        version=min(run.version for run in runs),
        addressed=runs[0].addressed,
    )


def _run(reader: Reader, trun: Box, defaults: Defaults, base: int, after: int) -> Run:
    """One trun: the columns that its flags name, the defaults for the others (8.8.8)."""
    version, flags = reader.version(trun)
    count = reader.number(trun.body + 4, 4)
    place = trun.body + 8
    addressed = bool(flags & 1)
    start = base + reader.signed(place, 4) if addressed else after
    place += 4 * addressed
    first_flags = reader.number(place, 4) if flags & 4 else None
    place += 4 * bool(flags & 4)
    named = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
    if place + 4 * len(named) * count > trun.end or (not named and count > 1_000_000):
        raise RemoteProtocolError(f"trun at byte {trun.start} is too short for {count} samples")
    table = np.frombuffer(reader.data, dtype=">u4", count=count * len(named), offset=place)
    columns = dict(zip(named, table.reshape(count, len(named)).T if named else [], strict=True))
    durations = _column(columns, 0x100, defaults.duration, count)
    sizes = _column(columns, 0x200, defaults.size, count)
    marks = _column(columns, 0x400, defaults.flags, count)
    if first_flags is not None and count:
        marks[0] = first_flags
    offsets = _column(columns, 0x800, 0, count)
    if version:
        offsets = np.where(offsets >= 2**31, offsets - 2**32, offsets)
    places = start + np.concatenate([[0], np.cumsum(sizes[:-1])]).astype(np.int64)[:count]
    return Run(durations, sizes, marks, offsets, places, version, addressed=addressed)


def _column(columns: dict[int, Any], bit: int, default: int, count: int) -> Ticks:
    if bit in columns:
        return np.asarray(columns[bit], dtype=np.int64)
    return np.full(count, default, dtype=np.int64)
