"""An RTMP publisher as a feed: reading it reads the socket, so TCP itself holds back a sender that is too fast."""

import socket
import ssl
from collections.abc import Callable, Hashable
from contextlib import suppress

from abr.clock import Clock
from abr.errors import ProtocolError
from abr.formats.flv import FlvWriter
from abr.formats.rtmp.event import Event, MediaMessage, PublishEnded
from abr.formats.rtmp.session import ServerSession
from abr.ingest.certificate import broken_by
from abr.ingest.container import ContainerFeed
from abr.ingest.feed import FeedStats

_RECEIVE = 65536
"""Bytes asked of the socket at a time."""


class Link:
    """A socket, with or without TLS, and the session that is spoken over it."""

    def __init__(self, connection: socket.socket, session: ServerSession, clock: Clock) -> None:
        self.session = session
        self.received = 0
        self.arrived = clock.monotonic()
        self._socket = connection
        with suppress(OSError):  # the peer may be gone already
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._clock = clock
        self._deaf = False
        """Whether the peer took no answer, and gets no more: it closed, or does not read."""

    def shake_tls(self, wait_ms: int) -> None:
        """The TLS handshake, where TLS is spoken, in `wait_ms` altogether.

        Raises TimeoutError, EOFError when the peer closed, other OSErrors.
        """
        if not isinstance(self._socket, ssl.SSLSocket):
            return
        self._socket.settimeout(wait_ms / 1000)
        try:
            self._socket.do_handshake()
        except ssl.SSLEOFError as error:
            raise EOFError from error

    def exchange(self, wait_ms: int) -> list[Event]:
        """Wait for bytes of the peer, answer them, and say what happened.

        Raises TimeoutError after `wait_ms`, EOFError when the peer closed, other OSErrors, RemoteProtocolError.
        """
        self._socket.settimeout(wait_ms / 1000)
        self._answer()
        events = self.session.receive(b"" if self.session.resumes else self._received())
        self._answer()
        return events

    def _received(self) -> bytes:
        data = self._socket.recv(_RECEIVE)
        if not data:
            raise EOFError
        self.arrived = self._clock.monotonic()
        self.received += len(data)
        return data

    def _answer(self) -> None:
        """Publishers close right after their last words: these count, and what we say to them does not."""
        try:
            self.flush()
        except OSError:
            self._deaf = True

    def flush(self) -> None:
        """Send what the session has to say, to a peer that listens. Raises OSError."""
        data = self.session.send_bytes()
        if data and not self._deaf:
            self._socket.sendall(data)

    def say_goodbye(self, wait_ms: int) -> None:
        """Send what is left and give the peer time to read it: closing with its bytes unread would discard ours."""
        with suppress(OSError):
            self._socket.settimeout(wait_ms / 1000)
            self.flush()
            socket.socket.shutdown(self._socket, socket.SHUT_WR)
        self.linger(wait_ms)

    def linger(self, wait_ms: int) -> None:
        """Wait until the peer closes; what it still sends is dropped."""
        deadline = self._clock.monotonic() + wait_ms * 1_000_000
        with suppress(OSError):
            self._socket.settimeout(wait_ms / 1000)
            while self._socket.recv(_RECEIVE) and self._clock.monotonic() < deadline:
                pass

    def shut(self) -> None:
        """End both directions; wakes a thread that waits in `exchange`."""
        with suppress(OSError):
            # The socket's own shutdown: that of an SSLSocket would make it read on without TLS.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class RtmpFeed(ContainerFeed):
    """One accepted publisher, as `ingest.feed.Feed` says."""

    format = "flv"

    def __init__(self, link: Link, *, name: str, idle_ms: int, place: Hashable = None) -> None:
        self._flv = FlvWriter()
        super().__init__(self._flv, name)
        self.place = place
        """What it competes for (`rtmp.Permit.place`)."""
        self._link = link
        self._idle_ms = idle_ms
        self._messages = 0

    @property
    def arrived(self) -> int:
        """When the publisher's latest bytes came (`Clock.monotonic`, nanoseconds)."""
        return self._link.arrived

    def stats(self) -> FeedStats:
        """Counters; may be called from any thread."""
        return FeedStats(bytes=self._link.received, messages=self._messages)

    def keep(self, take: Callable[[bytes], None]) -> None:
        """Pass on the messages as they came: `read` gives one track of a kind, and one description of all."""
        self._flv.kept = take

    def _shut(self) -> None:
        self._link.shut()

    def _pull(self) -> None:
        """Read the socket once; failures become the reason of the end."""
        try:
            events = self._link.exchange(self._idle_ms)
        except EOFError:
            self._closing = "the publisher closed the connection"
        except TimeoutError:
            self._closing = f"nothing came for {self._idle_ms} ms"
        except OSError as error:
            self._closing = f"the connection broke: {broken_by(error)}"
        except ProtocolError as error:
            self._closing = str(error)
        except Exception as error:  # noqa: BLE001 - FFmpeg drops what is raised through it; the reason must not be lost
            self._closing = f"reading the publisher failed: {error!r}"
        else:
            self._note(events)

    def _note(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, MediaMessage):
                self._messages += 1
                self._flv.push(event)
            elif isinstance(event, PublishEnded):
                self._closing = "the publisher stopped"
