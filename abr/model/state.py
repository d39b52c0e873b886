"""What a worker says of itself: assembled by the worker, shown by status."""

from dataclasses import dataclass, field
from enum import StrEnum


class Phase(StrEnum):
    """Where a channel stands."""

    WAITING = "waiting"
    """No event runs; listening."""
    LIVE = "live"
    """An event runs and its feed is up."""
    GRACE = "grace"
    """An event runs, its feed is gone and may return."""
    ENDING = "ending"
    """The event is over; origins get the rest."""
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class FeedState:
    """The feed that is on air."""

    name: str
    video: str
    """"h264 1280x720 25 fps", empty for none."""
    audio: str
    received: int
    """Bytes."""
    since: int
    """Wall clock, ns."""


@dataclass(frozen=True, slots=True)
class RungState:
    """One rendition."""

    name: str
    codec: str
    size: str
    """"1280x720", empty for audio."""
    target: int
    """Bits/s."""
    rate: int
    """Bits/s over the latest segments."""
    segments: int


@dataclass(frozen=True, slots=True)
class OriginState:
    """Delivery to one origin."""

    name: str
    state: str
    """"delivering", "idle", "waiting" (the store does not answer) or "stopped"."""
    backlog: int
    """Objects that are not confirmed yet."""
    confirmed: int
    error: str


@dataclass(frozen=True, slots=True)
class State:
    """One channel, now."""

    channel: str
    phase: Phase
    event: str = ""
    session: str = ""
    sequence: int = -1
    """Of the newest release, -1 before the first."""
    released: int = 0
    """Releases of this event."""
    duration: float = 0.0
    """D, seconds."""
    lag: float = 0.0
    """How far the edge of the stream runs behind the clock by design, seconds."""
    edge: float = 0.0
    """How far the newest release's end is behind the clock now, seconds."""
    feed: FeedState | None = None
    rungs: tuple[RungState, ...] = ()
    origins: tuple[OriginState, ...] = ()
    counters: dict[str, int] = field(default_factory=dict)
    """repeated, dropped, silence, corrupt … since the event began."""
    error: str = ""

    @property
    def healthy(self) -> bool:
        """Whether nothing needs an operator now."""
        return self.phase is not Phase.FAILED and all(item.state != "stopped" for item in self.origins)
