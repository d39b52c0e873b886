"""The wall clock and the monotonic clock, as an argument."""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

_SECOND = 1_000_000_000
_BILLION = 1_000_000_000

_LOOK = _SECOND
"""How often a media clock looks at the wall clock, ns."""

_FASTEST = 100_000
"""By how much a media clock may run faster or slower than the monotonic one, in billionths (100 ppm)."""

_CALM = 10
"""Seconds within which a small difference to the wall clock would be gone, at the rate chosen for it."""

_STEP = 20_000_000
"""A wall clock that moves by more than this (ns) beside its rate was set."""

_SLEW = 1000
"""The rate of a wall clock may be off by one in so many (NTP slews at 500 ppm)."""

_UNSURE = 1_000_000
"""Two readings further apart than this (ns) do not belong together: the thread was held up between them."""


class Clock(Protocol):
    """Where time comes from. Both readings are integers in nanoseconds."""

    def wall(self) -> int:
        """Nanoseconds since the Unix epoch; may step."""
        ...

    def monotonic(self) -> int:
        """Nanoseconds since some instant; never goes back and never steps."""
        ...


class SystemClock:
    """The clocks of this machine."""

    def wall(self) -> int:
        return time.time_ns()

    def monotonic(self) -> int:
        return time.monotonic_ns()


class _Course(NamedTuple):
    """A straight piece of a media clock's way."""

    begin: int
    """Monotonic."""
    media: int
    """What the clock said then."""
    rate: int
    """How much faster than the monotonic clock, in billionths."""

    def at(self, monotonic: int) -> int:
        passed = monotonic - self.begin
        return self.media + passed + passed * self.rate // _BILLION


class MediaClock:
    """The clock of a session: anchored once to the wall clock, then steady (DESIGN 3.2).

    It follows the wall clock by running up to 100 ppm faster or slower than the monotonic one; a wall clock that is
    set does not make it jump. Each such step is counted, and `on_step` is told of it (ns). Any thread may ask it.
    """

    def __init__(self, clock: Clock, on_step: Callable[[int], None] | None = None) -> None:
        self._clock = clock
        self._on_step = on_step
        begin = clock.monotonic()
        wall = clock.wall()
        self._course = _Course(begin, wall, 0)
        self._gap = wall - begin
        """The wall clock less the monotonic one, when it was last looked at."""
        self._looking = threading.Lock()
        self.steps = 0
        """How often the wall clock was set."""

    def __call__(self) -> int:
        """Nanoseconds since the Unix epoch."""
        now = self._clock.monotonic()
        if now - self._course.begin >= _LOOK and self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looking.release()
        return self._course.at(now)

    @property
    def step(self) -> int:
        """How far the wall clock is ahead of this clock now, nanoseconds."""
        return self._clock.wall() - self._course.at(self._clock.monotonic())

    def _look(self) -> None:
        """Compare with the wall clock and choose the rate until the next look."""
        course = self._course
        now = self._clock.monotonic()
        wall = self._clock.wall()
        if self._clock.monotonic() - now > _UNSURE:
            return
        media, gap = course.at(now), wall - now
        moved, passed = gap - self._gap, now - course.begin
        rate = (wall - media) // _CALM
        self._course = _Course(now, media, max(-_FASTEST, min(_FASTEST, rate)))
        self._gap = gap
        if abs(moved) > _STEP + passed // _SLEW:
            self.steps += 1
            if self._on_step is not None:
                self._on_step(moved)
