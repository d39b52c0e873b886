"""A feed that makes its own container of what a publisher sends: the reading that RTMP and SRT have in common."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import Protocol

from abr.model.media import Kind


class Writer(Protocol):
    """Makes the bytes of a container: `formats.flv.FlvWriter`, `formats.mpegts.TsWriter`."""

    @property
    def reopen(self) -> bool: ...
    def take(self) -> bytes | None: ...
    def settle(self, kinds: Collection[Kind]) -> None: ...
    def restart(self) -> None: ...


class ContainerFeed(ABC):
    """What `ingest.feed.Feed` says of reading and ending; who extends it knows the connection."""

    def __init__(self, writer: Writer, name: str) -> None:
        self.name = name
        self._container = writer
        self._rest = memoryview(b"")
        """What is left of the piece that is being read."""
        self._closing: str | None = None
        """Why the connection gives nothing more, while pieces still wait to be read."""
        self._ended: str | None = None
        self._lock = threading.Lock()

    @abstractmethod
    def _pull(self) -> None:
        """Read the connection once. Never raises: a failure becomes `_closing`."""

    @abstractmethod
    def _shut(self) -> None:
        """Wake a thread that waits in `_pull`."""

    @property
    def ended(self) -> str | None:
        """Why no more bytes come; None while they may."""
        return self._ended

    @property
    def reopen(self) -> bool:
        """Whether the container must be opened anew, after `restart`."""
        return self._container.reopen

    def read(self, n: int) -> bytes:
        """At least one byte of the container and at most `n`; b"" from the end on. Never raises."""
        if self._ended is not None:
            return b""
        if not self._rest:
            self._rest = memoryview(self._next())
        piece = bytes(self._rest[:n])
        self._rest = self._rest[n:]
        return piece

    def settle(self, kinds: Collection[Kind]) -> None:
        """Tell the feed which kinds of tracks the container found when it was opened."""
        self._container.settle(kinds)

    def restart(self) -> None:
        """Make the next `read` begin a new container with the tracks known now."""
        self._rest = memoryview(b"")
        self._container.restart()

    def abort(self, reason: str) -> None:
        """End the feed from any thread: a waiting `read` returns b"" at once. The first reason stays."""
        self._end(reason)
        self._shut()

    def _end(self, reason: str) -> None:
        with self._lock:
            self._ended = self._ended or reason

    def _next(self) -> bytes:
        """The next piece, waited for; b"" at the end or where the container must be opened anew."""
        while self._ended is None:
            piece = self._container.take()
            if piece is not None:
                return piece
            if self._container.reopen:
                return b""
            if self._closing is not None:
                self._end(self._closing)
            else:
                self._pull()
        return b""
