"""In which order objects go to one origin. Bookkeeping only: no store, no thread, no clock."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from abr.journal.record import Confirmation
from abr.model.object import ObjectKind, StoredObject, init_object, recording_object, segment_object
from abr.model.segment import Release, Session
from abr.publish.view import Now, ViewQueue, Views


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


def count_objects(step: Step) -> int:
    """How many immutable objects a step needs."""
    match step:
        case Begin():
            return len(step.inits)
        case Release():
            return sum(not row.gap for row in step.rows)
        case _:
            return 0


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
    """Set for what the journal records; None for views and files of a recording."""
    size: int = 0
    step: "_Pending | None" = field(default=None, repr=False)


@dataclass(slots=True, eq=False)
class _Pending:
    """A step and how many of its objects are not confirmed yet."""

    step: Step
    outstanding: int
    confirmed: list[Confirmation] = field(default_factory=list)


@dataclass(slots=True)
class _Ending:
    """An event whose recording is on its way: playlists first, then the entry points that name them."""

    event: str
    files: deque[Task]
    entries: int
    """How many of the last files are entry points."""
    out: int = 0
    """Files that were taken and are not confirmed."""

    @property
    def waiting(self) -> int:
        return len(self.files) + self.out

    def take(self) -> Task | None:
        if not self.files or (self.out and len(self.files) <= self.entries):
            return None
        self.out += 1
        return self.files.popleft()


class Landed(NamedTuple):
    """Steps whose objects are all at the origin, in order. First the journal learns it, then `apply`."""

    steps: tuple[Step, ...]
    confirmed: tuple[Confirmation, ...]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the bytes of an object come from."""

    path: Callable[[Place], Path]
    recording: Callable[[str], Mapping[str, bytes]]
    """Files of an event's recording, below its folder. Takes long after a long event."""
    state: Callable[[str], bytes]
    """The channel's public state at the end or border of this event."""


class Order:
    """What one origin gets next.

    Immutable objects go in the order of their releases. A step is *landed* when all its objects are confirmed
    and all steps before it are; only then may `apply` bring it into the views, so that a playlist never names
    what is not there and rungs advance together. The last views of an event are put before a session of the
    next one reaches the views; its segments do not wait for that. Not for several threads at once, but for
    `recording`.
    """

    def __init__(self, channel: str, sources: Sources, views: Views | None) -> None:
        self._channel = channel
        self._sources = sources
        self._views = ViewQueue(channel, views, sources.state)
        self._sessions: dict[str, Session] = {}
        self._steps: deque[_Pending] = deque()
        self._queue: deque[Task] = deque()
        self._in_flight = 0
        self._landed: deque[tuple[Step, Mapping[str, bytes]]] = deque()
        """Steps that wait for the last views of the event before them, with the files of a recording."""
        self._ending: _Ending | None = None

    @property
    def backlog(self) -> int:
        """Objects that are not confirmed yet; views only when they are the last of their event."""
        recording = self._ending.waiting if self._ending else 0
        return (
            len(self._queue) + self._in_flight + recording + (self._views.pending if self._views.last else 0)
        )

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
        busy = self._steps or self._queue or self._in_flight or self._landed or self._ending
        return not (busy or self._views.pending)

    def add(self, step: Step) -> None:
        """The next step of the channel, in the journal's order."""
        pending = _Pending(step, 0)
        tasks = list(self._tasks(pending))
        pending.outstanding = len(tasks)
        self._steps.append(pending)
        self._queue.extend(tasks)

    def take(self, now: Now) -> Task | None:
        """The next task, or None while there is nothing to do before `due`."""
        view = self._views.take(now)
        if view is not None:
            return Task(*view)
        file = self._ending.take() if self._ending else None
        if file is not None or not self._queue:
            return file
        self._in_flight += 1
        return self._queue.popleft()

    def due(self) -> int | None:
        """When a view that waits for its interval may go (monotonic clock, ns); None if none waits."""
        return self._views.due()

    def done(self, task: Task, etag: str, now: Now) -> None:
        """The origin confirmed this task's object."""
        if task.place is not None:
            self._in_flight -= 1
            assert task.step is not None
            task.step.outstanding -= 1
            task.step.confirmed.append(Confirmation(*task.place, task.size, etag, now.wall))
        elif task.object.kind is ObjectKind.RECORDING:
            self._file_done()
        else:
            self._views.done(task.object, now)
        self._advance()

    def again(self, task: Task) -> None:
        """The put failed; it is the next one again."""
        if task.place is not None:
            self._in_flight -= 1
            self._queue.appendleft(task)
        elif task.object.kind is ObjectKind.RECORDING:
            assert self._ending is not None
            self._ending.out -= 1
            self._ending.files.appendleft(task)
        else:
            self._views.again(task.object)

    def landed(self) -> Landed | None:
        """Take the steps that are complete now."""
        steps: list[_Pending] = []
        while self._steps and self._steps[0].outstanding == 0:
            steps.append(self._steps.popleft())
        if not steps:
            return None
        confirmed = tuple(item for pending in steps for item in pending.confirmed)
        return Landed(tuple(pending.step for pending in steps), confirmed)

    def recordings(self, steps: Sequence[Step]) -> dict[str, Mapping[str, bytes]]:
        """The files of the recordings that these landed steps make: for `apply`, from any thread."""
        return {
            step.event: self._sources.recording(step.event) for step in steps if isinstance(step, EndEvent)
        }

    def apply(self, steps: Sequence[Step], recordings: Mapping[str, Mapping[str, bytes]]) -> None:
        """Bring landed steps, which the journal knows by now, into the views."""
        for step in steps:
            self._landed.append((step, recordings[step.event] if isinstance(step, EndEvent) else {}))
        self._advance()

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

    def _advance(self) -> None:
        """Bring what has landed into the views, up to a session that has to wait."""
        moved = False
        while self._landed and not self._held_back(self._landed[0][0]):
            self._bring(*self._landed.popleft())
            moved = True
        if moved:
            self._views.mark()

    def _held_back(self, step: Step) -> bool:
        """A session begins in the views after the last ones before it: an end that nobody saw is none."""
        return isinstance(step, Begin) and bool(self._ending or self._views.pending)

    def _bring(self, step: Step, recording: Mapping[str, bytes]) -> None:
        match step:
            case Begin():
                self._views.begin(step.session, step.discontinuity)
                if self._views.live:
                    self._views.mark_state(step.session.event)
            case Release():
                self._views.advance(step)
            case EndSession():
                self._views.end_session()
            case EndEvent():
                self._views.end_event()
                self._begin_recording(step.event, recording)

    def _begin_recording(self, event: str, recording: Mapping[str, bytes]) -> None:
        paths = sorted(recording, key=lambda path: "/" not in path)
        files = deque(
            Task(recording_object(self._channel, event, path), recording[path], size=len(recording[path]))
            for path in paths
        )
        self._ending = _Ending(event, files, sum("/" not in path for path in paths))
        if not files:
            self._end_recording()

    def _file_done(self) -> None:
        assert self._ending is not None
        self._ending.out -= 1
        if not self._ending.waiting:
            self._end_recording()

    def _end_recording(self) -> None:
        """The recording is there: now the state may say so."""
        assert self._ending is not None
        event, self._ending = self._ending.event, None
        self._views.mark_state(event)
