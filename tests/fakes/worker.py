"""A worker without feed and encoders: journal, spool, delivery, and packets that come from nowhere."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from abr.clock import Clock
from abr.journal.journal import Journal
from abr.journal.spool import Spool
from abr.log import Logger
from abr.metrics import Metrics
from abr.model.segment import Session
from abr.storage.store import Store
from abr.worker.delivery import Books, Delivery
from abr.worker.event import Opening, begin_session, end_session, live_cutters
from abr.worker.packager import Packager
from abr.worker.stage import Threads
from tests.fakes.history import live_session, number_at, rungs, sound
from tests.fakes.stream import batches


def session(tag: str = "a", *, seconds: int = 0, window: int = 300) -> Session:
    """A live session of a small ladder that begins `seconds` after the others do; its id is its event's too."""
    made = live_session(tag, (*rungs(count=2), sound()), window=Fraction(window))
    return replace(made, event=made.id, media_start=Fraction(seconds))


class Worker:
    """A channel on this folder. Call `close` in the end."""

    def __init__(
        self, folder: Path, stores: Sequence[Store], clock: Clock, log: Logger, *, durable: bool = False
    ) -> None:
        self.threads = Threads()
        self.journal = Journal.open(folder / "journal.db")
        self.folder = folder / "spool"
        books = Books("main", self.journal, Spool(self.folder, durable=durable), clock, log, Metrics())
        self.books = books
        self.delivery = Delivery(books, stores, self.threads.spawn, live=True)

    def begin(self, made: Session) -> Packager:
        """A session begins; answers what packages it."""
        inits = {item.name: f"init of {item.name}".encode() for item in made.renditions}
        begin_session(Opening(made, inits), self.books, self.delivery)
        cutters = live_cutters(made, first_number(made))
        return Packager(made, cutters, (self.journal, self.books.spool), self.delivery.release)

    def run(self, made: Session, count: int) -> None:
        """A whole event of `count` segments."""
        packager = self.begin(made)
        for name, some in batches(made, first_number(made), count):
            packager.push(name, some)
        packager.flush()
        end_session(made, self.books, self.delivery)

    def waiting(self) -> set[str]:
        """The files that lie in the spool, below its folder."""
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()}

    def close(self) -> None:
        """End the delivery, its threads, and the journal."""
        self.delivery.close()
        ended = self.threads.join(20)
        self.journal.close()
        assert ended, [thread.name for thread in threading.enumerate()]


def first_number(made: Session) -> int:
    """The number of its first segment."""
    return number_at(made, int(made.media_start))
