"""What goes on air: a publisher's feed, or a file at its own pace. Both give normalised packets."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from abr.clock import Clock
from abr.ingest.demux import Demuxer
from abr.ingest.feed import Feed
from abr.ingest.normalise import Normaliser
from abr.ingest.pull import PulledFeed
from abr.model.media import Gap, Packet, Track
from abr.model.time import NANO

Items = Iterator[Sequence[Packet | Gap]]


class Input(Protocol):
    """An opened input: it knows its tracks, gives its packets, and says why it ended."""

    name: str
    """For logs; without secrets."""

    @property
    def tracks(self) -> tuple[Track, ...]: ...
    @property
    def ended(self) -> str | None: ...
    @property
    def received(self) -> int:
        """Bytes so far; 0 where nobody counts."""
        ...

    @property
    def reopen(self) -> bool:
        """Whether the feed goes on, on the same time line, with other tracks: `open_again`."""
        ...

    @property
    def again(self) -> bool:
        """Whether this is the same feed, opened again."""
        ...

    def items(self) -> Items: ...
    def close(self) -> None: ...


class Published:
    """A publisher's feed, opened. Raises FeedUnreadable."""

    def __init__(self, feed: Feed) -> None:
        self.name = feed.name
        self._feed = feed
        self._demuxer = Demuxer(feed)
        self._normaliser = Normaliser(self._demuxer.tracks)
        self.again = False

    def open_again(self) -> None:
        """Open the feed with the tracks that it has now. Raises FeedUnreadable."""
        self._demuxer.close()
        self._feed.restart()
        self._demuxer = Demuxer(self._feed)
        self._normaliser.change_tracks(self._demuxer.tracks)
        self.again = True

    @property
    def tracks(self) -> tuple[Track, ...]:
        return self._demuxer.tracks

    @property
    def ended(self) -> str | None:
        return self._demuxer.ended

    @property
    def reopen(self) -> bool:
        """Whether the feed goes on, on the same time line, with other tracks."""
        return self._demuxer.reopen

    @property
    def received(self) -> int:
        return self._feed.stats().bytes

    def items(self) -> Items:
        for packet in self._demuxer.packets():
            yield self._normaliser.push(packet)

    def close(self) -> None:
        self._demuxer.close()


class Pulled:
    """A file or URL, opened, that is read at its own pace and, with `loop`, again and again.

    `wait(seconds)` waits and answers whether to stop. Raises FeedUnreadable.
    """

    received = 0
    reopen = False
    again = False

    def __init__(self, location: str, *, loop: bool, clock: Clock, wait: Callable[[float], bool]) -> None:
        self._location, self._loop, self._clock, self._wait = location, loop, clock, wait
        self._demuxer = Demuxer(location)
        self.name = self._demuxer.name
        self.tracks = self._demuxer.tracks
        self.failed = False
        """Whether it ended before its end."""

    @property
    def ended(self) -> str | None:
        return self._demuxer.ended

    def items(self) -> Items:
        paced = PulledFeed(self._packets(), self.tracks, self._clock.monotonic, self._go_on)
        for item in paced:
            yield (item,)
        self.failed = not paced.stopped and self.ended != "the end"

    def close(self) -> None:
        self._demuxer.close()

    def _packets(self) -> Iterator[Packet | Gap]:
        normaliser = Normaliser(self.tracks)
        while True:
            for packet in self._demuxer.packets():
                yield from normaliser.push(packet)
            if not self._loop or self.ended != "the end":
                return
            self._demuxer.close()
            self._demuxer = Demuxer(self._location)

    def _go_on(self, wait: int) -> bool:
        return not self._wait(wait / NANO)
