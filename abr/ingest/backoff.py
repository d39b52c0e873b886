"""How long to wait before a lost source is asked for again."""

import random
from collections.abc import Callable

from abr.model.time import NANO

FIRST, LONGEST = 1, 30
"""Seconds: the pause before the first attempt at least, and before any attempt at most."""

GOOD = 60 * NANO
"""A source that was up for so long begins with the shortest pause again."""


class Backoff:
    """Pauses that double from 1 s to 30 s, with chance added so that many workers do not knock together."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self.attempt = 0
        """Of the attempt that the last pause precedes; counts from 1."""

    def failed(self, lasted: int, longest: float = LONGEST) -> float:
        """Seconds to wait, `longest` at most; `lasted`: how long (ns) the source was up before it failed, 0 when it was not."""
        if lasted >= GOOD:
            self.attempt = 0
        self.attempt += 1
        return self._pause(min(float(LONGEST), longest))

    def _pause(self, longest: float) -> float:
        from tenacity import RetryCallState, Retrying, wait_exponential  # noqa: PLC0415 - loaded when something fails

        state = RetryCallState(Retrying(), None, (), {})
        state.attempt_number = self.attempt
        base = wait_exponential(multiplier=FIRST, min=FIRST, max=longest)(state)
        return min(longest, base * (1 + self._chance() / 2))
