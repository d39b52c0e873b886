"""Where segments begin and end: packets of one rendition in, the samples of one segment out. Arithmetic only."""

import math
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from abr.errors import MediaError
from abr.model.media import EncodedPacket, Kind
from abr.model.segment import Rendition
from abr.model.time import Grid, seconds


class Cut(NamedTuple):
    """The samples of one segment; [start, end) in ticks of the rendition's timescale."""

    rendition: str
    number: int
    start: int
    """Presentation time of the first sample."""
    end: int
    """Where the next segment or gap of this rendition starts."""
    parts: tuple[Sequence[EncodedPacket], ...]
    """The samples in decode order; a segment is the sum of its parts (DESIGN 3.10), one for now."""


class Missing(NamedTuple):
    """A number without media: a gap. What a cutter gives is without a hole: each start is the end before it."""

    rendition: str
    number: int
    start: int
    end: int


Piece = Cut | Missing


@dataclass(slots=True)
class CutPlan:
    """Where the segments of a film start, as far as known: written by its leading rendition, read by others."""

    starts: list[tuple[int, Fraction]] = field(default_factory=list)
    """Number and presentation time (seconds) of each start, growing."""
    end: Fraction | None = None
    """Where the leading rendition ended, once it has."""


class Cutter:
    """Cuts one rendition by the numbers of the grid.

    Segment n ends when a packet with a higher number arrives at which one may start: a key frame for video,
    any packet for audio. In live output video must have a key frame at each start of a number; a number of
    which nothing came is Missing. A film (`live=False`) may have frames of any length and key frames anywhere:
    it is cut at the first key frame of each number, its segments are numbered one after another (a manifest can
    only count by one), and `plan` is told every start.

    Packets before segment `first` are dropped (the priming of an audio encoder), and so is video before its
    first key frame; `dropped` counts both.
    """

    def __init__(
        self, rendition: Rendition, grid: Grid, first: int, *, live: bool, plan: CutPlan | None = None
    ) -> None:
        self.dropped = 0
        self._rendition = rendition
        self._video = rendition.kind is Kind.VIDEO
        self._grid = grid
        self._live = live
        self._plan = plan
        self._number = first - 1
        """The open segment, or the number before the first."""
        self._samples: list[EncodedPacket] = []
        self._limit = grid.start(first, rendition.timescale)
        """The first tick of the number after the open one."""

    def push(self, packet: EncodedPacket) -> list[Piece]:
        """Take the next packet in decode order; give the segment that it ends, and gaps before its own.

        Raises MediaError for a segment that does not start with its earliest frame, and in live output for
        video without a key frame where a segment must start.
        """
        if packet.pts >= self._limit and (packet.key or not self._video):
            return self._open(packet)
        if not self._samples:
            self.dropped += 1
        elif packet.pts >= self._limit and self._live:
            raise self._no_key_frame(self._grid.number_at(packet.pts, self._rendition.timescale))
        else:
            self._samples.append(packet)
        return []

    def extend(self, packets: Sequence[EncodedPacket]) -> list[Piece]:
        """`push` for many packets: several times faster. Raises MediaError."""
        pieces: list[Piece] = []
        for packet in packets:
            if packet.pts < self._limit and self._samples:
                self._samples.append(packet)
            else:
                pieces += self.push(packet)
        return pieces

    def flush(self) -> list[Piece]:
        """The input has ended: the last segment runs to the end of its last sample."""
        if not self._samples:
            return []
        end = max(sample.pts + sample.duration for sample in self._samples)
        if self._plan is not None:
            self._plan.end = seconds(end, self._rendition.timescale)
        pieces: list[Piece] = [self._cut(end)]
        self._samples = []
        return pieces

    def _open(self, packet: EncodedPacket) -> list[Piece]:
        number = self._grid.number_at(packet.pts, self._rendition.timescale)
        if self._live and self._video and packet.pts != self._start(number):
            raise self._no_key_frame(number)
        pieces: list[Piece] = []
        skipped = range(self._number + 1, number) if self._live else range(0)
        if self._samples:
            pieces.append(self._cut(self._start(skipped[0]) if skipped else packet.pts))
        pieces.extend(self._missing(skipped, packet.pts))
        self._number = number if self._live else self._number + 1
        if self._plan is not None:
            self._plan.starts.append((self._number, seconds(packet.pts, self._rendition.timescale)))
        self._samples = [packet]
        self._limit = self._start(number + 1)
        return pieces

    def _missing(self, numbers: range, end: int) -> list[Missing]:
        name = self._rendition.name
        return [
            Missing(
                name, number, self._start(number), end if number == numbers[-1] else self._start(number + 1)
            )
            for number in numbers
        ]

    def _cut(self, end: int) -> Cut:
        start = self._samples[0].pts
        earliest = min(self._samples).pts if self._video else start
        if earliest < start:
            raise MediaError(
                f"rendition {self._rendition.name}: segment {self._number} starts at tick {start} and has a frame at"
                f" {earliest}, shown before its key frame; key frames must close their group of pictures"
            )
        return Cut(self._rendition.name, self._number, start, end, (self._samples,))

    def _no_key_frame(self, number: int) -> MediaError:
        return MediaError(
            f"rendition {self._rendition.name}: the encoder gave no key frame at the start of segment {number};"
            " choose an encoder that obeys forced key frames"
        )

    def _start(self, number: int) -> int:
        return self._grid.start(number, self._rendition.timescale)


class Follower:
    """Cuts the audio of a film where its video was cut, so that both have the same numbers.

    Packets wait until the plan knows the start after the next one: only then is it known whether the next
    segment has media, and so where this one ends. Those before the first start and after the end of the plan
    are dropped and counted. Flush the cutter that leads first.
    """

    def __init__(self, rendition: Rendition, plan: CutPlan) -> None:
        self.dropped = 0
        self._rendition = rendition
        self._plan = plan
        self._waiting: deque[EncodedPacket] = deque()
        self._place = 0
        """Index in the plan of the next segment to give."""
        self._begin: int | None = None
        """Where the piece before ended."""

    def push(self, packet: EncodedPacket) -> list[Piece]:
        """Take the next packet; give the segments whose end is known and reached."""
        return self.extend((packet,))

    def extend(self, packets: Sequence[EncodedPacket]) -> list[Piece]:
        """`push` for many packets."""
        self._waiting.extend(packets)
        pieces: list[Piece] = []
        newest = self._waiting[-1].pts if self._waiting else 0
        while self._place + 2 < len(self._plan.starts) and self._edge(self._place + 1) <= newest:
            pieces.append(self._next())
        return pieces

    def flush(self) -> list[Piece]:
        """The input has ended: give all segments of the plan; the last ends with its last sample."""
        pieces: list[Piece] = []
        while self._place < len(self._plan.starts):
            pieces.append(self._next())
        self.dropped += len(self._waiting)
        self._waiting.clear()
        return pieces

    def _next(self) -> Piece:
        """The segment at `_place`, or a gap where it has no media."""
        if self._place == 0:
            self.dropped += len(self._take(self._edge(0)))
        stop = self._edge(self._place + 1)
        samples = self._take(stop)
        if samples and self._place + 1 >= len(self._plan.starts):
            end = samples[-1].pts + samples[-1].duration
        elif self._waiting and self._waiting[0].pts < self._edge(self._place + 2):
            end = self._waiting[0].pts
        else:
            end = stop
        number = self._plan.starts[self._place][0]
        begin = self._edge(self._place) if self._begin is None else self._begin
        self._place, self._begin = self._place + 1, end
        if samples:
            return Cut(self._rendition.name, number, samples[0].pts, end, (samples,))
        return Missing(self._rendition.name, number, begin, end)

    def _take(self, stop: int) -> list[EncodedPacket]:
        """The waiting packets that start before `stop`."""
        taken = []
        while self._waiting and self._waiting[0].pts < stop:
            taken.append(self._waiting.popleft())
        return taken

    def _edge(self, place: int) -> int:
        """The tick at which a segment of the plan starts; behind the last one, where the plan ends."""
        starts, scale = self._plan.starts, self._rendition.timescale
        if place < len(starts):
            return math.ceil(starts[place][1] * scale)
        return sys.maxsize if self._plan.end is None else math.ceil(self._plan.end * scale)
