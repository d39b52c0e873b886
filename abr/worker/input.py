"""What goes on air: a feed, or what is pulled (`worker.pulled`). Both give normalised packets."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from abr.clock import Clock
from abr.errors import FeedUnreadable
from abr.ingest.demux import Demuxer
from abr.ingest.feed import Feed
from abr.ingest.normalise import Normaliser
from abr.ingest.past import Past
from abr.model.media import Gap, Packet, Track
from abr.model.state import LinkState
from abr.model.time import NANO

Items = Iterator[Sequence[Packet | Gap]]


_AGAIN = {"fpsprobesize": "0"}
"""Frames that FFmpeg waits for to tell their rate (20 otherwise, most of a second): the ladder has one already."""

_CHANGES = 16
"""How often in a row a feed may change its tracks: each time costs a new decoder."""

_CALM = 60 * NANO
"""Tracks that stayed for so long end the row."""


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

    def open_again(self) -> bool:
        """Open it with other tracks, where it goes on with such on the same time line; else it is over: False.

        Asked when `items` came to their end. Raises FeedUnreadable.
        """
        ...

    def stats(self) -> dict[str, int]:
        """What was wrong with the packets and was repaired, by kind."""
        ...

    def items(self) -> Items: ...
    def close(self) -> None: ...


class Published:
    """A publisher's feed, opened. `past` is what the feeds before it brought. Raises FeedUnreadable.

    `returning`: an event runs, whose ladder has a rate already; the feed's own is not waited for.
    """

    def __init__(self, feed: Feed, clock: Clock, past: Past, *, returning: bool = False) -> None:
        self.name = feed.name
        self._feed = feed
        opened = clock.monotonic()
        self._demuxer = Demuxer(feed, options=_AGAIN if returning else None)
        self._normaliser = Normaliser(self._demuxer.tracks, now=clock.monotonic, past=past, opened=opened)
        self._corrupt = 0
        """Damaged packets of containers that are closed."""
        self._changes = Changes(opened)
        self._now = clock.monotonic
        self.tracks = _without_rate(self._demuxer.tracks) if returning else self._demuxer.tracks

    def open_again(self) -> bool:
        """Open the feed with the tracks that it has now, if it has others. Raises FeedUnreadable."""
        if not self._demuxer.reopen:
            return False
        if not self._changes.allow(self._now()):
            raise FeedUnreadable(f"{self.name}: its tracks change all the time")
        self._demuxer.close()
        self._feed.restart()
        again = Demuxer(self._feed, options=_AGAIN)
        self._corrupt += self._demuxer.corrupt
        self._demuxer = again
        self._normaliser.change_tracks(again.tracks)
        self.tracks = _without_rate(again.tracks)
        return True

    @property
    def ended(self) -> str | None:
        return self._feed.ended or self._demuxer.ended

    @property
    def received(self) -> int:
        return self._feed.stats().bytes

    @property
    def link(self) -> LinkState | None:
        return self._feed.stats().link

    def stats(self) -> dict[str, int]:
        corrupt = self._corrupt + self._demuxer.corrupt
        return self._normaliser.stats() | {"corrupt": corrupt} | dict(self._feed.stats().wrong)

    def items(self) -> Items:
        for packet in self._demuxer.packets():
            yield self._normaliser.push(packet)

    def close(self) -> None:
        self._demuxer.close()


def _without_rate(tracks: tuple[Track, ...]) -> tuple[Track, ...]:
    """FFmpeg has seen too little for more than a guess of it."""
    return tuple(replace(track, frame_rate=None) for track in tracks)


class Changes:
    """How often a feed has changed its tracks without a calm minute in between. `now` is a clock's, in ns."""

    def __init__(self, now: int) -> None:
        self._latest = now
        self._count = 0

    def allow(self, now: int) -> bool:
        """It changes them once more: whether that is borne."""
        self._count = 1 if now - self._latest >= _CALM else self._count + 1
        self._latest = now
        return self._count <= _CHANGES
