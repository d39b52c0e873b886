"""One film from file to recording: encoded, or copied."""

import os
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from abr.clock import Clock
from abr.config.ladder import resolve
from abr.config.settings import Film, VodSettings
from abr.errors import FeedUnreadable, StageFailed
from abr.ingest.demux import Demuxer
from abr.ingest.source import Opener, Source
from abr.log import Logger
from abr.model.ladder import Ladder
from abr.model.media import Packet
from abr.model.segment import Release, Session
from abr.model.time import NANO
from abr.storage.place import open_store
from abr.worker.copying import Copying, open_copy
from abr.worker.delivery import Books, Delivery, open_books
from abr.worker.event import begin_session, end_session, film_cutters
from abr.worker.packager import Packager
from abr.worker.stage import Threads

if TYPE_CHECKING:
    from abr.worker.encoding import Encoding

_AHEAD = 256
"""Objects that may wait for the slowest origin before the film is held back."""
_COMMIT = 16
"""Segment numbers that one commit of the journal releases."""
_MISSING = 2 * NANO
"""A film that ends earlier than it says by more than this (ns) was cut off."""

Progress = Callable[[int], None]
"""Told how far the film has been read, nanoseconds of media."""


@dataclass(frozen=True, slots=True)
class Packaged:
    """What became of a film."""

    channel: str
    session: Session
    releases: int
    notes: tuple[str, ...]

    @property
    def entry(self) -> str:
        """Key of the recording's multivariant playlist; `manifest.mpd` lies beside it."""
        return f"{self.channel}/recordings/{self.session.event}/index.m3u8"


def package_film(film: Film, settings: VodSettings, clock: Clock, progress: Progress) -> Packaged:
    """Package one film and deliver it to all origins. Raises AbrError."""
    with closing(_open(film, settings, clock)) as source, ExitStack() as stack:
        demuxer = source.demuxer
        resolved = resolve(
            settings.profile, demuxer.tracks, cores=os.cpu_count() or 1, language=settings.language
        )
        stores = [open_store(origin, durable=False) for origin in settings.to]
        for store in stores:
            store.check()
        log = Logger("vod", channel=film.channel)
        books = stack.enter_context(open_books(film.channel, settings.state, clock, log, durable=False))
        _forget_films(books)
        services = Threads()
        delivery = Delivery(books, stores, services.spawn, live=False)
        run = _FilmRun(demuxer, books, delivery, progress)
        stack.callback(run.close)
        session = run.package(film.channel, resolved.ladder, copy=settings.profile.copy)
        delivery.wait_idle()
        services.check()
        if delivery.failure():
            raise StageFailed(delivery.failure())
        run.check_end()
        return Packaged(film.channel, session, run.releases, resolved.notes)


def _forget_films(books: Books) -> None:
    """A run that was killed leaves segments of a film that is packaged anew."""
    for session in books.journal.open_sessions(books.channel):
        if not session.live:
            books.spool.remove_session(session.id)
            books.journal.end_session(session.id)


class _FilmRun:
    """One pass over a film."""

    def __init__(self, demuxer: Demuxer, books: Books, delivery: Delivery, progress: Progress) -> None:
        self.releases = 0
        self._demuxer, self._books, self._delivery = demuxer, books, delivery
        self._progress = progress
        self._scales = [
            (track.time_base.numerator * NANO, track.time_base.denominator) for track in demuxer.tracks
        ]
        self._reached = 0
        self._session: Session | None = None

    def package(self, channel: str, ladder: Ladder, *, copy: bool) -> Session:
        """Copy the film's own packets, or encode them, and package what comes of it."""
        clock = self._books.clock
        way: Copying | Encoding
        if copy:
            way = open_copy(channel, ladder, self._demuxer, clock)
        else:
            from abr.worker.encoding import open_encoding  # noqa: PLC0415 - a copy needs none of FFmpeg's codecs

            way = open_encoding(channel, ladder, self._demuxer, clock)
        session = self._session = way.opening.session
        begin_session(way.opening, self._books, self._delivery)
        way.run(self._packager(session, _COMMIT if copy else 1), self._seen)
        end_session(session, self._books, self._delivery)
        return session

    def close(self) -> None:
        """End the delivery. What was not delivered is not kept: a film can be packaged again."""
        self._delivery.close()
        if self._session is not None:
            self._books.spool.remove_session(self._session.id)

    def check_end(self) -> None:
        """Raises FeedUnreadable when nothing came of the film, or less than it says it holds."""
        name, whole = self._demuxer.name, self._demuxer.duration
        if not self.releases:
            raise FeedUnreadable(f"{name} gave no segment: it holds no media that can be decoded")
        if self._demuxer.ended not in {None, "the end"}:
            raise FeedUnreadable(f"{name} could not be read to its end: {self._demuxer.ended}")
        if whole and whole - self._reached > max(_MISSING, whole // 50):
            raise FeedUnreadable(
                f"{name} ends at {self._reached / NANO:.1f} s of {whole / NANO:.1f} s: the file was cut off",
                hint="what it holds was packaged",
            )

    def _packager(self, session: Session, batch: int) -> Packager:
        books = (self._books.journal, self._books.spool)
        return Packager(session, film_cutters(session), books, self._released, batch=batch)

    def _released(self, releases: Sequence[Release]) -> None:
        self.releases += len(releases)
        self._delivery.release(releases)
        self._delivery.wait_below(_AHEAD)

    def _seen(self, packet: Packet) -> None:
        if packet.pts is None:
            return
        multiply, divide = self._scales[packet.track]
        time = (packet.pts + packet.duration) * multiply // divide
        if time > self._reached:
            self._reached = time
            self._progress(time)


def film_duration(film: Film, settings: VodSettings, clock: Clock) -> int:
    """How long the film says it is, nanoseconds; 0 for unknown. Raises FeedError."""
    with closing(_open(film, settings, clock)) as source:
        return source.demuxer.duration


def _open(film: Film, settings: VodSettings, clock: Clock) -> Source:
    """The film, of a kind that has an end. Raises FeedError."""
    source = Opener(clock, threading.Event().wait, private=settings.pull_private).open(film.source)
    if source.live:
        source.close()
        raise FeedUnreadable(
            f"{film.source.name} is live: it has no end yet", hint="`abr live --pull` takes it"
        )
    return source
