"""A live event: the encoders of its ladder, fed by whichever feed is on air, until it is ended."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from abr.clock import MediaClock
from abr.config.ladder import resolve
from abr.config.settings import LiveSettings
from abr.errors import FeedRefused, MediaError
from abr.model.media import Track
from abr.model.segment import Release
from abr.model.time import NANO
from abr.transcode.decode import Decoder
from abr.transcode.grid import LiveGrid
from abr.transcode.source import Source
from abr.worker.delivery import Books, Delivery
from abr.worker.event import begin_session, end_session, live_cutters, open_session
from abr.worker.input import Input
from abr.worker.packager import Packager, Tally
from abr.worker.pipeline import Arrival, Encoders, FeedBegin, FeedEnd, Pipeline
from abr.worker.stage import Closed, Horizon, Inbox, Threads

_ROOM = 512
"""Packets that may wait for the decoder: some seconds of a feed; then its connection waits."""

_SHOWN = ("repeated", "dropped", "idle", "moved")
"""Counters of the grid that an operator reads."""


@dataclass(slots=True)
class Progress:
    """The newest release, for status."""

    sequence: int = -1
    released: int = 0
    end: int = 0
    """Its end, ns since the epoch."""


def _refuse_the_past(channel: str, books: Books) -> None:
    """Media time never goes back, even where the machine's clock does (DESIGN 3.7)."""
    ahead = books.journal.last_end(channel) - books.clock.wall()
    if ahead > 0:
        raise FeedRefused(
            f"the clock went back: the channel's last event ended {ahead / NANO:.1f} s from now",
            hint="set the clock, or publish again after that",
        )


class LiveEvent:
    """Made with its first feed's tracks, which fix the ladder; everything runs until `end`."""

    def __init__(
        self, tracks: Sequence[Track], settings: LiveSettings, books: Books, delivery: Delivery
    ) -> None:
        """Open the encoders and start. Raises ConfigError, EncoderMissing, MediaError, JournalError, SpoolError."""
        self._books, self._delivery = books, delivery
        _refuse_the_past(settings.channel, books)
        resolved = resolve(
            settings.profile, tracks, cores=os.cpu_count() or 1, silence=True, language=settings.language
        )
        for note in resolved.notes:
            books.log.info("rung left out" if "larger" in note else "ladder", note=note)
        self.ladder = resolved.ladder
        encoders = Encoders.open(self.ladder, steady=True)
        opening = open_session(
            settings.channel, self.ladder, encoders, books.clock.wall(), hold=settings.hold
        )
        self.session = opening.session
        self.progress = Progress()
        self._made: Packager | None = None
        begin_session(opening, books, delivery)
        self._start(encoders, settings.hold)

    def _start(self, encoders: Encoders, hold: Fraction) -> None:
        self.threads = Threads()
        self._refused: tuple[FeedBegin, MediaError] | None = None
        self.grid = LiveGrid(self.ladder, hold=int(hold * NANO))
        self._horizon = Horizon(MediaClock(self._books.clock))
        pipeline = Pipeline(
            decoder=lambda tracks: Decoder(tracks, live=True, uses=Source(tracks, self.ladder).uses),
            placer=self.grid,
            encoders=encoders,
            packager=self._packager,
            horizon=self._horizon,
            room=_ROOM,
            refused=self._refuse,
        )
        self._arriving: Inbox[Arrival] = pipeline.start(self.threads)

    def carry(self, feed: Input) -> None:
        """Read a feed to its end, in the calling thread. Raises MediaError for one that cannot be decoded."""
        begin = FeedBegin(feed.tracks, again=feed.again)
        try:
            self._give(begin)
            for packets in feed.items():
                self._give(packets)
                if self._why_refused(begin):
                    break
            if not feed.reopen or self._why_refused(begin):
                self._give(FeedEnd())
        except Closed:
            self.threads.check()
        if error := self._why_refused(begin):
            raise error

    def end(self) -> None:
        """Flush everything, then journal and origins learn that it is over. Raises StageFailed."""
        self._arriving.end()
        self.threads.join()
        end_session(self.session, self._books, self._delivery)
        self.threads.check()

    def _refuse(self, begin: FeedBegin, error: MediaError) -> None:
        self._refused = begin, error

    def _why_refused(self, begin: FeedBegin) -> MediaError | None:
        """The latest refusal, if it is that of this feed and not of the one before."""
        refused = self._refused
        return refused[1] if refused is not None and refused[0] is begin else None

    def tallies(self) -> Mapping[str, Tally]:
        """What each rendition has given so far; empty before the first packet."""
        return self._made.tallies if self._made else {}

    def counters(self) -> dict[str, int]:
        """What the grid had to mend since the event began."""
        counts = self.grid.stats()
        return {name: counts.get(name, 0) for name in _SHOWN}

    def _first(self) -> int:
        first = self.grid.start
        assert first is not None  # the first packet comes after the grid's first picture
        return first

    def _give(self, arrival: Arrival) -> None:
        self._horizon.enter()
        self._arriving.put(arrival)

    def _packager(self) -> Packager:
        """Made with the first packet: then the grid knows where it begins."""
        cutters = live_cutters(self.session, self._first())
        self._made = Packager(self.session, cutters, (self._books.journal, self._books.spool), self._released)
        return self._made

    def _released(self, releases: Sequence[Release]) -> None:
        self._delivery.release(releases)
        newest = releases[-1]
        self.progress.released += len(releases)
        self.progress.sequence = newest.sequence
        self.progress.end = int((newest.number + 1) * self.session.duration * NANO)
