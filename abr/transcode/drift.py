"""The drift of a feed's clock against ours: measured over minutes, removed by moving its times slowly."""

from collections import deque
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from abr.model.time import NANO

_WINDOW = 5 * NANO
"""The quickest item of so long is one point of the measurement."""

_MOST = 60
"""Points: five minutes. A jam of the network that lasts less than half of that is not taken for drift."""

_FEWEST = 12
"""Points before anything is moved: a minute."""

_FASTEST = 1_000_000
"""The feed's times are moved by at most so many billionths (1000 ppm): sound that is stretched so much is not heard."""

_CALM = 30
"""Seconds within which a small difference would be gone, at the rate chosen for it."""

_LEAST = 2_000_000
"""A difference of less (ns) is none."""

_PIECES = 8
"""Pieces of the way that are remembered, for sound that comes long after its pictures."""


class Point(NamedTuple):
    """An item that was as quick as possible: when it came, and by how much later than its feed time (ns)."""

    now: int
    delay: int


class _Piece(NamedTuple):
    """From feed time `begin` on the offset is `offset`, and grows by `rate` billionths of the time that passes."""

    begin: int
    offset: int
    rate: int

    def at(self, time: int) -> int:
        return self.offset + (time - self.begin) * self.rate // NANO


class Drift:
    """What to add to a feed's times (ns): the same for a picture and for the sound that belongs to it.

    It begins as given and then goes with the delay of the feed's quickest items, at most by 1000 ppm. How long
    before its last moment the quickest item comes is kept as it was, within a quarter of `hold`: that it stays the
    same matters, not how long it is.
    """

    def __init__(self, hold: int) -> None:
        self._slack = hold // 4
        self.moved = 0
        """Nanoseconds, back and forth, of all feeds."""
        self.begin(0)

    def begin(self, offset: int) -> None:
        """A new feed, or a new time line."""
        self._pieces = deque([_Piece(0, offset, 0)], _PIECES)
        self._points: deque[Point] = deque(maxlen=_MOST)
        self._least: dict[bool, Point] = {}
        self._behind = 0
        """How much more the sound's delay is than the pictures'."""
        self._end: int | None = None
        self._reached = 0
        """The latest feed time."""
        self._spare: int | None = None
        """What the offset shall be above the delay of the quickest items."""

    def at(self, time: int) -> int:
        """What to add to this feed time."""
        for piece in reversed(self._pieces):
            if time >= piece.begin:
                break
        return piece.at(time)

    @property
    def rate(self) -> int:
        """How fast the feed's times are moved now, billionths."""
        return self._pieces[-1].rate

    def move(self, by: int) -> None:
        """Add this to the offset at once, for good."""
        self._pieces = deque((piece._replace(offset=piece.offset + by) for piece in self._pieces), _PIECES)
        if self._spare is not None:
            self._spare = _within(self._spare + by, self._slack)

    def see(self, time: int, now: int, *, picture: bool) -> None:
        """An item of this feed time came at `now`."""
        if self._end is None:
            self._end, self._reached = now + _WINDOW, time
        self._reached = max(self._reached, time)
        least = self._least.get(picture)
        if least is None or now - time < least.delay:
            self._least[picture] = Point(now, now - time)
        if now >= self._end:
            self._end = now + _WINDOW
            self._points.append(self._slower())
            self._least = {}
            if len(self._points) >= _FEWEST:
                self._turn(now)

    def _slower(self) -> Point:
        """The quickest item of the kind that comes later: that one has to be in time."""
        picture, sound = self._least.get(True), self._least.get(False)
        if picture is not None and sound is not None:
            self._behind = sound.delay - picture.delay
            return max(picture, sound, key=lambda point: point.delay)
        if picture is not None:
            return Point(picture.now, picture.delay + max(0, self._behind))
        assert sound is not None
        return Point(sound.now, sound.delay + max(0, -self._behind))

    def _turn(self, now: int) -> None:
        """Choose how fast the offset is moved until the next window is over."""
        time, offset = self._reached, self.at(self._reached)
        delay, spread = level(self._points, now)
        if self._spare is None:
            self._spare = _within(offset - delay, self._slack)
        wrong = delay + self._spare - offset
        rate = (wrong - _within(wrong, max(_LEAST, spread))) // _CALM
        last = self._pieces[-1]
        self.moved += abs(offset - last.offset)
        self._pieces.append(_Piece(time, offset, _within(rate, _FASTEST)))


def level(points: Sequence[Point], now: int) -> tuple[int, int]:
    """The delay of the quickest items at `now`, and by how much the points are above that on average (ns).

    What the network adds to a delay is never less than nothing. So the quickest items lie on a line below all points:
    the longest side of their lower hull.
    """
    hull: list[Point] = []
    for point in points:
        while len(hull) > 1 and _above(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    sides = [(after.now - before.now, before, after) for before, after in pairwise(hull)]
    length, left, right = max(sides)
    rise = right.delay - left.delay
    above = sum(point.delay - left.delay - rise * (point.now - left.now) // length for point in points)
    return left.delay + rise * (now - left.now) // length, above // len(points)


def _above(left: Point, middle: Point, right: Point) -> bool:
    """Whether `middle` is on or above the line between the others."""
    rise, length = right.delay - left.delay, right.now - left.now
    return (middle.delay - left.delay) * length >= rise * (middle.now - left.now)


def _within(value: int, limit: int) -> int:
    return max(-limit, min(limit, value))
