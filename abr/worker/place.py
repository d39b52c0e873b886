"""What is up at one input of a channel: its feed now, and what its feeds brought."""

import threading
from collections import Counter
from dataclasses import dataclass, field, replace

from abr.ingest.feed import Feed
from abr.ingest.past import Past
from abr.model.state import FeedState, LinkState
from abr.worker.input import Input
from abr.worker.puller import Puller


@dataclass(slots=True)
class Place:
    """What is up at one input."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    """Held by its feed: one at a time."""
    feed: Feed | None = None
    source: Input | None = None
    seen: FeedState | None = None
    puller: Puller | None = None
    """Keeps what is pulled on air, where something is."""
    over: bool = False
    """Whether no feed comes any more."""
    past: Past = field(default_factory=Past)
    """What its feeds brought lately."""
    mended: Counter[str] = field(default_factory=Counter)
    """What was repaired in the feeds that are over."""

    def repairs(self) -> Counter[str]:
        """What was repaired in all its feeds."""
        total = Counter(self.mended)
        if self.source is not None:
            total.update(self.source.stats())
        return total

    def link(self) -> LinkState | None:
        """The readings of its SRT connection, if it has one."""
        source = self.source
        return source.link if source else None

    def now(self) -> FeedState | None:
        """Its feed, with what that has received by now."""
        seen, source = self.seen, self.source
        return replace(seen, received=source.received, link=source.link) if seen and source else seen


def described(source: Input, wall: int) -> FeedState:
    """A feed that begins at this wall time (ns) with these tracks."""
    video = audio = ""
    for track in source.tracks:
        if track.width and not video:
            rate = f" {float(track.frame_rate):g} fps" if track.frame_rate else ""
            video = f"{track.codec} {track.width}x{track.height}{rate}"
        elif track.sample_rate and not audio:
            audio = f"{track.codec} {track.sample_rate / 1000:g} kHz"
    return FeedState(source.name, video, audio, 0, wall)
