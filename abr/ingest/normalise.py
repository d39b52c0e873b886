"""One time line out of whatever times a feed sends: wraps undone, jumps closed, missing times filled in."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import product

from abr.ingest.line import Line
from abr.ingest.past import Past, Replay
from abr.model.media import Gap, Kind, Packet, Track
from abr.model.time import NANO

_REMEMBERED = 4
"""Earlier time lines that a late packet may still belong to."""

_APART = 2 * NANO
"""A track that begins further from the others (ns) has a clock that started elsewhere. What lies side by side in a feed
differs by less: RTMP encoders send as they encode, MP4 chunks hold a second, and MPEG-TS lets data wait for one second
in a decoder's buffers (ISO/IEC 13818-1, 2.4.2.7). So much sound may come behind its pictures and be in time still; what
starts later and comes as much later is near the others when it comes."""

_COUNTED = ("jumps", "wraps", "disordered", "missing", "gaps", "pauses", "duplicates", "replayed")


class Normaliser:
    """Repairs the times of a feed's packets, track by track, on one common time line.

    A jump is a step of more than `jump` nanoseconds back, or (unless `film`) forward to where no other track
    is. All tracks follow it by the same amount, so sound and picture stay together. What stays of a
    wrong time is at most `jump`; the grid deals with that. With `now` (monotonic, ns) a step forward that is as long
    as nothing came is no jump but a pause. A track whose first packet is more than two seconds from where the others
    are has a clock of its own, which is brought to theirs: a jump too (unless `film`, whose packets may lie in any order).

    What came twice is left out then; so is what a feed sends again that the one before had brought: `past` is handed
    from one normaliser to the next, and `opened` is when the feed began to come.
    """

    def __init__(
        self,
        tracks: Sequence[Track],
        *,
        jump: int = NANO,
        film: bool = False,
        now: Callable[[], int] | None = None,
        past: Past | None = None,
        opened: int | None = None,
    ) -> None:
        self._jump = jump
        self._film = film
        self._now = now
        self._came: int | None = None
        """When the packet before came."""
        self._lines = [Line(track, jump) for track in tracks]
        self._shifts = [0]
        """Nanoseconds that were added to the feed's times, the newest last."""
        self._counts: Counter[str] = Counter()
        self.past = past
        """What the next feed may send again; None where nobody asks."""
        self._replay: Replay | None = None
        if past is not None and now is not None:
            pictures = any(track.kind is Kind.VIDEO for track in tracks)
            self._replay = past.begin(now() if opened is None else opened, pictures=pictures)

    def stats(self) -> dict[str, int]:
        """What was repaired.

        Jumps, wraps of the counter, packets whose time was disordered or missing, holes in the sound (gaps), pauses
        of the whole feed, packets left out because they came twice (duplicates) or the feed before had brought them
        (replayed).
        """
        return {name: self._counts[name] for name in _COUNTED}

    def change_tracks(self, tracks: Sequence[Track]) -> None:
        """The same feed goes on with other tracks: the time line stays."""
        kept: dict[Kind, list[Line]] = {kind: [] for kind in Kind}
        for line in self._lines:
            kept[line.kind].append(line)
        lines = []
        for track in tracks:
            same = kept[track.kind][:1]
            del kept[track.kind][:1]
            lines.append(same[0] if same and same[0].base == track.time_base else Line(track, self._jump))
        self._lines = lines

    def repeat(self) -> None:
        """The same packets come once more, because they shall: they are no duplicates."""
        for line in self._lines:
            line.forget()

    def push(self, packet: Packet) -> Sequence[Packet | Gap]:
        """Give the packet with repaired times, after the hole in the sound that it shows, if it does.

        Nothing for one that is left out; more than one when it shows that those before were no repetition.
        """
        line = self._lines[packet.track]
        raw = packet.dts if packet.dts is not None else packet.pts
        if raw is not None and self._now is not None and line.repeats(raw, hash(packet.data)):
            self._counts["duplicates"] += 1
            return ()
        made = self._repaired(line, packet, raw)
        return made if self.past is None else self._passed(self.past, line, made)

    def _repaired(self, line: Line, packet: Packet, raw: int | None) -> list[Packet | Gap]:
        waited = self._waited()
        if line.expected is None:
            self._begin(line, raw)
        if raw is None:
            return [self._untimed(line, packet)]
        expected = line.expected
        if (
            expected is not None
            and not -line.limit <= raw + line.shift - expected <= line.limit
            and not self._is_pause(line, raw + line.shift - expected, waited)
        ):
            if packet.corrupt:
                return [self._untimed(line, packet)]  # its time is damaged too
            self._repair(line, raw, expected)
        if packet.dts is not None:
            dts = raw + line.shift
        else:
            self._counts["missing"] += 1
            dts = raw + line.shift if line.last is None else min(raw + line.shift, line.last + 1)
        return self._timed(line, packet, dts)

    def _begin(self, line: Line, raw: int | None) -> None:
        """A track's first packet: it is expected where the others are, unless it is near them."""
        line.shift = line.from_ns(self._shifts[-1])
        reached = [other.to_ns(other.expected) for other in self._lines if other.expected is not None]
        if self._film or not reached:
            return
        time = None if raw is None else line.to_ns(raw + line.shift)
        if time is None or all(abs(time - other) > _APART for other in reached):
            line.expected = line.from_ns(max(reached))

    def _passed(self, past: Past, line: Line, made: list[Packet | Gap]) -> Sequence[Packet | Gap]:
        """What of these is no repetition of the feed before; it is remembered."""
        passed: list[Packet | Gap] = []
        for item in made:
            if self._replay is None or isinstance(item, Gap):
                passed += (item,) if self._replay is None else ()
            else:
                assert self._now is not None
                passed += self._replay.push(
                    item, line.to_ns(item.dts or 0), self._now(), picture=line.kind is Kind.VIDEO
                )
                self._counts["replayed"] = self._replay.dropped
                if self._replay.over:
                    self._replay = None
        for item in passed:
            if isinstance(item, Packet) and not item.hidden:
                own = self._lines[item.track]
                past.add(own.to_ns(item.dts or 0), item.data, self._came or 0, picture=own.kind is Kind.VIDEO)
        return passed

    def _waited(self) -> int:
        """How long nothing came before this packet, ns."""
        if self._now is None:
            return 0
        now, before = self._now(), self._came
        self._came = now
        return 0 if before is None else now - before

    def _is_pause(self, line: Line, ahead: int, waited: int) -> bool:
        """Whether a step forward by `ahead` ticks is as long as nothing came."""
        if waited < self._jump // 2 or abs(line.to_ns(ahead) - waited) > self._jump // 2:
            return False
        self._counts["pauses"] += 1
        return True

    def _timed(self, line: Line, packet: Packet, dts: int) -> list[Packet | Gap]:
        last, hole = line.last, None
        if line.hole(dts) and line.expected is not None:
            self._counts["gaps"] += 1
            hole = Gap(packet.track, line.expected, dts)
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

    def _pts(self, line: Line, packet: Packet, dts: int) -> int | None:
        if packet.pts is None:
            if line.kind is Kind.VIDEO:
                return None  # the decoder knows the order
            self._counts["missing"] += 1
            return dts
        if packet.dts is None:
            return packet.pts + line.shift
        delay = line.delay(packet.pts, packet.dts)
        if delay is None:
            self._counts["disordered"] += 1
            return dts
        return packet.dts + line.shift + delay

    def _untimed(self, line: Line, packet: Packet) -> Packet:
        """A packet without any time follows the one before."""
        self._counts["missing"] += 1
        dts = line.expected or 0
        if line.last is not None:
            dts = max(dts, line.last + 1)
        step = packet.duration or line.step
        line.last, line.given, line.expected, line.step = dts, False, dts + step, step
        return packet._replace(dts=dts, pts=dts if line.kind is Kind.AUDIO else None)

    def _repair(self, line: Line, raw: int, expected: int) -> None:
        """Choose the shift of a packet that is far from where it was expected."""
        if self._unwrap(line, raw) or self._is_hole(line, raw + line.shift):
            return
        for apart, shift in product((line.apart, 0), reversed(self._shifts)):
            dts = raw + apart + line.from_ns(shift)
            if abs(dts - expected) <= line.limit or self._is_near_others(line, dts, shift):
                line.apart, line.shift = apart, dts - raw
                return
        self._counts["jumps"] += 1
        if line.last is None:
            line.apart = expected - raw - line.shift
            line.shift += line.apart
        else:
            self._shift(line, expected - raw)

    def _shift(self, line: Line, shift: int) -> None:
        """From here on the feed's times lie elsewhere: the other tracks will follow."""
        line.shift = shift
        self._shifts = [*self._shifts[1 - _REMEMBERED :], line.common]

    def _unwrap(self, line: Line, raw: int) -> bool:
        turns = line.turns(raw)
        if not turns or line.wrap is None:
            return False
        self._counts["wraps"] += 1
        self._shift(line, line.shift + turns * line.wrap)
        return True

    def _is_hole(self, line: Line, dts: int) -> bool:
        """Whether a step forward is a pause of this track alone, or belongs to a film."""
        if line.expected is None or dts < line.expected:
            return False
        return self._film or self._is_near_others(line, dts, line.common)

    def _is_near_others(self, line: Line, dts: int, shift: int) -> bool:
        """Whether `dts` is ahead of this track, but not of the others that are on the time line `shift` (ns)."""
        if line.expected is None or dts < line.expected:
            return False
        time = line.to_ns(dts)
        return any(
            other.expected is not None
            and abs(other.common - shift) <= self._jump // 100
            and time <= other.to_ns(other.expected) + self._jump
            for other in self._lines
            if other is not line
        )
