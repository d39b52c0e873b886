"""Delivery of one channel: its origins opened, each with its order and views, behind one face."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from abr.clock import Clock
from abr.journal.journal import Journal
from abr.journal.spool import Spool
from abr.log import Logger
from abr.manifest.recording import recording_views
from abr.manifest.state import state_view
from abr.manifest.views import LiveViews
from abr.metrics import Metrics
from abr.model.segment import Release
from abr.publish.fanout import Fanout
from abr.publish.order import Order, Sources
from abr.publish.origin import FILM_BATCH, Origin, Spawn, Surroundings
from abr.storage.directory import DirectoryStore
from abr.storage.store import Store


@dataclass(frozen=True, slots=True)
class Books:
    """What a channel keeps on this machine."""

    channel: str
    journal: Journal
    spool: Spool
    clock: Clock
    log: Logger
    metrics: Metrics


def open_delivery(
    books: Books, stores: Sequence[Store], spawn: Spawn, *, live: bool, time_url: str | None = None
) -> Fanout:
    """Start delivering to these stores. With `live`, playlists and manifests are kept up while it runs."""

    def remove(releases: Sequence[Release]) -> None:
        for release in releases:
            for row in release.rows:
                if not row.gap:
                    books.spool.remove(row.session, row.rendition, row.number)

    fanout = Fanout(remove)
    around = Surroundings(
        books.clock,
        books.log,
        books.metrics,
        books.journal.confirm,
        fanout.landed,
        batch=1 if live else FILM_BATCH,
    )
    for store in stores:
        views = LiveViews(books.channel, time_url=time_url) if live else None
        order = Order(books.channel, _sources(books), views)
        fanout.attach(Origin(store, order, around), spawn, _threads(store))
    return fanout


def _sources(books: Books) -> Sources:
    return Sources(lambda place: books.spool.path(*place), _recording(books), _state(books))


def _recording(books: Books) -> Callable[[str], Mapping[str, bytes]]:
    def files(event: str) -> Mapping[str, bytes]:
        releases = list(books.journal.releases(event))
        released = {release.session for release in releases}
        sessions = [session for session in books.journal.sessions(event) if session.id in released]
        return recording_views(sessions, releases) if sessions else {}

    return files


def _state(books: Books) -> Callable[[str], bytes]:
    def text(event: str) -> bytes:
        row = next(item for item in books.journal.events(books.channel) if item.id == event)
        return state_view(row.id, row.started, row.ended, books.journal.sessions(event))

    return text


def _threads(store: Store) -> int:
    """A directory is one disk; an S3 origin answers slowly and takes several puts at once."""
    return 1 if isinstance(store, DirectoryStore) else 4
