"""Which playlist or manifest goes next to one origin: the newest, one put of a key at a time, none too often."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from abr.model.object import (
    ObjectKind,
    StoredObject,
    entry_object,
    manifest_object,
    playlist_object,
    state_object,
)
from abr.model.segment import Release, Session
from abr.model.time import NANO

_MILLISECOND = 1_000_000
"""How finely an MPD tells its publishTime, nanoseconds."""


class Now(NamedTuple):
    """One reading of both clocks, nanoseconds."""

    wall: int
    monotonic: int


class Views(Protocol):
    """The live playlists and manifests of one origin (`manifest.views.LiveViews`)."""

    @property
    def ready(self) -> bool: ...
    def begin(self, session: Session, discontinuity: int) -> None: ...
    def advance(self, release: Release) -> None: ...
    def end_session(self) -> None: ...
    def end_event(self) -> None: ...
    def multivariant(self) -> bytes: ...
    def playlist(self, name: str) -> bytes: ...
    def manifest(self, published: int) -> bytes: ...


class ViewQueue:
    """The mutable objects of one origin.

    A view is rendered when it is taken. An entry point waits until the playlists that it names were put, and
    is put once: it is fixed for the event. Intervals follow the monotonic clock, so that a step of the wall
    clock stalls nothing.
    """

    def __init__(self, channel: str, views: Views | None, state: Callable[[str], bytes]) -> None:
        """`views`: None for a film, which has only its state."""
        self.last = False
        """Whether the event is over: what is pending is its end."""
        self._channel = channel
        self._views = views
        self._state = state
        self._event = ""
        self._session: Session | None = None
        self._dirty: dict[str, StoredObject] = {}
        self._busy: set[str] = set()
        self._last_put: dict[str, int] = {}
        self._shown: set[str] = set()
        """Keys put since the views began afresh."""
        self._published = 0

    @property
    def live(self) -> bool:
        """Whether there is anything to show while the event runs."""
        return self._views is not None

    @property
    def pending(self) -> int:
        """Views that are older at the origin than here."""
        return len(self._dirty.keys() | self._busy)

    def begin(self, session: Session, discontinuity: int) -> None:
        """A session begins, with nothing pending. Views that begin afresh leave what the origin shows for now."""
        self._session = session
        self.last = False
        if self._views is None:
            return
        self._views.begin(session, discontinuity)
        if not self._views.ready:
            self._shown.clear()

    def advance(self, release: Release) -> None:
        """The origin has everything of this release."""
        if self._views is not None:
            self._views.advance(release)

    def end_session(self) -> None:
        """The session is over."""
        if self._views is not None:
            self._views.end_session()

    def end_event(self) -> None:
        """The event is over: the next views are the last."""
        self.last = True
        if self._views is not None:
            self._views.end_event()

    def mark(self) -> None:
        """The views have changed: put them when they may go."""
        if self._views is None or self._session is None or not self._views.ready:
            return
        changed = [*self._playlists(self._session), manifest_object(self._channel, self._session.duration)]
        entry = entry_object(self._channel)
        if entry.key not in self._shown | self._busy:
            changed.append(entry)
        self._dirty.update({stored.key: stored for stored in changed})

    def mark_state(self, event: str) -> None:
        """The public state of this event has changed."""
        self._event = event
        stored = state_object(self._channel)
        self._dirty[stored.key] = stored

    def take(self, now: Now) -> tuple[StoredObject, bytes] | None:
        """The next view that may go, rendered; None while there is none."""
        for key, stored in self._dirty.items():
            if self._may_go(stored) and self._next_put(key) <= now.monotonic:
                del self._dirty[key]
                self._busy.add(key)
                return stored, self._render(stored, now)
        return None

    def due(self) -> int | None:
        """When a view that only waits for its interval may go (monotonic clock, ns); None if none does."""
        waiting = [self._next_put(key) for key, stored in self._dirty.items() if self._may_go(stored)]
        return min(waiting, default=None)

    def done(self, stored: StoredObject, now: Now) -> None:
        """The origin confirmed a view."""
        self._busy.discard(stored.key)
        self._shown.add(stored.key)
        self._last_put[stored.key] = now.monotonic

    def again(self, stored: StoredObject) -> None:
        """The put of a view failed: put what it is by then."""
        self._busy.discard(stored.key)
        self._dirty.setdefault(stored.key, stored)

    def _may_go(self, stored: StoredObject) -> bool:
        if stored.key in self._busy:
            return False
        if stored.kind is not ObjectKind.ENTRY or self._session is None:
            return True
        return all(item.key in self._shown for item in self._playlists(self._session))

    def _next_put(self, key: str) -> int:
        last = self._last_put.get(key)
        if last is None or self._session is None:
            return 0
        return last + max(NANO, int(self._session.duration * NANO / 2))

    def _playlists(self, session: Session) -> list[StoredObject]:
        return [playlist_object(self._channel, item.name, session.duration) for item in session.renditions]

    def _render(self, stored: StoredObject, now: Now) -> bytes:
        if stored.kind is ObjectKind.STATE:
            return self._state(self._event)
        assert self._views is not None
        match stored.kind:
            case ObjectKind.PLAYLIST:
                return self._views.playlist(stored.key.split("/")[-2])
            case ObjectKind.MANIFEST:
                return self._views.manifest(self._publish_time(now))
            case _:
                return self._views.multivariant()

    def _publish_time(self, now: Now) -> int:
        """Later with each manifest, whatever the wall clock does (ISO/IEC 23009-1, 5.3.1.2: publishTime)."""
        self._published = max(now.wall, self._published + _MILLISECOND)
        return self._published
