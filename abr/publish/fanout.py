"""All origins of a channel: each gets every step, and a segment leaves the disk when the last one has it."""

import threading
from collections.abc import Callable, Sequence

from abr.errors import StageFailed
from abr.model.segment import Release
from abr.model.state import OriginState
from abr.publish.order import EndSession, Step
from abr.publish.origin import Origin, Spawn


class Fanout:
    """Hands steps to origins and counts who has what.

    `remove` is called with steps once every origin has confirmed all that they need.
    """

    def __init__(self, remove: Callable[[Sequence[Step]], None]) -> None:
        self._remove = remove
        self._origins: list[Origin] = []
        self._missing: dict[int | str, int] = {}
        self._lock = threading.Lock()

    def attach(self, origin: Origin, spawn: Spawn, threads: int) -> None:
        """One more origin; before the first step."""
        self._origins.append(origin)
        origin.start(spawn, threads)

    def add(self, step: Step) -> None:
        """The next step, for all origins."""
        name = _name(step)
        if name is not None:
            with self._lock:
                self._missing[name] = len(self._origins)
        for origin in self._origins:
            origin.add(step)

    def landed(self, steps: Sequence[Step]) -> None:
        """One origin has all that these steps need, and the journal knows it."""
        with self._lock:
            done = [step for step in steps if self._count_down(_name(step))]
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

    def _count_down(self, name: int | str | None) -> bool:
        if name is None:
            return False
        left = self._missing.pop(name, 1) - 1
        if left:
            self._missing[name] = left
        return not left


def _name(step: Step) -> int | str | None:
    """What a step is counted by, if its files can be removed after it."""
    if isinstance(step, Release):
        return step.sequence
    return step.session if isinstance(step, EndSession) else None
