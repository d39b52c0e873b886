"""Where segments begin and end: packets of one rendition in, the samples of one segment out. Arithmetic only."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from abr.errors import MediaError
from abr.model.columns import Samples
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
        self._start: int | None = None
        """Where the open segment starts; None before the first."""
        self._held: list[Samples] = []
        """Its packets."""
        self._limit = grid.start(first, rendition.timescale)
        """The first tick of the number after the open one."""

    def push(self, packet: EncodedPacket) -> list[Piece]:
        """Take the next packet in decode order; give the segment that it ends, and gaps before its own.

        Raises MediaError for a segment that does not start with its earliest frame, and in live output for
        video without a key frame where a segment must start.
        """
        return self.extend((packet,))

    def extend(self, packets: Sequence[EncodedPacket]) -> list[Piece]:
        """`push` for many packets. Raises MediaError."""
        rest = Samples.of(packets)
        pieces: list[Piece] = []
        while rest:
            place = self._next_start(rest)
            self._hold(rest[:place])
            rest = rest[place:]
            if rest:
                pieces += self._open(int(rest.pts[0]))
        return pieces

    def skip(self, until: int) -> list[Piece]:
        """No packet before `until` comes (live, the start of a number): the open segment ends, gaps follow up to there."""
        number = self._grid.number_at(until, self._rendition.timescale)
        pieces: list[Piece] = []
        if self._start is not None:
            pieces.append(self._cut(self._start, self._limit))
        pieces.extend(self._missing(range(self._number + 1, number), until))
        self._number, self._start, self._limit = number - 1, None, until
        return pieces

    def flush(self) -> list[Piece]:
        """The input has ended: the last segment runs to the end of its last sample."""
        if self._start is None or not self._held:
            return []
        end = max(int((samples.pts + samples.durations).max()) for samples in self._held)
        if self._plan is not None:
            self._plan.end = seconds(end, self._rendition.timescale)
        return [self._cut(self._start, end)]

    def _next_start(self, samples: Samples) -> int:
        """The place of the first packet at which a segment may start; behind the last one where there is none."""
        starts = samples.pts >= self._limit
        if self._video:
            starts &= samples.keys
        place = int(starts.argmax())
        return place if starts[place] else len(samples)

    def _hold(self, samples: Samples) -> None:
        """Packets at which no segment starts."""
        if self._start is None:
            self.dropped += len(samples)
        elif samples:
            late = samples.pts[samples.pts >= self._limit]
            if self._live and len(late):
                raise self._no_key_frame(self._grid.number_at(int(late[0]), self._rendition.timescale))
            self._held.append(samples)

    def _open(self, start: int) -> list[Piece]:
        number = self._grid.number_at(start, self._rendition.timescale)
        if self._live and self._video and start != self._edge(number):
            raise self._no_key_frame(number)
        pieces: list[Piece] = []
        skipped = range(self._number + 1, number) if self._live else range(0)
        if self._start is not None:
            pieces.append(self._cut(self._start, self._edge(skipped[0]) if skipped else start))
        pieces.extend(self._missing(skipped, start))
        self._number = number if self._live else self._number + 1
        if self._plan is not None:
            self._plan.starts.append((self._number, seconds(start, self._rendition.timescale)))
        self._start = start
        self._limit = self._edge(number + 1)
        return pieces

    def _missing(self, numbers: range, end: int) -> list[Missing]:
        name = self._rendition.name
        return [
            Missing(
                name, number, self._edge(number), end if number == numbers[-1] else self._edge(number + 1)
            )
            for number in numbers
        ]

    def _cut(self, start: int, end: int) -> Cut:
        samples, self._held = Samples.joined(self._held), []
        earliest = int(samples.pts.min()) if self._video else start
        if earliest < start:
            raise MediaError(
                f"rendition {self._rendition.name}: segment {self._number} starts at tick {start} and has a frame at"
                f" {earliest}, shown before its key frame; key frames must close their group of pictures"
            )
        return Cut(self._rendition.name, self._number, start, end, (samples,))

    def _no_key_frame(self, number: int) -> MediaError:
        return MediaError(
            f"rendition {self._rendition.name}: the encoder gave no key frame at the start of segment {number};"
            " choose an encoder that obeys forced key frames"
        )

    def _edge(self, number: int) -> int:
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
        self._waiting = Samples.of(())
        self._place = 0
        """Index in the plan of the next segment to give."""
        self._begin: int | None = None
        """Where the piece before ended."""

    def push(self, packet: EncodedPacket) -> list[Piece]:
        """Take the next packet; give the segments whose end is known and reached."""
        return self.extend((packet,))

    def extend(self, packets: Sequence[EncodedPacket]) -> list[Piece]:
        """`push` for many packets."""
        self._waiting = Samples.joined([self._waiting, Samples.of(packets)])
        pieces: list[Piece] = []
        newest = int(self._waiting.pts[-1]) if self._waiting else 0
        while self._place + 2 < len(self._plan.starts) and self._edge(self._place + 1) <= newest:
            pieces.append(self._next())
        return pieces

    def flush(self) -> list[Piece]:
        """The input has ended: give all segments of the plan; the last ends with its last sample."""
        pieces: list[Piece] = []
        while self._place < len(self._plan.starts):
            pieces.append(self._next())
        self.dropped += len(self._waiting)
        self._waiting = Samples.of(())
        return pieces

    def _next(self) -> Piece:
        """The segment at `_place`, or a gap where it has no media."""
        if self._place == 0:
            self.dropped += len(self._take(self._edge(0)))
        stop = self._edge(self._place + 1)
        samples = self._take(stop)
        if samples and self._place + 1 >= len(self._plan.starts):
            end = int(samples.pts[-1] + samples.durations[-1])
        elif self._waiting and self._waiting.pts[0] < self._edge(self._place + 2):
            end = int(self._waiting.pts[0])
        else:
            end = stop
        number = self._plan.starts[self._place][0]
        begin = self._edge(self._place) if self._begin is None else self._begin
        self._place, self._begin = self._place + 1, end
        if samples:
            return Cut(self._rendition.name, number, int(samples.pts[0]), end, (samples,))
        return Missing(self._rendition.name, number, begin, end)

    def _take(self, stop: int) -> Samples:
        """The waiting packets before the first one at `stop` or later."""
        late = self._waiting.pts >= stop
        count = int(late.argmax()) if late.any() else len(late)
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    def _edge(self, place: int) -> int:
        """The tick at which a segment of the plan starts; behind the last one, where the plan ends."""
        starts, scale = self._plan.starts, self._rendition.timescale
        if place < len(starts):
            return math.ceil(starts[place][1] * scale)
        return sys.maxsize if self._plan.end is None else math.ceil(self._plan.end * scale)
