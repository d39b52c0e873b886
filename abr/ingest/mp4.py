"""The packets of a plain MP4 or MOV file, read by its sample tables: a few large reads instead of one a packet."""

import errno
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from abr.errors import RemoteProtocolError
from abr.formats.box import Box, read_header
from abr.formats.isobmff import Column
from abr.formats.sampletable import SampleTable, read_sample_tables
from abr.model.media import Packet

_WINDOW_BYTES = 4 << 20
_WINDOW_PACKETS = 4096
"""What is read at once: small enough for a processor's cache, large enough to make the calls cheap."""
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
    keys: NDArray[np.bool_]
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
    def open(cls, path: Path, bases: Mapping[int, Fraction]) -> Self | None:
        """A file's tracks by track_ID, with the time base that each must have; None where it cannot be read so."""
        file = path.open("rb", buffering=0)
        try:
            tables = _tables(file)
        except (OSError, RemoteProtocolError):
            tables = {}
        chosen = [tables[track] for track in bases if track in tables]
        if [Fraction(1, table.timescale) for table in chosen] == list(bases.values()):
            return cls(file, chosen)
        file.close()
        return None

    def packets(self) -> Iterator[Packet]:
        """All packets in the file's order; by decode time where a track lies more than a second behind another.

        Their data are views of what was read together. Raises OSError when the file has become shorter,
        ValueError after `close`.
        """
        sizes = np.cumsum(self._samples.sizes[self._order])
        start = 0
        while start < len(sizes):
            limit = sizes[start] + _WINDOW_BYTES
            stop = min(int(np.searchsorted(sizes, limit)), start + _WINDOW_PACKETS)
            window = self._order[start : max(stop, start + 1)]
            yield from self._read(_Samples(*(column[window] for column in self._samples)))
            start += len(window)

    def close(self) -> None:
        """Close the file. May be called twice."""
        self._file.close()

    def _read(self, samples: _Samples) -> Iterator[Packet]:
        starts, stops, regions = _regions(samples.offsets, samples.sizes)
        views = [self._view(start, stop) for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]
        places = samples.offsets - starts[regions]
        data = [
            views[region][start:stop]
            for region, start, stop in zip(
                regions.tolist(), places.tolist(), (places + samples.sizes).tolist(), strict=True
            )
        ]
        return map(_packet, zip(*(column.tolist() for column in samples[:5]), repeat(False), data))

    def _view(self, start: int, stop: int) -> memoryview:
        data = os.pread(self._file.fileno(), stop - start, start)
        if len(data) < stop - start:
            raise OSError(errno.ENODATA, "the file has become shorter")
        return memoryview(data)


def _joined(tables: Sequence[SampleTable]) -> _Samples:
    """The samples of all tracks, one track after another."""
    tracks = np.repeat(np.arange(len(tables)), [len(table.sizes) for table in tables])
    names = _Samples._fields[1:]
    return _Samples(tracks, *(np.concatenate([getattr(table, name) for table in tables]) for name in names))


def _order(tables: Sequence[SampleTable], samples: _Samples) -> Column:
    """In which order samples are read, empty ones left out."""
    scales = [table.timescale for table in tables]
    times = np.concatenate([_microseconds(table.decode, table.timescale) for table in tables])
    by_place = np.argsort(samples.offsets, kind="stable")
    late = np.maximum.accumulate(times[by_place]) - times[by_place]
    disordered = any((np.diff(table.offsets) < 0).any() for table in tables)
    strays = disordered or (len(late) > 0 and late.max() > _STRAY)
    order = np.argsort(times, kind="stable") if strays else by_place
    return order[samples.sizes[order] > 0]


def _microseconds(ticks: Column, timescale: int) -> Column:
    return ticks // timescale * 1_000_000 + ticks % timescale * 1_000_000 // timescale
