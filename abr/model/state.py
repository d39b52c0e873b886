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
class LinkState:
    """How well an SRT connection carries its feed; counters since it began."""

    latency: int
    """Milliseconds that lost packets may take to be sent again, as both ends agreed."""
    rtt: float = 0.0
    """Round trip, milliseconds."""
    rate: int = 0
    """Bits/s over the last second."""
    packets: int = 0
    """Received, repeated ones included."""
    lost: int = 0
    """Missing when they were due from the network; most come when they are sent again."""
    dropped: int = 0
    """Never came in time: media is missing."""
    undecryptable: int = 0
    """Could not be decrypted."""


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
    link: LinkState | None = None
    """Readings of an SRT connection; None for all others."""


@dataclass(frozen=True, slots=True)
class InputState:
    """One of several inputs."""

    name: str
    waiting: str
    """What it waits for, where it is pulled; else empty."""
    condition: str
    """"good", "away", "waiting", "stalled", "black and silent" or "frozen"."""
    on_air: bool
    chosen: bool
    """By hand."""
    link: LinkState | None = None
    """Readings of its SRT connection, on air or not; None without one."""


@dataclass(frozen=True, slots=True)
class SlateState:
    """The picture that stands in for a feed's."""

    since: int | None
    """When it came on air, ns since the epoch; None while it is not."""
    seconds: float
    """How long it was on air since the event began, this time included."""


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
class LoadState:
    """Whether the machine keeps up, and what was given up for it."""

    level: str
    """"whole", "halved" (the top rung has every second frame) or "paused" (its segments are gaps)."""
    rung: str
    """The rung that gives way, empty for none."""
    reason: str
    """Which rung takes too long, and how long."""
    since: int | None
    """When the level was reached, ns since the epoch; None while it is whole."""
    behind: float
    """How far the output is behind its time now, seconds."""
    dropped: int
    """Frames that the top rung has lost since the event began."""


@dataclass(frozen=True, slots=True)
class LoudnessState:
    """What one audio rendition sounds like (EBU R128); None is silence, or nothing yet."""

    rendition: str
    momentary: float | None
    """LUFS of the last 400 ms."""
    short_term: float | None
    """LUFS of the last 3 s."""
    integrated: float | None
    """LUFS since the event began, gated."""
    true_peak: float | None
    """dBTP, the highest since the event began."""
    gain: float | None
    """Decibels by which the sound is changed to meet the profile's loudness; None where it is left as it is."""
    limited: float
    """Decibels that the limiter takes off now."""


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
class RecordState:
    """The record of what publishers send, as they send it."""

    writing: tuple[str, ...]
    """Names of the files that grow now."""
    files: int
    bytes: int
    """Of all files that are kept."""
    dropped: int
    """Bytes that were left out because the disk was too slow or full."""
    error: str
    """Why nothing is written; empty while all is well."""


@dataclass(frozen=True, slots=True)
class ClockState:
    """The clock that an event runs on, against the machine's."""

    steps: int
    """How often the machine's clock was set since the event began."""
    behind: float
    """Seconds by which the event's clock is behind the machine's; it follows by 100 ppm."""
    drift: float
    """Parts per million by which the feed's clock is slower than the event's, as far as it is made up for now."""


SAMPLES = frozenset(("silence", "late", "early", "cut"))
"""Those of a state's counters that are samples, of all renditions together; the others are frames."""


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
    pull: str = ""
    """What is being waited for where a feed is pulled: "reconnecting in 4 s, attempt 3, because …"."""
    record: RecordState | None = None
    """None where feeds are not recorded."""
    inputs: tuple[InputState, ...] = ()
    """The preferred one first; empty where there is only one."""
    slate: SlateState | None = None
    """None while no event runs."""
    pictures: str = ""
    """Form of the feed's pictures and what is made of it: "1920x1080 yuv420p, interlaced: …"."""
    rungs: tuple[RungState, ...] = ()
    load: LoadState | None = None
    """None while no event runs, and without pictures."""
    loudness: tuple[LoudnessState, ...] = ()
    origins: tuple[OriginState, ...] = ()
    counters: dict[str, int] = field(default_factory=dict)
    """What the output has of its own and what of the feed it lost, since the event began: repeated, late …"""
    repairs: dict[str, int] = field(default_factory=dict)
    """What was wrong with what feeds sent and was repaired, since the worker began: jumps, duplicates, corrupt …

    Packets, but `skipped` bytes. refused and damaged are since the event began.
    """
    clock: ClockState | None = None
    """None while no event runs."""
    error: str = ""

    @property
    def healthy(self) -> bool:
        """Whether nothing needs an operator now."""
        return self.phase is not Phase.FAILED and all(item.state != "stopped" for item in self.origins)
