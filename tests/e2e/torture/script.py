"""What happens to the torture feed, and when: all of it as data, in seconds of the camera's clock.

At scale 1 it lasts ten minutes. A smaller scale shortens every span and every pause, but not what time stamps jump by.
"""

from dataclasses import dataclass
from typing import NamedTuple

TURN_RTMP = 2**32
"""Where RTMP's counter of milliseconds begins again."""
TURN_TS = 2**33
"""Where the counter of MPEG-TS (1/90000 s) begins again."""
SLOW = 200e-6
"""By so much the camera's clock is slower than this machine's."""


class Span(NamedTuple):
    """From, to."""

    begin: float
    end: float

    def touches(self, begin: float, end: float) -> bool:
        """Whether any of it lies between them."""
        return begin < self.end and self.begin < end

    def __contains__(self, at: object) -> bool:
        return isinstance(at, int | float) and self.begin <= at < self.end


class Feed(NamedTuple):
    """One connection: who, from when on, when it is killed (None: it is left alone), and its first stamp's place."""

    name: str
    begin: float
    killed: float | None = None
    zero: float = 0.0
    """The camera's time at which the stamp is `first`."""
    first: int = 0
    """Milliseconds."""
    behind: float = 0.0
    """It begins with so much that was made before, as fast as the line takes it."""
    key: str = "main"


class Jump(NamedTuple):
    """From `at` on, stamps are `by` milliseconds later."""

    at: float
    by: int


class Watch(NamedTuple):
    """One player's part."""

    player: str
    entry: str
    span: Span


@dataclass(frozen=True)
class Script:
    """The whole evening. Feeds of RTMP come one after another; `spare` is the second input, over SRT."""

    length: float
    feeds: tuple[Feed, ...]
    spare: Feed
    spare_turns: float
    """When its stamps pass 2^33."""
    stranger: float
    """When somebody comes with a wrong key."""
    other_form: Span
    """Pictures of another size and rate."""
    silent: Span
    """No sound comes."""
    damaged: Span
    """One packet of a hundred has bytes that are not its own."""
    jumps: tuple[Jump, ...]
    watches: tuple[Watch, ...]


def script(scale: float) -> Script:
    """The evening at this scale.

    The first feed begins so late in its counter that it passes 2^32 ms at 145 s, by itself, after both jumps.
    """

    def at(seconds: float) -> float:
        return seconds * scale

    jumps = (Jump(at(115), 3_600_000), Jump(at(130), -10_000))
    first = TURN_RTMP - sum(jump.by for jump in jumps) - int(at(145) * 1000)
    return Script(
        length=at(600),
        feeds=(
            Feed("a", 0.0, None, 0.0, first),
            Feed("second", at(240), at(265), at(240)),  # the first one is up: this one takes over
            Feed("after-3s", at(268), at(290), at(268)),
            Feed("after-30s", at(320), at(340), at(320)),
            Feed("after-3min", at(520) - at(15), at(545), at(505)),
            Feed("backlog", at(548), None, at(505), 0, at(30)),
        ),
        spare=Feed("spare", at(400), at(460), at(400), key="spare"),
        spare_turns=at(430),
        stranger=at(230),
        other_form=Span(at(40), at(60)),
        silent=Span(at(80), at(100)),
        damaged=Span(at(160), at(220)),
        jumps=jumps,
        watches=(
            Watch("hls", "index.m3u8", Span(max(at(25), 15.0), at(205))),
            Watch("dash", "manifest.mpd", Span(at(215), at(395))),
            Watch("shaka", "manifest.mpd", Span(at(405), at(570))),
        ),
    )
