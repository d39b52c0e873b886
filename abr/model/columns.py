"""Many packets as columns: sequences whose records are made only when somebody asks for one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from abr.model.media import Data, EncodedPacket, Packet

Column = NDArray[np.int64]
Flags = NDArray[np.bool_]

MISSING = -(1 << 63)
"""Stands in a column for a time that a packet does not have."""

T = TypeVar("T")


class _Records(Sequence[T]):
    """They equal every sequence of the same records."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)


@dataclass(frozen=True, slots=True, eq=False)
class Packets(_Records[Packet]):
    """Packets of one track, as a container gave them. Which of them are damaged or hidden is not kept."""

    track: int
    pts: Column
    dts: Column
    durations: Column
    keys: Flags
    data: Sequence[Data]

    @classmethod
    def of(cls, packets: Sequence[Packet]) -> "Packets":
        """The columns of packets of one track; there is at least one."""
        if isinstance(packets, Packets):
            return packets
        tracks, pts, dts, durations, keys, _, data, _ = zip(*packets, strict=True)
        return cls(tracks[0], _times(pts), _times(dts), _column(durations), _flags(keys), data)

    def whole(self) -> "Packets":
        """Those that hold something."""
        if all(self.data):
            return self
        rows = [row for row, data in enumerate(self.data) if data]
        pts, dts, durations, keys = self.pts[rows], self.dts[rows], self.durations[rows], self.keys[rows]
        return Packets(self.track, pts, dts, durations, keys, [self.data[row] for row in rows])

    def __len__(self) -> int:
        return len(self.data)

    @overload
    def __getitem__(self, place: int) -> Packet: ...
    @overload
    def __getitem__(self, place: slice) -> "Packets": ...
    def __getitem__(self, place: int | slice) -> "Packet | Packets":
        if isinstance(place, slice):
            pts, dts, durations = self.pts[place], self.dts[place], self.durations[place]
            return Packets(self.track, pts, dts, durations, self.keys[place], self.data[place])
        shown, decoded = _time(self.pts[place]), _time(self.dts[place])
        duration, key = int(self.durations[place]), bool(self.keys[place])
        return Packet(self.track, shown, decoded, duration, key, corrupt=False, data=self.data[place])


@dataclass(frozen=True, slots=True, eq=False)
class Samples(_Records[EncodedPacket]):
    """Packets of one rendition."""

    pts: Column
    durations: Column
    keys: Flags
    data: Sequence[Data]

    @classmethod
    def of(cls, packets: Sequence[EncodedPacket]) -> "Samples":
        """The columns of packets."""
        if isinstance(packets, Samples):
            return packets
        pts, durations, keys, data = zip(*packets, strict=True) if packets else ((), (), (), ())
        return cls(_column(pts), _column(durations), _flags(keys), data)

    @classmethod
    def joined(cls, parts: Sequence["Samples"]) -> "Samples":
        """The packets of all parts, one part behind another."""
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return cls.of(())
        return cls(
            np.concatenate([part.pts for part in parts]),
            np.concatenate([part.durations for part in parts]),
            np.concatenate([part.keys for part in parts]),
            list(chain.from_iterable(part.data for part in parts)),
        )

    def __len__(self) -> int:
        return len(self.data)

    @overload
    def __getitem__(self, place: int) -> EncodedPacket: ...
    @overload
    def __getitem__(self, place: slice) -> "Samples": ...
    def __getitem__(self, place: int | slice) -> "EncodedPacket | Samples":
        if isinstance(place, slice):
            return Samples(self.pts[place], self.durations[place], self.keys[place], self.data[place])
        pts, duration, key = int(self.pts[place]), int(self.durations[place]), bool(self.keys[place])
        return EncodedPacket(pts, duration, key, self.data[place])


def _column(values: Sequence[int]) -> Column:
    return np.array(values, dtype=np.int64)


def _flags(values: Sequence[bool]) -> Flags:
    return np.array(values, dtype=np.bool_)


def _time(value: np.int64) -> int | None:
    return None if value == MISSING else int(value)


def _times(values: Iterable[int | None]) -> Column:
    return _column([MISSING if value is None else value for value in values])
