"""The packets of a plain MP4 or MOV file, read by its sample tables: a few large reads instead of one a packet."""

import errno
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Self

import numpy as np

from abr.errors import RemoteProtocolError
from abr.formats.sampletable import SampleTable, read_sample_tables
from abr.model.columns import Column, Flags, Packets
from abr.model.media import Packet

_WINDOW_BYTES = 1 << 18
_BATCH_BYTES = 4 << 20
"""What is read at once, for packets and for batches: the latter are copied, and large reads make that cheap."""
_WINDOW_PACKETS = 4096
_ARENA = 31 << 20
"""A block of this size, allocated and freed unused, teaches glibc to keep what is freed later: else each window's pages
are given back to the system and faulted in again (mallopt(3), M_MMAP_THRESHOLD)."""
_HOLE = 4096
"""Bytes between two samples that are read along rather than passed over with another call."""
_STRAY = 1_000_000
"""Microseconds by which the file's order may differ from that of time."""
_MOST_BOXES = 1000
_LARGEST_MOOV = 256 << 20

_packet: Callable[[tuple[Any, ...]], Packet] = partial(tuple.__new__, Packet)
"""A Packet of the tuple of its fields: a third of the price of a call with arguments."""


class _Samples(NamedTuple):
    """Samples of several tracks, column by column."""

    tracks: Column
    shown: Column
    decode: Column
    durations: Column
    keys: Flags
    offsets: Column
    sizes: Column


class PlainFile:
    """A file whose sample tables tell all packets of the chosen tracks. One thread uses it."""

    def __init__(self, file: BinaryIO, tables: Sequence[SampleTable]) -> None:
        """`tables` in the order of Packet.track."""
        self._file = file
        self._samples = _joined(tables)
        self._order = _order(tables, self._samples)

    @classmethod
    def open(cls, path: Path, tracks: Sequence[tuple[int, Fraction]]) -> Self | None:
        """The file's tracks of these track_IDs and time bases; None where they cannot be read so."""
        file = path.open("rb", buffering=0)
        try:
            tables = _tables(file)
        except (OSError, RemoteProtocolError):
            tables = {}
        chosen = [tables[number] for number, _ in tracks if number in tables]
        if [Fraction(1, table.timescale) for table in chosen] == [base for _, base in tracks]:
            return cls(file, chosen)
        file.close()
        return None

    def packets(self) -> Iterator[Packet]:
        """All packets in the file's order; by decode time where a track lies more than a second behind another.

        Their data are views of what was read together. Raises OSError when the file has become shorter,
        ValueError after `close`.
        """
        for samples, data in self._windows(_WINDOW_BYTES):
            rows = zip(*(column.tolist() for column in samples[:5]), repeat(False), data, repeat(False))
            yield from map(_packet, rows)

    def batches(self) -> Iterator[Packets]:
        """The same packets, some thousand at once, those of one track together. Raises as `packets` does."""
        bytes(_ARENA)
        for samples, data in self._windows(_BATCH_BYTES):
            for track in np.flatnonzero(np.bincount(samples.tracks)).tolist():
                rows = np.flatnonzero(samples.tracks == track)
                own = _Samples._make(column[rows] for column in samples)
                views = [data[row] for row in rows.tolist()]
                yield Packets(track, own.shown, own.decode, own.durations, own.keys, views)

    def close(self) -> None:
        """Close the file. May be called twice."""
        self._file.close()

    def _windows(self, size: int) -> Iterator[tuple[_Samples, list[memoryview]]]:
        """Samples that were read together, about `size` bytes, and those."""
        sizes = np.cumsum(self._samples.sizes[self._order])
        start = 0
        while start < len(sizes):
            stop = int(np.searchsorted(sizes, sizes[start] + size))
            window = self._order[start : min(stop, start + _WINDOW_PACKETS)]
            samples = _Samples._make(column[window] for column in self._samples)
            yield samples, self._read(samples.offsets, samples.sizes)
            start += len(window)

    def _read(self, offsets: Column, sizes: Column) -> list[memoryview]:
        starts, stops, regions = _regions(offsets, sizes)
        views = [self._view(start, stop) for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]
        places = offsets - starts[regions]
        ends = (places + sizes).tolist()
        rows = zip(regions.tolist(), places.tolist(), ends, strict=True)
        return [views[region][start:stop] for region, start, stop in rows]

    def _view(self, start: int, stop: int) -> memoryview:
        data = os.pread(self._file.fileno(), stop - start, start)
        if len(data) < stop - start:
            raise OSError(errno.ENODATA, "the file has become shorter")
        return memoryview(data)


def _tables(file: BinaryIO) -> dict[int, SampleTable]:
    """The sample tables of a file by track_ID. Raises RemoteProtocolError, OSError."""
    descriptor, at = file.fileno(), 0
    size = os.fstat(descriptor).st_size
    for _ in range(_MOST_BOXES):
        head = os.pread(descriptor, 16, at)
        if len(head) < 16:
            break
        length, kind, longer = struct.unpack(">I4sQ", head)
        if length < 2:
            length = longer if length else size - at
        if kind == b"moov" and length <= _LARGEST_MOOV:
            return read_sample_tables(os.pread(descriptor, length, at), size)
        if length < 8:
            break
        at += length
    return {}


def _regions(offsets: Column, sizes: Column) -> tuple[Column, Column, Column]:
    """What to read for these samples: where each region starts and stops, and the region of each sample."""
    order = np.argsort(offsets, kind="stable")
    starts = offsets[order]
    stops = np.maximum.accumulate(starts + sizes[order])
    first = np.append(True, starts[1:] - stops[:-1] > _HOLE)
    last = np.append(first[1:], True)
    regions = np.empty_like(order)
    regions[order] = np.cumsum(first) - 1
    return starts[first], stops[last], regions


def _joined(tables: Sequence[SampleTable]) -> _Samples:
    """The samples of all tracks, one track after another."""
    tracks = np.repeat(np.arange(len(tables)), [len(table.sizes) for table in tables])
    names = _Samples._fields[1:]
    columns = (np.concatenate([getattr(table, name) for table in tables]) for name in names)
    return _Samples._make((tracks, *columns))


def _order(tables: Sequence[SampleTable], samples: _Samples) -> Column:
    """In which order samples are read, empty ones left out."""
    times = np.concatenate([_microseconds(table.decode, table.timescale) for table in tables])
    by_place = np.argsort(samples.offsets, kind="stable")
    late = np.maximum.accumulate(times[by_place]) - times[by_place]
    disordered = any((np.diff(table.offsets) < 0).any() for table in tables)
    strays = disordered or (len(late) > 0 and late.max() > _STRAY)
    order = np.argsort(times, kind="stable") if strays else by_place
    return order[samples.sizes[order] > 0]


def _microseconds(ticks: Column, timescale: int) -> Column:
    return ticks // timescale * 1_000_000 + ticks % timescale * 1_000_000 // timescale
