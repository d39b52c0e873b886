"""How a feed's time is laid on the output clock, and when that must change."""

from enum import Enum

from abr.model.time import NANO

_PATIENCE = 3 * NANO
"""How long the picture of a feed that has one is waited for; the sound then begins alone."""

_WINDOW = 5 * NANO
_LATE = NANO // 2
"""Everything late for so long: the feed's delay has grown for good."""
_AHEAD = 3 * NANO
"""More than this too early: it is not worth waiting until single frames have made up for it."""
_SPARE = NANO // 5
_SLOWEST = 2 * NANO
"""For sound that comes so long after its pictures they are not held back: they are large."""


class Anchor:
    """Finds the offset (ns) that turns a feed's times into instants of the output clock.

    It is the one of the quickest item of its kind, so that a burst at the beginning does not count as delay, and
    of the slower kind of sound and picture, so that both are in time. It is known `settle` ns after the first picture.
    """

    def __init__(self, settle: int) -> None:
        self._settle = settle
        self.reset()

    def reset(self) -> None:
        """Forget what was seen."""
        self._first: int | None = None
        self._since: int | None = None
        self._quickest: dict[bool, int] = {}

    def see(self, time: int, now: int, *, picture: bool, last_kind: bool) -> None:
        """An item of feed time `time` came at `now`. `last_kind`: no picture is to be waited for."""
        if self._first is None:
            self._first = now
        if self._since is None and (picture or last_kind):
            self._since = now
        delay = now - time
        if delay < self._quickest.get(picture, delay + 1):
            self._quickest[picture] = delay

    def due(self) -> int | None:
        """When the offset will be known; None before anything was seen."""
        if self._since is not None:
            return self._since + self._settle
        return None if self._first is None else self._first + _PATIENCE

    @property
    def offset(self) -> int:
        """What to add to a feed's time."""
        if self.sound_lost:
            return self._quickest[True]
        return max(self._quickest.values())

    @property
    def sound_lost(self) -> bool:
        """Whether the sound comes so long after its pictures that it cannot be in time."""
        return len(self._quickest) == 2 and self._quickest[False] - self._quickest[True] > _SLOWEST


class Verdict(Enum):
    """What to do about the offset."""

    STAY = 0
    LATER = 1
    """By one slot: one picture is repeated."""
    EARLIER = -1
    """By one slot: one picture is left out."""
    LOST = 2
    """Find a new one."""


class Pace:
    """Watches how long before its last moment each item comes (its margin, ns); at best that is `hold`.

    The least margin over some seconds says whether the source's clock has drifted away from ours.
    """

    def __init__(self, hold: int) -> None:
        self._hold = hold
        self._most = hold * 3 // 2 + _SPARE
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._end: int | None = None
        self._least = 0
        self._late_since: list[int | None] = [None, None]

    def see(self, margin: int, now: int, *, picture: bool) -> Verdict:
        """Judge one item that came at `now`."""
        if margin < 0:
            since = self._late_since[picture]
            if since is None:
                self._late_since[picture] = now
            elif now - since > _LATE:
                return Verdict.LOST
        else:
            self._late_since[picture] = None
        if self._end is None:
            self._end, self._least = now + _WINDOW, margin
        elif margin < self._least:
            self._least = margin
        if now < self._end:
            return Verdict.STAY
        self._end = None
        return self._judge(self._least)

    def _judge(self, least: int) -> Verdict:
        if least > self._hold + _AHEAD:
            return Verdict.LOST
        if least > self._most:
            return Verdict.EARLIER
        return Verdict.LATER if least < self._hold // 8 else Verdict.STAY
