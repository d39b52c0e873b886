"""Threads, and the bounded queues between them. Nothing else in abr makes a thread."""

import threading
from collections import deque
from collections.abc import Callable
from enum import Enum
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

from abr.errors import AbrError, StageFailed
from abr.model.stage import Stage
from abr.model.time import NANO

T = TypeVar("T")
In = TypeVar("In")
Out = TypeVar("Out")


class Closed(Exception):
    """The other side of a queue is gone."""


class _End(Enum):
    """What stands in a queue behind its last item."""

    END = "end"


class Inbox(Generic[T]):
    """A bounded queue with one reader. Its end, and the death of either side, wake both.

    Two queues of the interpreter, of items and of free places: handing on takes no lock in Python.
    """

    def __init__(self, size: int) -> None:
        self._items: SimpleQueue[T | _End] = SimpleQueue()
        self._places: SimpleQueue[None] = SimpleQueue()
        for _ in range(size):
            self._places.put(None)
        self._shut = False
        self._closed = False

    def put(self, item: T) -> None:
        """Wait for room and add. Raises Closed when the reader is gone, or told that no item follows."""
        self._places.get()
        if self._shut:
            self._places.put(None)  # for the next writer that waits
            raise Closed
        self._items.put(item)

    def end(self) -> None:
        """No item follows; a writer that waits for room, or comes later, is told."""
        self._shut = True
        self._items.put(_End.END)
        self._places.put(None)

    def close(self) -> None:
        """The reader or a writer died: wake everybody; what waits is dropped."""
        self._closed = True
        self.end()

    def get(self, timeout: float | None) -> list[T] | None:
        """The next item in a list of one, an empty list when the time was up, None at the end.

        Raises Closed when another thread of the pipeline died.
        """
        try:
            item = self._items.get(timeout=timeout)
        except Empty:
            return []
        if self._closed:
            self._items.put(_End.END)
            raise Closed
        if isinstance(item, _End):
            self._items.put(item)  # whoever asks again is told again
            return None
        self._places.put(None)
        return [item]


class Threads:
    """A family of threads: when one dies, the queues of all are closed and the reason is kept."""

    def __init__(self) -> None:
        self._threads: list[threading.Thread] = []
        self._inboxes: list[Inbox[object]] = []
        self._lock = threading.Lock()
        self._on_failure: list[Callable[[], None]] = []
        self.failure: StageFailed | None = None

    def inbox(self, size: int) -> Inbox[T]:
        """A queue that is closed when any thread of the family dies."""
        box: Inbox[T] = Inbox(size)
        self._inboxes.append(box)  # type: ignore[arg-type]
        return box

    def on_failure(self, call: Callable[[], None]) -> None:
        """Call this, from the dying thread, when one dies."""
        self._on_failure.append(call)

    def spawn(self, name: str, run: Callable[[], None]) -> None:
        """Run a function in a thread of its own."""
        thread = threading.Thread(target=self._guard, args=(name, run), name=name, daemon=True)
        with self._lock:
            self._threads = [known for known in self._threads if known.is_alive() or known.ident is None]
            self._threads.append(thread)
        thread.start()

    def join(self, timeout: float | None = None) -> bool:
        """Wait until all threads ended. False: the time was up for one of them."""
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(timeout)
        return not any(thread.is_alive() for thread in threads)

    def check(self) -> None:
        """Raise why a thread died, if one did."""
        if self.failure is not None:
            raise self.failure

    def _guard(self, name: str, run: Callable[[], None]) -> None:
        try:
            run()
        except Closed:
            return
        except BaseException as error:  # noqa: BLE001 - a thread has nobody else to tell
            self._failed(name, error)

    def _failed(self, name: str, error: BaseException) -> None:
        sentence = str(error) if isinstance(error, AbrError) else f"{type(error).__name__}: {error}"
        failure = StageFailed(f"{name}: {sentence}")
        failure.__cause__ = error
        with self._lock:
            if self.failure is not None:
                return
            self.failure = failure
            boxes, calls = list(self._inboxes), list(self._on_failure)
        for box in boxes:
            box.close()
        for call in calls:
            call()


class Horizon:
    """How far time has come inside the worker: what has arrived and waits here is not late.

    A reader enters what arrived (media clock, ns), the stage that judges lateness leaves it behind. `now`
    never passes the arrival of the oldest item in between, so a busy machine drops no frame that came in time.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._waiting: deque[int] = deque()

    def enter(self) -> int:
        """Something arrived; answers when."""
        arrived = self._clock()
        self._waiting.append(arrived)
        return arrived

    def leave(self) -> None:
        """The oldest of what arrived was handed on."""
        self._waiting.popleft()

    def clear(self) -> None:
        """Nothing waits any more (the feed was dropped)."""
        self._waiting.clear()

    def now(self) -> int:
        """The clock, held back to the oldest arrival that still waits."""
        now = self._clock()
        try:
            return min(now, self._waiting[0])
        except IndexError:
            return now


def run_stage(
    stage: Stage[In, Out], inbox: Inbox[In], emit: Callable[[list[Out]], None], now: Callable[[], int]
) -> None:
    """Push what arrives, tick when it is due, flush at the end; hand on what comes of it, in order."""
    while True:
        due = stage.due()
        timeout = None if due is None else max(0.0, (due - now()) / NANO)
        items = inbox.get(timeout)
        if items is None:
            outputs = stage.flush()
        elif items:
            outputs = stage.push(items[0], now())
        else:
            outputs = stage.tick(now())
        if outputs:
            emit(outputs)
        if items is None:
            return
