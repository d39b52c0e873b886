"""Origins with real threads and views over stores that a test scripts; nothing in them waits for time."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from abr.errors import StoreUnavailable
from abr.manifest.views import LiveViews
from abr.metrics import Metrics
from abr.model.segment import Session
from abr.model.time import NANO
from abr.publish.order import Begin, EndEvent, EndSession, Order, Place, Sources, Step
from abr.publish.origin import Origin, Surroundings
from abr.storage.retrying import Retrying
from abr.storage.store import Store
from abr.worker.stage import Threads
from tests.fakes.clock import FakeClock
from tests.fakes.history import live_session, number_at, releases, rungs, sound
from tests.fakes.log import KeptLines
from tests.fakes.store import Call, ScriptedStore

SESSION = live_session(renditions=(*rungs(count=1), sound()))
NAMES = [rendition.name for rendition in SESSION.renditions]
FIRST = number_at(SESSION)


def steps(count: int, *, ended: bool = True, session: Session = SESSION) -> list[Step]:
    """A session with `count` releases, and its end and that of its event."""
    inits = tuple((rendition.name, 4) for rendition in session.renditions)
    end: list[Step] = [EndSession(session.id), EndEvent(session.event)] if ended else []
    return [Begin(session, 0, inits), *releases(session, FIRST, count), *end]


class HurriedClock(FakeClock):
    """Two seconds pass between any two looks at the wall clock: every view may go at once."""

    def wall(self) -> int:
        self.advance(2 * NANO)
        return super().wall()


class Away:
    """A store's rule and its pauses: puts fail while it is away, the pause between two lasts until it is back.

    Only puts of keys with `part` in them fail.
    """

    def __init__(self, store: ScriptedStore, part: str = "") -> None:
        self._part = part
        self.failed = threading.Event()
        self._back = threading.Event()
        self._left = threading.Event()
        self._name = store.name
        store.rule = self._rule

    def wait(self, _: float) -> bool:
        """As `threading.Event.wait` of a worker that leaves."""
        self.failed.set()
        assert self._back.wait(20), "nobody came back"
        return self._left.is_set()

    def come_back(self) -> None:
        self._back.set()

    def leave(self) -> None:
        """The worker leaves: no pause from now on."""
        self._left.set()
        self._back.set()

    def _rule(self, call: Call) -> Exception | None:
        here = self._back.is_set() and not self._left.is_set()
        if here or self._part not in call.key:
            return None
        return StoreUnavailable(f"{self._name}: 503 for {call.key}")


class Site:
    """What origins are given. Each test closes it."""

    def __init__(self, folder: Path) -> None:
        self.threads = Threads()
        self.clock = HurriedClock()
        self.log = KeptLines()
        self.metrics = Metrics()
        self.recorded: list[tuple[Any, ...]] = []
        """What the journal was told, a tuple of confirmations a commit."""
        self.landed: list[Step] = []
        self.on_record: Callable[[], None] = lambda: None
        self.recording: Callable[[str], Mapping[str, bytes]] = lambda _: {"index.m3u8": b"all"}
        self._folder = folder
        self._origins: list[Origin] = []

    def order(self, *, live: bool = True) -> Order:
        views = LiveViews(SESSION.channel) if live else None
        sources = Sources(self._file, self._recording, lambda event: event.encode())
        return Order(SESSION.channel, sources, views)

    def origin(
        self,
        store: Store,
        *,
        threads: int = 4,
        batch: int = 1,
        wait: Callable[[float], bool] = lambda _: False,
        chance: float = 0.0,
        order: Order | None = None,
        landed: Callable[[tuple[Step, ...]], None] | None = None,
    ) -> Origin:
        """An origin; it is started unless `threads` is 0."""
        retrying = Retrying(store, wait=wait, clock=self.clock, chance=lambda: chance)
        around = Surroundings(
            self.clock, self.log, self.metrics, self._record, landed or self.landed.extend, batch
        )
        origin = Origin(retrying, order or self.order(), around)
        self._origins.append(origin)
        if threads:
            origin.start(self.threads.spawn, threads)
        return origin

    def close(self) -> None:
        """End all threads."""
        for origin in self._origins:
            origin.close()
        assert self.threads.join(20)

    def numbers(self) -> list[int]:
        """The segment numbers that the journal calls confirmed, one for each object."""
        return [item.number for commit in self.recorded for item in commit if item.number is not None]

    def _record(self, _: str, confirmed: tuple[Any, ...]) -> None:
        self.on_record()
        self.recorded.append(confirmed)

    def _recording(self, event: str) -> Mapping[str, bytes]:
        return self.recording(event)

    def _file(self, place: Place) -> Path:
        path = self._folder / place.session / place.rendition / str(place.number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"data")
        return path


def listed(playlist: bytes) -> list[str]:
    """The addresses that a playlist names."""
    return [line for line in playlist.decode().splitlines() if line and not line.startswith("#")]
