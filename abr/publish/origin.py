"""One origin at its own pace: a few threads that put what its order says, and tell the journal."""

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
from abr.publish.order import Order, Step, Task
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
    """Delivery to one store. A slow or dead origin delays no other and never the encoder."""

    def __init__(self, store: Retrying, order: Order, around: Surroundings) -> None:
        self.name = store.name
        self._store = store
        self._order = order
        self._around = around
        self._log = around.log.bind(origin=store.name)
        self._wake = threading.Condition()
        self._settling = threading.Lock()
        self._unsettled = 0
        self._confirmed = 0
        self._error = ""
        self._stopped = False
        self._closing = False

    def start(self, spawn: Spawn, threads: int) -> None:
        """Begin to deliver with this many threads."""
        for index in range(threads):
            spawn(f"origin {self.name} {index}", self._run)

    def add(self, step: Step) -> None:
        """The next step of the channel."""
        with self._wake:
            if not self._stopped:
                self._order.add(step)
            self._wake.notify_all()

    @property
    def stopped(self) -> bool:
        """Whether a permanent error ended the delivery to this origin."""
        return self._stopped

    @property
    def backlog(self) -> int:
        """Immutable objects that are not confirmed yet."""
        return self._order.backlog

    def wait_idle(self, timeout: float | None) -> bool:
        """Wait until everything is at the origin, or it stopped. False: the time was up."""
        with self._wake:
            return self._wake.wait_for(lambda: self._stopped or self._closing or self._quiet(), timeout)

    def wait_below(self, limit: int, timeout: float) -> bool:
        """Wait until fewer than `limit` objects are on their way, or the origin stopped."""
        with self._wake:
            return self._wake.wait_for(lambda: self._stopped or self._order.backlog < limit, timeout)

    def close(self) -> None:
        """End the threads after the put that each is in."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()

    def state(self) -> OriginState:
        """A picture of now."""
        with self._wake:
            outage = self._store.outage
            error = self._error or (outage.reason if outage else "")
            return OriginState(self.name, self._word(), self._order.backlog, self._confirmed, error)

    def _word(self) -> str:
        if self._stopped:
            return "stopped"
        if self._store.outage is not None:
            return "waiting"
        return "idle" if self._quiet() else "delivering"

    def _quiet(self) -> bool:
        return self._order.idle and not self._settling.locked()

    def _run(self) -> None:
        while not self._over:
            task = self._next()
            if task is not None:
                self._deliver(task)
            if self._settles():
                self._settle()

    @property
    def _over(self) -> bool:
        return self._closing or self._stopped

    def _next(self) -> Task | None:
        """The next task, waited for; None when there is something else to do."""
        with self._wake:
            now = self._around.clock.wall()
            task = self._order.take(now)
            if task is None and not self._over and not self._order.complete:
                due = self._order.due()
                self._wake.wait(None if due is None else max(0.0, (due - now) / NANO))
            return task

    def _settles(self) -> bool:
        """Whether landed steps should go to the journal now: at once when live, else many in one commit."""
        with self._wake:
            if self._order.immediate and self._unsettled < self._around.batch:
                return False
            self._unsettled = 0
            return self._order.complete

    def _deliver(self, task: Task) -> None:
        try:
            etag = self._store.put_object(task.object, task.body)
        except AbrError as error:
            self._failed(task, error)
            return
        self._done(task, etag)

    def _done(self, task: Task, etag: str) -> None:
        with self._wake:
            self._order.done(task, etag, self._around.clock.wall())
            if task.place is not None:
                self._confirmed += 1
                self._unsettled += 1
            self._wake.notify_all()

    def _settle(self) -> None:
        """Journal first, views after: a playlist names only what the journal calls confirmed."""
        with self._settling:
            with self._wake:
                landed = self._order.landed()
            if landed is None:
                return
            self._around.record(self.name, landed.confirmed)
            self._around.landed(landed.steps)
            with self._wake:
                self._order.apply(landed.steps)
        with self._wake:
            self._wake.notify_all()

    def _failed(self, task: Task, error: AbrError) -> None:
        self._around.metrics.count("origin_errors_total", help="Failed puts", origin=self.name)
        with self._wake:
            self._order.again(task)
            if not (isinstance(error, StoreError) and error.retry):
                self._stopped = True
                self._error = str(error)
                self._log.error("origin stopped", reason=str(error), backlog=self._order.backlog)
            self._wake.notify_all()
