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

    `remove` is called with steps once every origin has confirmed all that they need. What a stopped origin
    lacks is never removed: it may be delivered after a new start.
    """

    def __init__(self, remove: Callable[[Sequence[Step]], None]) -> None:
        self._remove = remove
        self._origins: list[Origin] = []
        self._missing: dict[int | str, int] = {}
        """How many origins lack a step, by what it is counted by."""
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

        Raises StageFailed when no origin delivers any more.
        """
        while True:
            alive = [origin for origin in self._origins if origin.delivers]
            if not alive:
                raise StageFailed(self.failure() or "the delivery was ended")
            below = all(origin.wait_below(limit, 1.0) for origin in alive)
            if below and any(origin.delivers for origin in alive):
                return

    def wait_idle(self, timeout: float | None = None) -> bool:
        """Wait until every origin has everything, or delivers no more. False: the time was up."""
        return all(origin.wait_idle(timeout) for origin in self._origins)

    def leave(self) -> None:
        """Tell all origins to end after the put that each is in; waits for nothing."""
        for origin in self._origins:
            origin.close()

    def close(self, patience: float) -> bool:
        """End the delivery; what is not confirmed stays on disk and in the journal.

        Waits until the threads have ended, at most `patience` seconds an origin. False: one is in a put still.
        """
        self.leave()
        ended = [origin.wait_closed(patience) for origin in self._origins]
        return all(ended)

    def states(self) -> tuple[OriginState, ...]:
        """A picture of now, one for each origin."""
        return tuple(origin.state() for origin in self._origins)

    def failure(self) -> str:
        """Why origins stopped, in one sentence; empty when all deliver."""
        return "; ".join(_reason(state) for state in self.states() if state.state == "stopped")

    def _count_down(self, name: int | str | None) -> bool:
        if name is None:
            return False
        self._missing[name] -= 1
        if self._missing[name]:
            return False
        del self._missing[name]
        return True


def _reason(state: OriginState) -> str:
    """A store's error names the store; that of the spool or the journal does not."""
    return state.error if state.error.startswith(state.name) else f"{state.name}: {state.error}"


def _name(step: Step) -> int | str | None:
    """What a step is counted by, if its files can be removed after it."""
    if isinstance(step, Release):
        return step.sequence
    return step.session if isinstance(step, EndSession) else None
