"""`abr live` from start to exit code: what is opened in which order, and closed again."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from abr.clock import Clock, SystemClock
from abr.config.address import DirectoryOrigin, ListenAddress, SrtAddress
from abr.config.settings import LiveSettings
from abr.errors import AbrError, StageFailed, StoreError, UsageError
from abr.log import Logger
from abr.model.state import OriginState, State
from abr.model.time import NANO
from abr.status.control import Control
from abr.status.http import Site, StatusServer
from abr.storage.place import open_store
from abr.storage.store import Store
from abr.transcode.slate import open_slate
from abr.worker.channel import Channel
from abr.worker.delivery import Books, Delivery, open_books
from abr.worker.door import Doors
from abr.worker.recording import open_recorder
from abr.worker.report import report
from abr.worker.stage import Threads

_FARTHEST = 3600
"""Seconds that the worker waits at most for a clock that went back."""

_REMIND = 10.0
"""Seconds between two lines about what is still on its way at the end."""

_SWITCH_INTERVAL = 0.0005
"""Seconds. With the default of 5 ms each call into FFmpeg waits that long behind a busy Python thread."""


@dataclass(frozen=True, slots=True)
class Running:
    """A live worker that is up: what `watch` may look at."""

    state: Callable[[], State]
    listening: ListenAddress | SrtAddress | None
    """With the port that was really taken."""
    page: str
    """URL of the status page, empty without."""
    over: Callable[[], bool]
    """Whether the worker is on its way out."""
    stop: Callable[[], None]


Watch = Callable[[Running], None]


def run_live(settings: LiveSettings, *, watch: Watch | None = None, clock: Clock | None = None) -> int:
    """Run a channel until it ends; 0, or an error of `abr.errors` is raised.

    `watch` is called once, when everything listens, in a thread of its own.
    """
    sys.setswitchinterval(_SWITCH_INTERVAL)
    clock = clock or SystemClock()
    log = Logger("worker", channel=settings.channel)
    services = Threads()
    slate = open_slate(settings.channel, settings.loss.slate)
    with ExitStack() as stack:
        stores = [open_store(origin) for origin in settings.to]
        for store in stores:
            _check(store, log)
        books = stack.enter_context(open_books(settings.channel, settings.state, clock, log, durable=True))
        _wait_for_the_past(books)
        delivery = Delivery(books, stores, services.spawn, live=True, time_url=settings.time_url)
        stack.callback(delivery.close)
        channel = Channel(settings, books, delivery, slate)
        services.on_failure(channel.stop)
        if settings.record is not None:
            record = open_recorder(settings.record, settings.channel, clock, log, services.spawn)
            stack.callback(record.close)
            channel.recorder = record
        state = lambda: report(settings, channel, delivery, books)  # noqa: E731 - two users, no name needed
        control = _control(settings, channel)
        site = Site(settings.channel, state, books.metrics, clock, _media(settings), control)
        page = _open_status(settings, site, services, stack)
        listening = Doors(settings, channel, services, books).open(stack)
        running = Running(state, listening, page, channel.over, channel.stop)
        if watch is not None:
            services.spawn("watch", lambda: watch(running))
        with _signals(channel, delivery):
            _run(channel, services, delivery, log)
    services.check()
    return 0


def _wait_for_the_past(books: Books) -> None:
    """Media time never goes back: wait until the clock has passed what this channel has shown (DESIGN 3.7)."""
    ahead = books.journal.last_end(books.channel) - books.clock.wall()
    if ahead > _FARTHEST * NANO:
        raise UsageError(
            f"channel {books.channel} has media of {ahead // NANO} s from now: the clock went back",
            hint="set the clock, or use another channel",
        )
    if ahead > 0:
        books.log.warning("waiting for the clock", seconds=round(ahead / NANO, 1))
        threading.Event().wait(ahead / NANO)


def _check(store: Store, log: Logger) -> None:
    """Refuse at the start what can never work; an origin that is away only now may come back."""
    try:
        store.check()
    except StoreError as error:
        if not error.retry:
            raise
        log.warning("origin does not answer yet", origin=store.name, reason=str(error))


def _open_status(settings: LiveSettings, site: Site, services: Threads, stack: ExitStack) -> str:
    """Serve the status pages; answer their URL, empty without."""
    http = settings.http
    if http is None:
        return ""
    server = StatusServer(http.host, http.port, site)
    server.start(services.spawn)
    stack.callback(server.close)
    return server.url


def _control(settings: LiveSettings, channel: Channel) -> Control | None:
    """What `--http` takes orders by; None where there is nothing to choose."""
    count = len(settings.inputs)
    return None if count == 1 else Control(count, channel.choose, settings.backup.token)


@contextmanager
def _signals(channel: Channel, delivery: Delivery) -> Iterator[None]:
    """The first Ctrl-C ends the event, the second one leaves what is not delivered."""

    def on_signal(_: int, __: FrameType | None) -> None:
        if not asked.is_set():
            asked.set()
            channel.stop()
        else:
            delivery.leave()

    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(channel: Channel, services: Threads, delivery: Delivery, log: Logger) -> None:
    """Run to the end. What was encoded until then goes out, whatever the end was. Raises AbrError."""
    try:
        channel.run(services.check)
    except AbrError as failure:
        try:
            _deliver(delivery, log, str(failure))
        except StageFailed as left:
            raise StageFailed(f"{failure}; {left.message}", hint=left.hint) from failure
        raise
    _deliver(delivery, log)


def _deliver(delivery: Delivery, log: Logger, reason: str = "the worker ends") -> None:
    """Everything that was encoded goes out before the worker ends. Raises StageFailed for what does not."""
    if any(origin.backlog for origin in delivery.states()):
        log.info("delivering what is left", reason=reason, hint="Ctrl-C leaves it in the state folder")
    while not delivery.wait_idle(_REMIND):
        for origin in delivery.states():
            if origin.backlog:
                log.warning(
                    "still delivering", origin=origin.name, waiting=origin.backlog, reason=origin.error
                )
    left = [_left(origin) for origin in delivery.states() if origin.backlog or origin.state == "stopped"]
    if left:
        raise StageFailed(
            f"not everything was delivered: {'; '.join(left)}", hint="it stays in the state folder"
        )


def _left(origin: OriginState) -> str:
    reason = f" ({origin.error})" if origin.error else ""
    return f"{origin.name} lacks {origin.backlog} objects{reason}"


def _media(settings: LiveSettings) -> Path | None:
    """The folder that the preview page plays from, if one origin is a folder."""
    return next((origin.path for origin in settings.to if isinstance(origin, DirectoryOrigin)), None)
