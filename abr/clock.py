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
