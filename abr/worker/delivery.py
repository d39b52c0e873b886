"""Delivery of one channel: its origins opened, each with its order and views, behind one face."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from abr.clock import Clock
from abr.config.bucket import CONNECTIONS
from abr.journal.journal import Journal
from abr.journal.lock import ChannelLock
from abr.journal.record import InitRow
from abr.journal.spool import Spool
from abr.log import Logger
from abr.manifest.recording import recording_views
from abr.manifest.state import public_state
from abr.manifest.views import LiveViews
from abr.metrics import Metrics
from abr.model.segment import Release, Session
from abr.model.state import OriginState
from abr.publish.fanout import Fanout
from abr.publish.order import Begin, EndEvent, EndSession, Order, Place, Sources, Step
from abr.publish.origin import FILM_BATCH, Origin, Spawn, Surroundings
from abr.storage.directory import DirectoryStore
from abr.storage.retrying import Retrying
from abr.storage.s3 import S3Store
from abr.storage.store import Store

_PATIENCE = 5.0
"""Seconds that a put which has begun may take when the delivery is closed."""


@dataclass(frozen=True, slots=True)
class Books:
    """What a channel keeps on this machine."""

    channel: str
    journal: Journal
    spool: Spool
    clock: Clock
    log: Logger
    metrics: Metrics


@contextmanager
def open_books(channel: str, state: Path, clock: Clock, log: Logger, *, durable: bool) -> Iterator[Books]:
    """Journal and spool of a channel below the state folder, held by this process alone.

    `durable` syncs each segment to the disk; a film that can be packaged again does without. Raises ChannelBusy,
    JournalError.
    """
    folder = state / channel
    with ChannelLock(folder), Journal.open(folder / "journal.db") as journal:
        yield Books(channel, journal, Spool(folder / "spool", durable=durable), clock, log, Metrics())


class Delivery:
    """Tells all origins what happened, after the journal knows it."""

    def __init__(
        self, books: Books, stores: Sequence[Store], spawn: Spawn, *, live: bool, time_url: str | None = None
    ) -> None:
        self._books = books
        self._live = live
        self._time_url = time_url
        self._leave = threading.Event()
        self._sessions: dict[str, list[tuple[Session, int]]] = {}
        self._ended: set[str] = set()
        self._fanout = Fanout(self._forget)
        around = Surroundings(
            books.clock,
            books.log,
            books.metrics,
            books.journal.confirm,
            self._fanout.landed,
            batch=1 if live else FILM_BATCH,
        )
        self._stores = [Retrying(store, wait=self._leave.wait, clock=books.clock) for store in stores]
        for store, place in zip(self._stores, stores, strict=True):
            self._fanout.attach(Origin(store, self._order(), around), spawn, _threads(place, live=live))

    def begin(self, session: Session, discontinuity: int, inits: Mapping[str, InitRow]) -> None:
        """A session that the journal knows begins; its inits lie in the spool."""
        self._sessions.setdefault(session.event, []).append((session, discontinuity))
        sizes = tuple((name, row.size) for name, row in inits.items())
        self._fanout.add(Begin(session, discontinuity, sizes))

    def release(self, releases: Sequence[Release]) -> None:
        """These releases are in the journal and their segments in the spool."""
        for release in releases:
            self._fanout.add(release)

    def end(self, session: Session) -> None:
        """The session and its event are over: last playlists, then the recording."""
        self._ended.add(session.event)
        self._fanout.add(EndSession(session.id))
        self._fanout.add(EndEvent(session.event))

    def wait_below(self, limit: int) -> None:
        """Hold a film back while an origin is `limit` objects behind. Raises StageFailed when none is left."""
        self._fanout.wait_below(limit)

    def wait_idle(self, timeout: float | None = None) -> bool:
        """Wait until every origin that did not stop has everything. False: the time was up."""
        return self._fanout.wait_idle(timeout)

    def leave(self) -> None:
        """Tell all origins to stop; waits for nothing, so a signal handler may call it."""
        self._leave.set()
        self._fanout.leave()

    def close(self) -> None:
        """Stop delivering; what is not confirmed stays on disk and in the journal. May be called twice."""
        self._leave.set()
        self._fanout.close(_PATIENCE)
        for store in self._stores:
            store.close()

    def states(self) -> tuple[OriginState, ...]:
        """A picture of now, one for each origin."""
        return self._fanout.states()

    def failure(self) -> str:
        """Why origins stopped; empty when none did."""
        return self._fanout.failure()

    def _order(self) -> Order:
        views = LiveViews(self._books.channel, time_url=self._time_url) if self._live else None
        return Order(self._books.channel, Sources(self._path, self._recording, self._state), views)

    def _path(self, place: Place) -> Path:
        return self._books.spool.path(place.session, place.rendition, place.number)

    def _recording(self, event: str) -> Mapping[str, bytes]:
        releases = list(self._books.journal.releases(event))
        released = {release.session for release in releases}
        sessions = [session for session in self._books.journal.sessions(event) if session.id in released]
        return recording_views(sessions, releases) if sessions else {}

    def _state(self, event: str) -> bytes:
        return public_state(self._sessions[event], ended=event in self._ended)

    def _forget(self, steps: Sequence[Step]) -> None:
        """Every origin has what these steps need: the files may go."""
        for step in steps:
            if isinstance(step, EndSession):
                self._books.spool.remove_session(step.session)
            elif isinstance(step, Release):
                for row in step.rows:
                    if not row.gap:
                        self._books.spool.remove(row.session, row.rendition, row.number)


def _threads(store: Store, *, live: bool) -> int:
    """How many threads put at once: a bucket answers slowly and takes several, a directory is one disk.

    A film's directory only gives its files second names. It needs no thread: handing the interpreter to and fro cost
    a sixth of all that copying a film costs.
    """
    if isinstance(store, DirectoryStore):
        return 1 if live else 0
    return store.connections if isinstance(store, S3Store) else CONNECTIONS
