"""One origin at its own pace: what its order says is put, and the journal told, by a few threads or by who waits."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from abr.clock import Clock
from abr.errors import AbrError, StoreError
from abr.journal.record import Confirmation
from abr.log import Logger
from abr.metrics import Metrics
from abr.model.state import OriginState
from abr.model.time import NANO
from abr.publish.order import Landed, Order, Step, Task, count_objects
from abr.publish.pace import Pace
from abr.publish.view import Now
from abr.storage.retrying import Retrying

FILM_BATCH = 64
"""Objects of a film that may land before one commit of the journal confirms them together."""

Spawn = Callable[[str, Callable[[], None]], None]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an origin is given instead of looking for it."""

    clock: Clock
    log: Logger
    metrics: Metrics
    record: Callable[[str, tuple[Confirmation, ...]], None]
    """Tells the journal what an origin confirmed (`Journal.confirm`)."""
    landed: Callable[[tuple[Step, ...]], None]
    """Called after the journal knows that all that these steps need is at an origin."""
    batch: int = 1
    """Objects that may land before the journal is told, while more wait to be sent."""


class Origin:
    """Delivery to one store. A slow or dead origin delays no other and never the encoder.

    It *stops* with the first error that no repetition can mend, and says why: what it lacks stays in the spool
    and in the journal. An error that is not the store's is also raised in the thread that delivers. When the store
    asks for a pause, no task is taken before it is over; when it asks for fewer requests, fewer threads take tasks.
    """

    def __init__(self, store: Retrying, order: Order, around: Surroundings) -> None:
        self.name = store.name
        self._store = store
        self._order = order
        self._around = around
        self._log = around.log.bind(origin=store.name)
        self._wake = threading.Condition()
        """Guards everything below, and the order; told of every change."""
        self._pace = Pace(1)
        self._settling = False
        """Whether a thread is telling the journal what landed: one at a time, in order."""
        self._running = 0
        self._unsettled = 0
        self._confirmed = 0
        self._missed = 0
        """Objects of steps that came after the stop."""
        self._error = ""
        self._stopped = False
        self._closing = False
        self._left = False

    def start(self, spawn: Spawn, threads: int) -> None:
        """Begin to deliver with this many threads. With none, whoever waits delivers all there is."""
        self._running = threads
        self._pace = Pace(threads)
        self._tell_pace()
        for index in range(threads):
            spawn(f"origin {self.name} {index}", self._run)

    def add(self, step: Step) -> None:
        """The next step of the channel. A stopped origin only counts what it misses."""
        with self._wake:
            if self._stopped:
                self._missed += count_objects(step)
                return
            self._order.add(step)
            self._wake.notify_all()

    @property
    def delivers(self) -> bool:
        """Whether it has neither stopped nor been closed."""
        return not (self._stopped or self._closing)

    def wait_idle(self, timeout: float | None) -> bool:
        """Wait until everything is at the origin, or it delivers no more. False: the time was up."""
        return self._wait(self._quiet, timeout)

    def wait_below(self, limit: int, timeout: float) -> bool:
        """Wait until fewer than `limit` objects are on their way, or it delivers no more."""
        return self._wait(lambda: self._order.backlog < limit, timeout)

    def close(self) -> None:
        """Tell the threads to end after the put that each is in."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()

    def wait_closed(self, timeout: float) -> bool:
        """Wait until the threads have ended. False: the time was up; a put that ends later is not recorded."""
        with self._wake:
            ended = self._wake.wait_for(lambda: not self._running, timeout)
            self._left = not ended
            return ended

    def state(self) -> OriginState:
        """A picture of now."""
        with self._wake:
            outage = self._store.outage
            error = self._error or (outage.reason if outage else "")
            backlog = self._order.backlog + self._missed
            return OriginState(self.name, self._word(), backlog, self._confirmed, error)

    def _word(self) -> str:
        if self._stopped:
            return "stopped"
        if self._store.outage is not None:
            return "waiting"
        return "idle" if self._quiet() else "delivering"

    def _quiet(self) -> bool:
        return self._order.idle and not self._settling

    def _wait(self, done: Callable[[], bool], timeout: float | None) -> bool:
        while not self._running and self.delivers and not self._quiet():
            self._work()
        with self._wake:
            return self._wake.wait_for(lambda: done() or not self.delivers, timeout)

    def _run(self) -> None:
        try:
            while self.delivers:
                self._work()
        except BaseException as error:
            self._stop(str(error) if isinstance(error, AbrError) else f"{type(error).__name__}: {error}")
            raise
        finally:
            with self._wake:
                self._running -= 1
                self._wake.notify_all()

    def _work(self) -> None:
        """Put one object, and tell the journal what has landed."""
        task = self._next()
        if task is not None:
            self._deliver(*task)
        landed = self._landed()
        if landed is not None:
            self._settle(landed)

    def _next(self) -> tuple[Task, int] | None:
        """The next task and its round of the pace, waited for; None when there may be something else to do."""
        with self._wake:
            now, rest = self._now(), self._store.rest
            if self._pace.free and not rest:
                task = self._order.take(now)
                if task is not None:
                    return task, self._pace.begin()
            if self.delivers and not self._landable():
                self._wake.wait(self._patience(now, rest))
            return None

    def _patience(self, now: Now, rest: int) -> float | None:
        """Seconds after which there may be a task though nobody told of a change; None: never."""
        if not self._pace.free:
            return None
        if rest:
            return rest / NANO
        due = self._order.due()
        return None if due is None else max(0.0, (due - now.monotonic) / NANO)

    def _deliver(self, task: Task, begun: int) -> None:
        try:
            etag = self._store.put_object(task.object, task.body, lambda: self._slow(begun))
        except AbrError as error:
            self._failed(task, begun, error)
            return
        with self._wake:
            if self._pace.end(begun, good=True):
                self._tell_pace()
            self._order.done(task, etag, self._now())
            if task.place is not None:
                self._confirmed += 1
                self._unsettled += 1
            self._wake.notify_all()

    def _slow(self, begun: int) -> None:
        with self._wake:
            self._pace.slow(begun)
            self._tell_pace()

    def _tell_pace(self) -> None:
        self._around.metrics.set(
            "origin_at_once", self._pace.limit, help="Puts that may be under way at once", origin=self.name
        )

    def _failed(self, task: Task, begun: int, error: AbrError) -> None:
        self._around.metrics.count("origin_errors_total", help="Failed puts", origin=self.name)
        with self._wake:
            self._pace.end(begun, good=False)
            self._order.again(task)
            self._wake.notify_all()
        if not (isinstance(error, StoreError) and error.retry):
            self._stop(str(error))

    def _stop(self, reason: str) -> None:
        """The first reason counts."""
        with self._wake:
            if self._stopped:
                return
            self._stopped, self._error = True, reason
            self._wake.notify_all()
            backlog = self._order.backlog
        self._log.error("origin stopped", reason=reason, backlog=backlog)

    def _landed(self) -> Landed | None:
        """Steps that should go to the journal now: at once when live, else many in one commit."""
        with self._wake:
            if not self._landable():
                return None
            self._unsettled = 0
            landed = self._order.landed()
            self._settling = landed is not None
            return landed

    def _landable(self) -> bool:
        if self._settling or self._left or not self._order.complete:
            return False
        return not self._order.immediate or self._unsettled >= self._around.batch or self._closing

    def _settle(self, landed: Landed) -> None:
        """Journal first, views after: a playlist names only what the journal calls confirmed."""
        if landed.confirmed:
            self._around.record(self.name, landed.confirmed)
        recordings = self._order.recordings(landed.steps)
        with self._wake:
            self._order.apply(landed.steps, recordings)
            self._wake.notify_all()
        self._around.landed(landed.steps)
        with self._wake:
            self._settling = False
            self._wake.notify_all()

    def _now(self) -> Now:
        return Now(self._around.clock.wall(), self._around.clock.monotonic())
