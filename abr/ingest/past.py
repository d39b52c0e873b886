"""What the feed before brought, and the recognition of what an encoder that reconnects sends once more."""

from collections import deque
from typing import NamedTuple

from abr.model.media import Data, Packet
from abr.model.time import NANO

_SPAN = 60 * NANO
"""So much media is remembered."""

_MOST = 16_384
"""Packets of it, at most: 2 MB."""

_AGE = 300 * NANO
"""After such a time nobody sends again what was lost."""

_NEAR = 5_000_000
"""Two times of one packet on two time lines are so near to each other (ns): they were rounded."""

_HELD = 1024
"""Packets that wait at most until it is known whether they are a repetition."""

_SOUNDS = 256
"""Packets of a feed of sound alone that wait at most."""

_EARLY = 64
"""Sound that may come before the first picture."""

_START = 300_000_000
"""How long (ns) a feed may take before its pace is looked at."""

_WAITED = 3_000_000
"""What comes sooner (ns) after the packet before was there already: FFmpeg reads some seconds while it opens a feed."""


class _Entry(NamedTuple):
    print: int
    """The hash of its data."""
    time: int
    picture: bool


class Past:
    """The packets of the last minute, over all feeds of a channel, on one time line: only their hashes are kept.

    Hashes are those of this process. Used by one feed at a time.
    """

    def __init__(self) -> None:
        self._entries: deque[_Entry] = deque(maxlen=_MOST)
        self._shift: int | None = 0
        """From the feed's time line to this one, ns; None until its first packet comes."""
        self._came = 0
        """When the latest packet came."""

    def __len__(self) -> int:
        return len(self._entries)

    def begin(self, now: int, *, pictures: bool) -> "Replay | None":
        """Another feed begins; what it may send again, if there is anything. `pictures`: whether it has a picture."""
        self._shift = None
        if now - self._came > _AGE:
            self._entries.clear()
        return Replay(self, now, pictures=pictures) if self._entries else None

    def join(self, shift: int) -> None:
        """The feed's times lie on this time line as those of the feed before."""
        self._shift = shift

    def add(self, time: int, data: Data, now: int, *, picture: bool) -> None:
        """Remember a packet that came at `now`, and forget the oldest."""
        entries = self._entries
        if self._shift is None:
            self._shift = (entries[-1].time if entries else 0) - time
        time += self._shift
        entries.append(_Entry(hash(data), time, picture))
        while entries[0].time < time - _SPAN:
            entries.popleft()
        self._came = now

    def known(self) -> dict[int, int | None]:
        """Hashes with their times; None for what was there more than once: silence, or a still picture."""
        times: dict[int, int | None] = {}
        for entry in self._entries:
            times[entry.print] = None if entry.print in times else entry.time
        return times

    def end(self, *, picture: bool) -> int:
        """The time of the latest packet of a kind; of any where there is none."""
        times = (entry.time for entry in reversed(self._entries) if entry.picture == picture)
        return next(times, self._entries[-1].time)


class Replay:
    """Takes a feed's first packets and gives those that are new.

    A repetition begins with the feed, and comes faster than it is played: a file that is played once more comes at
    its own pace, and is no repetition. Until that is clear packets wait; nothing of what is new is lost. Pictures
    of the repetition that new ones are built on are given too, hidden.
    """

    def __init__(self, past: Past, now: int, *, pictures: bool) -> None:
        self._past, self._known = past, past.known()
        self._ends = {picture: past.end(picture=picture) for picture in (False, True)}
        self._decides = pictures
        """The kind whose first packet tells whether this is a repetition."""
        self._since = now
        self._before: int | None = None
        """When the latest packet came."""
        self._held: list[tuple[Packet, bool]] = []
        self._shift: int | None = None
        """From the feed's time line to that of the past; None until a repetition is recognised."""
        self._first = 0
        self._taken = self._misses = 0
        """Packets of the repetition, and those among them that were not there."""
        self._new: set[bool] = set()
        """Kinds of which new packets came."""
        self.dropped = 0
        """Packets that were left out."""
        self.over = False
        """Whether all that follows is new."""

    def push(self, packet: Packet, time: int, now: int, *, picture: bool) -> list[Packet]:
        """The next packet, its decode time in ns and when it came; those that are new."""
        print_ = hash(packet.data)
        waited, self._before = self._before is not None and now - self._before >= _WAITED, now
        if self._shift is None and not self._recognise(print_, time, picture=picture):
            self._held.append((packet, picture))
            return self._all() if picture == self._decides or len(self._held) > _EARLY else []
        assert self._shift is not None
        place = time + self._shift
        self.over = place > max(self._ends.values()) + NANO
        if picture in self._new or place > self._ends[picture] + _NEAR:
            return self._begin_new(packet, picture=picture)
        if self._new:
            return self._rest(packet, picture=picture)
        self._misses += self._is_other(print_, place)
        self._taken += 1
        self._hold(packet, picture=picture)
        return self._all() if self._is_doubtful(time, now, waited=waited) else []

    def _recognise(self, print_: int, time: int, *, picture: bool) -> bool:
        """Whether the feed begins with a packet that was here."""
        known = self._known.get(print_)
        if picture != self._decides or known is None:
            return False
        self._shift, self._first = known - time, time
        return True

    def _is_other(self, print_: int, place: int) -> bool:
        """Whether something else was at this place; what was lost on the way then is some of it."""
        known = self._known.get(print_, -_SPAN)
        return known is not None and abs(known - place) > _NEAR

    def _is_doubtful(self, time: int, now: int, *, waited: bool) -> bool:
        """Whether this is no repetition after all: it comes at its own pace, or other packets come."""
        slow = waited and 2 * (time - self._first) < 3 * (now - self._since - _START)
        return slow or self._misses > 4 + self._taken // 8 or len(self._held) > _HELD

    def _hold(self, packet: Packet, *, picture: bool) -> None:
        """Only what follows the latest key picture is needed later, or given if this is no repetition."""
        if picture and packet.key:
            self.dropped += len(self._held)
            self._held = []
        elif not self._decides and len(self._held) >= _SOUNDS:
            self.dropped += 1
            del self._held[0]
        self._held.append((packet, picture))

    def _all(self) -> list[Packet]:
        """It is no repetition: what waited is new."""
        self.over = True
        return [packet for packet, _ in self._held]

    def _begin_new(self, packet: Packet, *, picture: bool) -> list[Packet]:
        """A new packet; before the first one of pictures those that it is built on."""
        assert self._shift is not None
        if not self._new:
            self._past.join(self._shift)
        before: list[Packet] = []
        if picture and picture not in self._new and not packet.key:
            before = [held._replace(hidden=True) for held, kind in self._held if kind]
        self._new.add(picture)
        if picture == self._decides:
            self.dropped += len(self._held)
            self._held = []
        return [*before, packet]

    def _rest(self, packet: Packet, *, picture: bool) -> list[Packet]:
        """A packet of the repetition, while the other kind is new already."""
        if picture:
            self._hold(packet, picture=True)
        else:
            self.dropped += 1
        return []
