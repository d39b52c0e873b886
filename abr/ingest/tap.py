"""Feeds recorded while they are read: a tap on each, and one thread that writes what the taps pass on."""

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import NamedTuple, Protocol, runtime_checkable

from abr.clock import Clock
from abr.formats.piece import Piece, Pieces, pieces_of
from abr.ingest.feed import Feed, FeedStats
from abr.ingest.tape import Shelf, Tape
from abr.log import Logger
from abr.model.media import Kind
from abr.model.state import RecordState
from abr.model.time import NANO

ROOM = 32 << 20
"""Bytes that may wait for the disk: 25 s of a feed of 10 Mb/s."""
_RETRY = 10 * NANO
"""From a failure of the disk to the next try."""
_SAID = 60 * NANO
"""Between two lines about the same trouble."""


class _Entry(NamedTuple):
    """A piece of a feed on its way to the disk; without one the feed has ended."""

    tape: Tape
    piece: Piece | None
    wall: int
    holed: bool


class Recorder:
    """Writes feeds to a shelf. It holds no feed back: what the disk does not take in time is left out and counted.

    `run` is its thread, until `close`; everything else may be called from any thread.
    """

    def __init__(self, shelf: Shelf, clock: Clock, log: Logger, *, room: int = ROOM) -> None:
        self._shelf, self._clock, self._log, self._room = shelf, clock, log, room
        self._queue: SimpleQueue[_Entry | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = self._dropped = 0
        self._tapes: list[Tape] = []
        self._files = self._bytes = 0
        self._error = ""
        self._retry = 0
        self._said: dict[str, int] = {}
        self._done = threading.Event()

    @contextmanager
    def tapped(self, feed: Feed) -> Iterator[Feed]:
        """The same feed, recorded as long as the block runs; one that cannot be cut into files is left alone."""
        pieces = pieces_of(feed.format)
        if pieces is None:
            self._log.warning("feed not recorded", feed=feed.name, reason=f"{feed.format} cannot be split")
            yield feed
            return
        tap = Tap(feed, pieces, Line(self, Tape(self._shelf, feed.format)))
        try:
            yield tap
        finally:
            tap.finish()

    def run(self) -> None:
        """Write what comes until `close`; what waits then is still written."""
        while (entry := self._queue.get()) is not None:
            if entry.piece is None:
                self._close(entry.tape)
            else:
                self._take(entry, entry.piece)
        for tape in list(self._tapes):
            self._close(tape)
        self._done.set()

    def close(self, patience: float = 5.0) -> None:
        """Nothing follows; wait (at most `patience` seconds) until what came is on disk."""
        self._queue.put(None)
        self._done.wait(patience)

    def state(self) -> RecordState:
        """Where it stands."""
        writing = tuple(path.name for tape in list(self._tapes) if (path := tape.path))
        return RecordState(writing, self._files, self._bytes, self._dropped, self._error)

    def offer(self, tape: Tape, piece: Piece, *, holed: bool) -> bool:
        """Pass a piece on, unless too much waits already: then it is counted as dropped."""
        size = len(piece.data)
        with self._lock:
            fits = self._waiting + size <= self._room
            self._waiting += size if fits else 0
            self._dropped += 0 if fits else size
        if fits:
            self._queue.put(_Entry(tape, piece, self._clock.wall(), holed))
        else:
            self._say("feed record has a hole", "the disk is too slow")
        return fits

    def drop(self, size: int) -> None:
        """Count bytes that are left out."""
        with self._lock:
            self._dropped += size

    def end(self, tape: Tape) -> None:
        """A feed has ended."""
        self._queue.put(_Entry(tape, None, 0, holed=False))

    def _take(self, entry: _Entry, piece: Piece) -> None:
        if self._error and not self._recovers(piece):
            self.drop(len(piece.data))
        else:
            self._write(entry, piece)
        with self._lock:
            self._waiting -= len(piece.data)

    def _write(self, entry: _Entry, piece: Piece) -> None:
        tape = entry.tape
        if tape not in self._tapes:
            self._tapes.append(tape)
        try:
            self._bytes += tape.write(piece, entry.wall, holed=entry.holed)
            room = self._look() if tape.wants_look() else True
        except OSError as error:
            self._fail(f"{error.strerror or error}")
        else:
            if not room:
                self._fail("the disk is nearly full")

    def _look(self) -> bool:
        """Keep the quota and leave others their space; whether there is room for more. Raises OSError."""
        look = self._shelf.trim([path for tape in self._tapes if (path := tape.path)])
        self._files, self._bytes = look.files, look.bytes
        if look.removed:
            self._log.info("old feed records removed", files=look.removed, left=look.files, bytes=look.bytes)
        return look.room

    def _fail(self, reason: str) -> None:
        """Nothing is written for a while, and what is there may go: it is the first that a full disk loses."""
        self._error, self._retry = reason, self._clock.monotonic() + _RETRY
        self._say("feed record stopped", reason)
        for tape in list(self._tapes):
            self._close(tape)
        with suppress(OSError):
            self._look()

    def _recovers(self, piece: Piece) -> bool:
        """Whether writing may begin again with this piece."""
        if not piece.start or self._clock.monotonic() < self._retry:
            return False
        self._retry = self._clock.monotonic() + _RETRY
        try:
            self._look()
            room = self._shelf.has_room(twice=True)
        except OSError:
            room = True  # then writing tells why not
        if room:
            self._error = ""
            self._log.info("feed record goes on", dropped=self._dropped)
        return room

    def _close(self, tape: Tape) -> None:
        with suppress(OSError):  # what could not be written was told before
            tape.close()
        with suppress(ValueError):  # a feed of which nothing was written
            self._tapes.remove(tape)

    def _say(self, event: str, reason: str) -> None:
        now = self._clock.monotonic()
        if event not in self._said or now - self._said[event] >= _SAID:
            self._said[event] = now
            self._log.warning(event, reason=reason, dropped=self._dropped)


class Line:
    """From one tap to its tape. After a hole it goes on where a file may begin."""

    def __init__(self, recorder: Recorder, tape: Tape) -> None:
        self._recorder, self._tape = recorder, tape
        self._holed = False

    def put(self, pieces: list[Piece]) -> None:
        """Pass pieces on, or leave them out."""
        for piece in pieces:
            if self._holed and not piece.start:
                self._recorder.drop(len(piece.data))
            else:
                self._holed = not self._recorder.offer(self._tape, piece, holed=self._holed)

    def cut(self) -> None:
        """Another container follows, in a file of its own."""
        self._recorder.end(self._tape)


@runtime_checkable
class Keeper(Protocol):
    """A feed that gives less than it got, or other than it got it."""

    def keep(self, take: Callable[[bytes], None]) -> None:
        """Pass on what came as it came, as containers of their own that begin and end with those that are read."""
        ...


class Tap:
    """A feed that is read through, with everything that came passed on; as `ingest.feed.Feed` says."""

    def __init__(self, feed: Feed, pieces: Pieces, line: Line) -> None:
        self._feed, self._pieces, self._line = feed, pieces, line
        self._keeps = isinstance(feed, Keeper)
        if isinstance(feed, Keeper):
            feed.keep(self._pass)
        self.name = feed.name
        self.format = feed.format

    @property
    def ended(self) -> str | None:
        """Why no more bytes come; None while they may."""
        return self._feed.ended

    @property
    def arrived(self) -> int:
        """When the peer's latest bytes came (`Clock.monotonic`, nanoseconds)."""
        return self._feed.arrived

    @property
    def reopen(self) -> bool:
        """Whether the container must be opened anew, after `restart`."""
        return self._feed.reopen

    def read(self, n: int) -> bytes:
        """As the feed's own; never raises."""
        data = self._feed.read(n)
        if data and not self._keeps:
            self._pass(data)
        return data

    def _pass(self, data: bytes) -> None:
        self._line.put(self._pieces.push(data))

    def settle(self, kinds: Collection[Kind]) -> None:
        """Tell the feed which kinds of tracks the container found when it was opened."""
        self._feed.settle(kinds)

    def restart(self) -> None:
        """Make the next `read` begin a new container, which is recorded in a new file."""
        self.finish()
        self._feed.restart()

    def stats(self) -> FeedStats:
        """The feed's counters."""
        return self._feed.stats()

    def abort(self, reason: str) -> None:
        """End the feed from any thread."""
        self._feed.abort(reason)

    def finish(self) -> None:
        """The container has ended. Called by the thread that reads."""
        self._line.put(self._pieces.flush())
        self._line.cut()
