"""All origins of a channel: each gets every step, and a segment leaves the disk when the last one has it."""

import threading
from collections.abc import Callable, Sequence

from abr.errors import StageFailed
from abr.model.segment import Release
from abr.model.state import OriginState
from abr.publish.order import Step
from abr.publish.origin import Origin, Spawn


class Fanout:
    """Hands steps to origins and counts who has what.

    `remove` is called with a release once every origin that still delivers has confirmed it.
    """

    def __init__(self, remove: Callable[[Sequence[Release]], None]) -> None:
        self._remove = remove
        self._origins: list[Origin] = []
        self._missing: dict[int, int] = {}
        self._lock = threading.Lock()

    def attach(self, origin: Origin, spawn: Spawn, threads: int) -> None:
        """One more origin; before the first step."""
        self._origins.append(origin)
        origin.start(spawn, threads)

    def add(self, step: Step) -> None:
        """The next step, for all origins."""
        if isinstance(step, Release):
            with self._lock:
                self._missing[step.sequence] = len(self._origins)
        for origin in self._origins:
            origin.add(step)

    def landed(self, _: str, releases: Sequence[Release]) -> None:
        """One origin has these releases, and the journal knows it."""
        with self._lock:
            done = [release for release in releases if self._count_down(release.sequence)]
        if done:
            self._remove(done)

    def wait_below(self, limit: int) -> None:
        """Hold a film back while the slowest origin that delivers is `limit` objects behind.

        Raises StageFailed when no origin is left.
        """
        while True:
            alive = [origin for origin in self._origins if not origin.stopped]
            if not alive:
                raise StageFailed(self.failure() or "no origin is left to deliver to")
            if all(origin.wait_below(limit, 1.0) for origin in alive):
                return

    def wait_idle(self, timeout: float | None = None) -> bool:
        """Wait until every origin has everything or stopped. False: the time was up."""
        return all(origin.wait_idle(timeout) for origin in self._origins)

    def close(self) -> None:
        """End the delivery; what is not confirmed stays on disk and in the journal."""
        for origin in self._origins:
            origin.close()

    def states(self) -> tuple[OriginState, ...]:
        """A picture of now, one for each origin."""
        return tuple(origin.state() for origin in self._origins)

    def failure(self) -> str:
        """Why origins stopped, in one sentence; empty when all deliver."""
        stopped = [state for state in self.states() if state.state == "stopped"]
        return "; ".join(f"{state.name}: {state.error}" for state in stopped)

    def _count_down(self, sequence: int) -> bool:
        left = self._missing.get(sequence, 0) - 1
        if left > 0:
            self._missing[sequence] = left
            return False
        self._missing.pop(sequence, None)
        return True
