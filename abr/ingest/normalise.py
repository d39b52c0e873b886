"""One time line out of whatever times a feed sends: wraps undone, jumps closed, missing times filled in."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from abr.model.media import Gap, Kind, Packet, Track
from abr.model.time import NANO

_WRAPS = {Fraction(1, 90_000): 1 << 33, Fraction(1, 1000): 1 << 32}
"""After how many ticks MPEG-TS (ISO/IEC 13818-1, 2.4.3.7) and RTMP (5.3.1) count from 0 again."""

_FARTHEST_CTS = 10
"""Seconds by which a picture may be shown after it is decoded; more is a damaged time."""

_REMEMBERED = 4
"""Earlier time lines that a late packet may still belong to."""


class _Line:
    """Where one track stands. All times in its ticks; `shift` is added to what the feed says."""

    __slots__ = ("base", "expected", "given", "kind", "last", "limit", "shift", "step", "wrap")

    def __init__(self, track: Track, jump: int) -> None:
        self.base = track.time_base
        self.kind = track.kind
        self.limit = int(Fraction(jump, NANO) / track.time_base)
        self.wrap = _WRAPS.get(track.time_base)
        self.shift = 0
        self.step = 0
        """How long the packet before lasted."""
        self.last: int | None = None
        self.given = False
        """Whether `last` came from the feed."""
        self.expected: int | None = None

    def to_ns(self, ticks: int) -> int:
        return ticks * self.base.numerator * NANO // self.base.denominator

    def from_ns(self, time: int) -> int:
        divisor = self.base.numerator * NANO
        return (2 * time * self.base.denominator + divisor) // (2 * divisor)


class Normaliser:
    """Repairs the times of a feed's packets, track by track, on one common time line.

    A jump is a step of more than `jump` nanoseconds back, or (unless `film`) forward to where no other track
    is. All tracks follow it by the same amount, so sound and picture stay together. What stays of a
    wrong time is at most `jump`; the grid deals with that.
    """

    def __init__(self, tracks: Sequence[Track], *, jump: int = NANO, film: bool = False) -> None:
        self._jump = jump
        self._film = film
        self._lines = [_Line(track, jump) for track in tracks]
        self._shifts = [0]
        """Nanoseconds that were added to the feed's times, the newest last."""
        self._counts: Counter[str] = Counter()

    def stats(self) -> dict[str, int]:
        """What was repaired: jumps, wraps, disordered, missing; holes in the sound as gaps."""
        return {name: self._counts[name] for name in ("jumps", "wraps", "disordered", "missing", "gaps")}

    def change_tracks(self, tracks: Sequence[Track]) -> None:
        """The same feed goes on with other tracks: the time line stays."""
        kept: dict[Kind, list[_Line]] = {kind: [] for kind in Kind}
        for line in self._lines:
            kept[line.kind].append(line)
        lines = []
        for track in tracks:
            same = kept[track.kind][:1]
            del kept[track.kind][:1]
            line = same[0] if same and same[0].base == track.time_base else _Line(track, self._jump)
            if not same:
                line.shift = line.from_ns(self._shifts[-1])
            lines.append(line)
        self._lines = lines

    def push(self, packet: Packet) -> list[Packet | Gap]:
        """Give the packet with repaired times, after the hole in the sound that it shows, if it does."""
        line = self._lines[packet.track]
        raw = packet.dts if packet.dts is not None else packet.pts
        if raw is None:
            return [self._untimed(line, packet)]
        expected = line.expected
        if expected is None:
            line.shift = line.shift or line.from_ns(self._shifts[-1])
        elif not -line.limit <= raw + line.shift - expected <= line.limit:
            self._repair(line, raw, expected)
        if packet.dts is not None:
            dts = raw + line.shift
        else:
            self._counts["missing"] += 1
            dts = raw + line.shift if line.last is None else min(raw + line.shift, line.last + 1)
        return self._timed(line, packet, dts)

    def _timed(self, line: _Line, packet: Packet, dts: int) -> list[Packet | Gap]:
        last, hole = line.last, self._hole(line, packet.track, dts)
        if last is not None and dts <= last:
            self._counts["disordered"] += line.given
            dts = last + 1
        step = packet.duration
        if not step:
            step = dts - last if last is not None and 0 < dts - last <= line.limit else line.step
        line.last, line.given, line.step, line.expected = dts, packet.dts is not None, step, dts + step
        pts = self._pts(line, packet, dts)
        if pts != packet.pts or dts != packet.dts:
            packet = packet._replace(pts=pts, dts=dts)
        return [hole, packet] if hole else [packet]

    def _hole(self, line: _Line, track: int, dts: int) -> Gap | None:
        """The hole in the sound before this packet: more than two packets long."""
        if line.kind is Kind.VIDEO or line.expected is None or not 0 < 2 * line.step < dts - line.expected:
            return None
        self._counts["gaps"] += 1
        return Gap(track, line.expected, dts)

    def _pts(self, line: _Line, packet: Packet, dts: int) -> int | None:
        if packet.pts is None:
            if line.kind is Kind.VIDEO:
                return None  # the decoder knows the order
            self._counts["missing"] += 1
            return dts
        pts = packet.pts + line.shift
        if packet.dts is not None and not -line.limit <= pts - dts <= line.limit * _FARTHEST_CTS:
            self._counts["disordered"] += 1
            return dts
        return pts

    def _untimed(self, line: _Line, packet: Packet) -> Packet:
        """A packet without any time follows the one before."""
        self._counts["missing"] += 1
        dts = 0 if line.expected is None or line.last is None else max(line.expected, line.last + 1)
        step = packet.duration or line.step
        line.last, line.given, line.expected, line.step = dts, False, dts + step, step
        return packet._replace(dts=dts, pts=dts if line.kind is Kind.AUDIO else None)

    def _repair(self, line: _Line, raw: int, expected: int) -> None:
        """Choose the shift of a packet that is far from where it was expected."""
        if self._unwrap(line, raw, expected) or self._is_hole(line, raw + line.shift):
            return
        for shift in reversed(self._shifts):
            ticks = line.from_ns(shift)
            if abs(raw + ticks - expected) <= line.limit or self._is_near_others(line, raw + ticks, ticks):
                line.shift = ticks
                return
        self._counts["jumps"] += 1
        line.shift = expected - raw
        self._shifts = [*self._shifts[1 - _REMEMBERED :], line.to_ns(line.shift)]

    def _unwrap(self, line: _Line, raw: int, expected: int) -> bool:
        if line.wrap is None:
            return False
        turns, rest = divmod(expected - raw - line.shift + line.wrap // 2, line.wrap)
        if not turns or abs(rest - line.wrap // 2) > line.limit:
            return False
        self._counts["wraps"] += 1
        line.shift += turns * line.wrap
        self._shifts = [*self._shifts[1 - _REMEMBERED :], line.to_ns(line.shift)]
        return True

    def _is_hole(self, line: _Line, dts: int) -> bool:
        """Whether a step forward is a pause of this track alone, or belongs to a film."""
        if line.expected is None or dts < line.expected:
            return False
        return self._film or self._is_near_others(line, dts, line.shift)

    def _is_near_others(self, line: _Line, dts: int, shift: int) -> bool:
        """Whether `dts` is ahead of this track, but not of the others that are on the time line `shift`."""
        if line.expected is None or dts < line.expected:
            return False
        time, lag = line.to_ns(dts), line.to_ns(shift)
        return any(
            other.expected is not None
            and abs(other.to_ns(other.shift) - lag) <= self._jump // 100
            and time <= other.to_ns(other.expected) + self._jump
            for other in self._lines
            if other is not line
        )
