"""A clock that stands still until a test moves it."""

NANO = 1_000_000_000


class FakeClock:
    """`wall` and `monotonic` in nanoseconds; both move together in `advance`, the wall clock alone in `step`."""

    def __init__(self, wall: int = 1_788_027_300 * NANO, monotonic: int = 0) -> None:
        self._wall = wall
        self._monotonic = monotonic

    def wall(self) -> int:
        return self._wall

    def monotonic(self) -> int:
        return self._monotonic

    def advance(self, nanoseconds: int) -> None:
        """Let time pass."""
        self._wall += nanoseconds
        self._monotonic += nanoseconds

    def step(self, nanoseconds: int) -> None:
        """Set the wall clock; no time passes."""
        self._wall += nanoseconds

    def wait(self, seconds: float) -> bool:
        """Let time pass as `Event.wait` would, without waiting; nobody stops it."""
        self.advance(round(seconds * NANO))
        return False
