"""What goes on air: a feed, or what is pulled (`worker.pulled`). Both give normalised packets."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from abr.clock import Clock
from abr.ingest.demux import Demuxer
from abr.ingest.feed import Feed
from abr.ingest.normalise import Normaliser
from abr.ingest.past import Past
from abr.model.media import Gap, Packet, Track
from abr.model.state import LinkState

Items = Iterator[Sequence[Packet | Gap]]


_AGAIN = {"fpsprobesize": "0"}
"""Frames that FFmpeg waits for to tell their rate (20 otherwise, most of a second): the ladder has one already."""


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
    def link(self) -> LinkState | None:
        """The readings of an SRT connection; None for all others."""
        ...

    @property
    def reopen(self) -> bool:
        """Whether the feed goes on, on the same time line, with other tracks: `open_again`."""
        ...

    @property
    def again(self) -> bool:
        """Whether this is the same feed, opened again."""
        ...

    def stats(self) -> dict[str, int]:
        """What was wrong with the packets and was repaired, by kind."""
        ...

    def items(self) -> Items: ...
    def close(self) -> None: ...


class Published:
    """A publisher's feed, opened. `past` is what the feeds before it brought. Raises FeedUnreadable."""

    def __init__(self, feed: Feed, clock: Clock, past: Past) -> None:
        self.name = feed.name
        self._feed = feed
        opened = clock.monotonic()
        self._demuxer = Demuxer(feed)
        self._normaliser = Normaliser(self._demuxer.tracks, now=clock.monotonic, past=past, opened=opened)
        self._corrupt = 0
        """Damaged packets of containers that are closed."""
        self.again = False

    def open_again(self) -> None:
        """Open the feed with the tracks that it has now. Raises FeedUnreadable."""
        self._demuxer.close()
        self._corrupt += self._demuxer.corrupt
        self._feed.restart()
        self._demuxer = Demuxer(self._feed, options=_AGAIN)
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

    @property
    def link(self) -> LinkState | None:
        return self._feed.stats().link

    def stats(self) -> dict[str, int]:
        return self._normaliser.stats() | {"corrupt": self._corrupt + self._demuxer.corrupt}

    def items(self) -> Items:
        for packet in self._demuxer.packets():
            yield self._normaliser.push(packet)

    def close(self) -> None:
        self._demuxer.close()
