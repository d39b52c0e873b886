"""Which of several inputs is on air: the one that is preferred and good, or that somebody chose by hand."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from abr.transcode.frame import Decoded
from abr.transcode.sight import Watcher


class Rules(NamedTuple):
    """When to leave an input and when to go back to it; nanoseconds."""

    stalled: int
    """Without a picture (or sound, where it has no picture)."""
    black: int
    """Black and silent; 0: never for that."""
    frozen: int
    """Without motion; 0: never for that."""
    back: int
    """How long a preferred input must have been good."""


class Condition(StrEnum):
    """How an input is."""

    AWAY = "away"
    """It has no feed."""
    WAITING = "waiting"
    """Its feed has given nothing yet."""
    STALLED = "stalled"
    BLACK = "black and silent"
    FROZEN = "frozen"
    GOOD = "good"


@dataclass(slots=True)
class _Input:
    """A feed and what is known of it."""

    watcher: Watcher
    pictured: bool
    """Whether it has a picture track."""
    good: int | None = None
    """Since when it has been good."""


class Selector:
    """Inputs are numbered by preference, 0 the best. Pure: what it is told decides, and `now` (ns).

    * Without anything on air the first good input is taken, else the first that has a feed.
    * An input that is not good any more is left when another one is; an input without feed is left for any with one.
    * A preferred input is gone back to when it has been good for `Rules.back`.
    * One that is chosen by hand stays on air, however it is, while it has a feed.
    """

    def __init__(self, count: int, rules: Rules) -> None:
        self._inputs: list[_Input | None] = [None] * count
        self._rules = rules
        self.chosen: int | None = None
        """By hand; None: by itself."""
        self.on_air: int | None = None

    def begin(self, place: int, now: int, *, picture: bool) -> None:
        """An input has a feed now."""
        self._inputs[place] = _Input(Watcher(now), picture)

    def change(self, place: int, now: int, *, picture: bool) -> None:
        """Its feed goes on with other tracks: what is known of it stays. What it did not have may take until it comes."""
        own = self._inputs[place]
        if own is None:
            self.begin(place, now, picture=picture)
        elif picture is not own.pictured:
            own.pictured = picture
            if own.good is not None:
                own.watcher.renew(now)

    def end(self, place: int) -> None:
        """An input has none any more."""
        self._inputs[place] = None

    def see(self, place: int, item: Decoded, now: int) -> None:
        """A picture or sound of an input."""
        own = self._inputs[place]
        if own is not None:
            own.watcher.see(item, now)

    def choose(self, place: int | None) -> None:
        """Take this input by hand, or None: let the rules decide again."""
        self.chosen = place

    def decide(self, now: int) -> int | None:
        """The input on air from now on; None while none has a feed."""
        for place, own in enumerate(self._inputs):
            if own is None:
                continue
            if self.condition(place, now) is not Condition.GOOD:
                own.good = None
            elif own.good is None:
                own.good = now
        self.on_air = self._wanted(now)
        return self.on_air

    def condition(self, place: int, now: int) -> Condition:
        """How an input is at this instant."""
        own = self._inputs[place]
        if own is None:
            return Condition.AWAY
        sight, rules = own.watcher.sight, self._rules
        last = sight.pictured if own.pictured else sight.sounded
        if last is None:
            return Condition.WAITING
        if now - last > rules.stalled:
            return Condition.STALLED
        dark = now - max(sight.bright, sight.loud)
        if rules.black and dark > rules.black:
            return Condition.BLACK
        if rules.frozen and own.pictured and now - sight.moved > rules.frozen:
            return Condition.FROZEN
        return Condition.GOOD

    def _wanted(self, now: int) -> int | None:
        chosen, current = self.chosen, self.on_air
        if chosen is not None and self._inputs[chosen] is not None:
            return chosen
        if current is None or self._inputs[current] is None:
            return self._best()
        if not self._good(current):
            return next(filter(self._good, range(len(self._inputs))), current)
        return next((place for place in range(current) if self._proven(place, now)), current)

    def _best(self) -> int | None:
        """The first good input, else the first with a feed."""
        up = [place for place, own in enumerate(self._inputs) if own is not None]
        return next(filter(self._good, up), up[0] if up else None)

    def _good(self, place: int) -> bool:
        own = self._inputs[place]
        return own is not None and own.good is not None

    def _proven(self, place: int, now: int) -> bool:
        own = self._inputs[place]
        return own is not None and own.good is not None and now - own.good >= self._rules.back
