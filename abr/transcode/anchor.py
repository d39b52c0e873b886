"""How a feed's time is laid on the output clock, and when that must change."""

from abr.model.time import NANO

_PATIENCE = 3 * NANO
"""How long the picture of a feed that has one is waited for; the sound then begins alone."""

_WINDOW = 5 * NANO
_LATE = NANO // 2
"""Everything late for so long: the feed's delay has grown for good."""
_AHEAD = 3 * NANO
"""More than this too early: pictures are large, and moving them softly would take an hour."""
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


class Pace:
    """Watches how long before its last moment each item comes (its margin, ns); at best that is `hold`.

    It says when the offset is of no use any more. What changes slowly is `drift.Drift`'s work.
    """

    def __init__(self, hold: int) -> None:
        self._hold = hold
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._end: int | None = None
        self._least = 0
        self._late_since: list[int | None] = [None, None]

    def is_lost(self, margin: int, now: int, *, picture: bool) -> bool:
        """Judge one item that came at `now`: whether a new offset must be found."""
        return self._is_late(margin, now, picture) or self._is_ahead(margin, now)

    def _is_late(self, margin: int, now: int, kind: int) -> bool:
        """Whether all items of a kind have been late for some time."""
        if margin >= 0:
            self._late_since[kind] = None
            return False
        since = self._late_since[kind]
        if since is None:
            self._late_since[kind] = since = now
        return now - since > _LATE

    def _is_ahead(self, margin: int, now: int) -> bool:
        """Whether all items of some seconds came far too early."""
        if self._end is None:
            self._end, self._least = now + _WINDOW, margin
        self._least = min(self._least, margin)
        if now < self._end:
            return False
        self._end = None
        return self._least > self._hold + _AHEAD
