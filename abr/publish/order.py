"""In which order objects go to one origin. Bookkeeping only: no store, no thread, no clock."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from abr.journal.record import Confirmation
from abr.model.object import (
    ObjectKind,
    StoredObject,
    entry_object,
    init_object,
    manifest_object,
    playlist_object,
    recording_object,
    segment_object,
    state_object,
)
from abr.model.segment import Release, Session
from abr.model.time import NANO


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


class Begin(NamedTuple):
    """A session begins: its inits come before anything that needs them."""

    session: Session
    discontinuity: int
    inits: tuple[tuple[str, int], ...]
    """Rendition and size in bytes."""


class EndSession(NamedTuple):
    """The last segment of a session was released."""

    session: str


class EndEvent(NamedTuple):
    """The event is over; what was released is a recording."""

    event: str


Step = Begin | Release | EndSession | EndEvent


class Place(NamedTuple):
    """Which object of which session: an init where `number` is None."""

    session: str
    rendition: str
    number: int | None


@dataclass(frozen=True, slots=True)
class Task:
    """One object to put now."""

    object: StoredObject
    body: Path | bytes
    place: Place | None = None
    """Set for what the journal records; None for views."""
    size: int = 0
    step: "_Pending | None" = field(default=None, repr=False)


@dataclass(slots=True, eq=False)
class _Pending:
    """A step and how many of its objects are not confirmed yet."""

    step: Step
    outstanding: int
    confirmed: list[Confirmation] = field(default_factory=list)


class Landed(NamedTuple):
    """Steps whose objects are all at the origin, in order. First the journal learns it, then `apply`."""

    steps: tuple[Step, ...]
    confirmed: tuple[Confirmation, ...]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the bytes of an object come from."""

    path: Callable[[Place], Path]
    recording: Callable[[str], Mapping[str, bytes]]
    """Files of an event's recording, below its folder."""
    state: Callable[[str], bytes]
    """The channel's public state at the end or border of this event."""


class Order:
    """What one origin gets next.

    Immutable objects go in the order of their releases. A step is *landed* when all its objects are confirmed
    and all steps before it are; only then may `apply` bring it into the views, so that a playlist never names
    what is not there and rungs advance together. A view is rendered when it is taken: the newest goes out, one
    put of a key at a time, and no key more often than every max(1 s, D/2).
    """

    def __init__(self, channel: str, sources: Sources, views: Views | None) -> None:
        self._channel = channel
        self._sources = sources
        self._views = views
        self._sessions: dict[str, Session] = {}
        self._session: Session | None = None
        self._steps: deque[_Pending] = deque()
        self._queue: deque[Task] = deque()
        self._files: deque[Task] = deque()
        self._dirty: dict[str, StoredObject] = {}
        self._busy: set[str] = set()
        self._last_put: dict[str, int] = {}
        self._in_flight = 0

    @property
    def backlog(self) -> int:
        """Immutable objects that are not confirmed yet."""
        return len(self._queue) + self._in_flight

    @property
    def immediate(self) -> bool:
        """Whether an immutable object waits to be taken."""
        return bool(self._queue)

    @property
    def complete(self) -> bool:
        """Whether `landed` has something to give."""
        return bool(self._steps) and self._steps[0].outstanding == 0

    @property
    def idle(self) -> bool:
        """Whether everything that was added is at the origin, views included."""
        return not (self._steps or self._queue or self._files or self._dirty or self._in_flight or self._busy)

    def add(self, step: Step) -> None:
        """The next step of the channel, in the journal's order."""
        pending = _Pending(step, 0)
        tasks = list(self._tasks(pending))
        pending.outstanding = len(tasks)
        self._steps.append(pending)
        self._queue.extend(tasks)

    def take(self, now: int) -> Task | None:
        """The next task, or None while there is nothing to do before `due`. `now`: wall clock, ns."""
        view = self._take_view(now)
        if view is not None:
            return view
        for queue in (self._queue, self._files):
            if queue:
                self._in_flight += 1
                return queue.popleft()
        return None

    def due(self) -> int | None:
        """When a view that waits for its interval may go (wall clock, ns); None if none waits."""
        waiting = [self._next_put(key) for key in self._dirty if key not in self._busy]
        return min(waiting, default=None)

    def done(self, task: Task, etag: str, now: int) -> None:
        """The origin confirmed this task's object."""
        if task.object.kind is not ObjectKind.RECORDING and task.place is None:
            self._busy.discard(task.object.key)
            self._last_put[task.object.key] = now
            return
        self._in_flight -= 1
        if task.place is not None and task.step is not None:
            task.step.outstanding -= 1
            task.step.confirmed.append(Confirmation(*task.place, task.size, etag, now))

    def again(self, task: Task) -> None:
        """The put failed; it is the next one again."""
        if task.object.kind is not ObjectKind.RECORDING and task.place is None:
            self._busy.discard(task.object.key)
            self._dirty.setdefault(task.object.key, task.object)
            return
        self._in_flight -= 1
        (self._queue if task.place is not None else self._files).appendleft(task)

    def landed(self) -> Landed | None:
        """Take the steps that are complete now."""
        steps: list[_Pending] = []
        while self._steps and self._steps[0].outstanding == 0:
            steps.append(self._steps.popleft())
        if not steps:
            return None
        confirmed = tuple(item for pending in steps for item in pending.confirmed)
        return Landed(tuple(pending.step for pending in steps), confirmed)

    def apply(self, steps: Sequence[Step]) -> None:
        """Bring landed steps, which the journal knows by now, into the views."""
        for step in steps:
            match step:
                case Begin():
                    self._begin(step)
                case Release():
                    if self._views is not None:
                        self._views.advance(step)
                case EndSession():
                    if self._views is not None:
                        self._views.end_session()
                case EndEvent():
                    self._end_event(step)
        if steps:
            self._mark_views()

    def _tasks(self, pending: _Pending) -> list[Task]:
        match pending.step:
            case Begin(session, _, inits):
                self._sessions[session.id] = session
                return [self._init_task(session, name, size, pending) for name, size in inits]
            case Release():
                return self._segment_tasks(pending.step, pending)
            case _:
                return []

    def _init_task(self, session: Session, name: str, size: int, pending: _Pending) -> Task:
        place = Place(session.id, name, None)
        kind = session.rendition(name).kind
        stored = init_object(self._channel, name, session.id, kind)
        return Task(stored, self._sources.path(place), place, size, pending)

    def _segment_tasks(self, release: Release, pending: _Pending) -> list[Task]:
        session = self._sessions[release.session]
        tasks = []
        for row in release.rows:
            if row.gap:
                continue
            place = Place(row.session, row.rendition, row.number)
            kind = session.rendition(row.rendition).kind
            stored = segment_object(self._channel, row.rendition, row.session, row.number, kind)
            tasks.append(Task(stored, self._sources.path(place), place, row.size, pending))
        # Audio and the lowest rung first: with them a viewer sees something.
        tasks.reverse()
        return tasks

    def _begin(self, step: Begin) -> None:
        self._session = step.session
        if self._views is not None:
            self._views.begin(step.session, step.discontinuity)
            self._put_state(step.session.event)

    def _end_event(self, step: EndEvent) -> None:
        if self._views is not None:
            self._views.end_event()
        for path, body in self._sources.recording(step.event).items():
            stored = recording_object(self._channel, step.event, path)
            self._files.append(Task(stored, body, None, len(body)))
        self._put_state(step.event)

    def _put_state(self, event: str) -> None:
        self._event = event
        stored = state_object(self._channel)
        self._dirty[stored.key] = stored

    def _mark_views(self) -> None:
        if self._views is None or self._session is None or not self._views.ready:
            return
        for stored in self._live_objects(self._session):
            self._dirty[stored.key] = stored

    def _live_objects(self, session: Session) -> list[StoredObject]:
        """Media playlists before the entry points that name them."""
        playlists = [
            playlist_object(self._channel, item.name, session.duration) for item in session.renditions
        ]
        return [*playlists, manifest_object(self._channel, session.duration), entry_object(self._channel)]

    def _take_view(self, now: int) -> Task | None:
        for key, stored in self._dirty.items():
            if key in self._busy or self._next_put(key) > now or not self._may_enter(stored):
                continue
            del self._dirty[key]
            self._busy.add(key)
            return Task(stored, self._render(stored, now))
        return None

    def _may_enter(self, stored: StoredObject) -> bool:
        """An entry point waits until the playlists that it names were put once."""
        if stored.kind is not ObjectKind.ENTRY or self._session is None:
            return True
        playlists = [
            playlist_object(self._channel, item.name, self._session.duration)
            for item in self._session.renditions
        ]
        return all(item.key in self._last_put for item in playlists)

    def _next_put(self, key: str) -> int:
        last = self._last_put.get(key)
        if last is None or self._session is None:
            return 0
        return last + max(NANO, int(self._session.duration * NANO / 2))

    def _render(self, stored: StoredObject, now: int) -> bytes:
        if stored.kind is ObjectKind.STATE:
            return self._sources.state(self._event)
        views = self._views
        assert views is not None
        match stored.kind:
            case ObjectKind.PLAYLIST:
                return views.playlist(stored.key.split("/")[-2])
            case ObjectKind.MANIFEST:
                return views.manifest(now)
            case _:
                return views.multivariant()
