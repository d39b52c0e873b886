"""The wall clock and the monotonic clock, as an argument."""

import time
from typing import Protocol


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


class MediaClock:
    """The clock of a session: anchored once to the wall clock, then steady (DESIGN 3.2).

    A step of the wall clock does not reach it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = clock.wall() - clock.monotonic()

    def __call__(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return self._clock.monotonic() + self._offset

    @property
    def step(self) -> int:
        """How far the wall clock has gone from this clock since the anchor, nanoseconds."""
        return self._clock.wall() - self()
