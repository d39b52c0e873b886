"""An SRT connection as a feed: one thread reads it, and libsrt's readings are taken each second."""

import threading
from collections.abc import Collection
from contextlib import suppress

from abr.clock import Clock
from abr.errors import ProtocolError
from abr.formats.mpegts import TsWriter
from abr.ingest.feed import FeedStats
from abr.ingest.libsrt import SrtError, SrtSocket
from abr.ingest.srtheader import Failure, Option, PerfMon
from abr.model.media import Kind
from abr.model.state import LinkState
from abr.model.time import NANO

_WAKE_MS = 500
"""How often a reader that waits looks at the time."""


class SrtFeed:
    """One connection, as `ingest.feed.Feed` says. The first read may come at any time after it was made."""

    format = "mpegts"

    def __init__(self, link: SrtSocket, *, name: str, idle_ms: int, silent_ms: int, clock: Clock) -> None:
        """`idle_ms`: without media it counts as gone; `silent_ms`: libsrt's own limit for a peer that says nothing.

        Raises SrtError for a connection that broke already.
        """
        self.name = name
        self._link = link
        self._idle_ms, self._silent_ms = idle_ms, silent_ms
        self._clock = clock
        self._writer = TsWriter()
        self._rest = memoryview(b"")
        self._bytes = self._messages = 0
        self._closing: str | None = None
        """Why the socket gives nothing more, while packets still wait to be read."""
        self._ended: str | None = None
        self._lock = threading.Lock()
        self.arrived = clock.monotonic()
        """When the publisher's latest bytes came (`Clock.monotonic`, nanoseconds)."""
        link.set(Option.RCVTIMEO, _WAKE_MS)
        self._latency = link.number(Option.RCVLATENCY)
        self._state = LinkState(latency=self._latency)
        self._next_reading = self.arrived

    @property
    def ended(self) -> str | None:
        """Why no more bytes come; None while they may."""
        return self._ended

    @property
    def reopen(self) -> bool:
        """Whether the container must be opened anew, after `restart`."""
        return self._writer.reopen

    def read(self, n: int) -> bytes:
        """At least one byte of MPEG-TS and at most `n`; b"" from the end on. Never raises."""
        if self._ended is not None:
            return b""
        if not self._rest:
            self._rest = memoryview(self._next())
        piece = bytes(self._rest[:n])
        self._rest = self._rest[n:]
        return piece

    def settle(self, kinds: Collection[Kind]) -> None:
        """Tell the feed which kinds of tracks the container found when it was opened."""
        self._writer.settle(kinds)

    def restart(self) -> None:
        """Make the next `read` begin with the program tables of now."""
        self._rest = memoryview(b"")
        self._writer.restart()

    def stats(self) -> FeedStats:
        """Counters, and libsrt's readings of at most a second ago; may be called from any thread."""
        return FeedStats(bytes=self._bytes, messages=self._messages, link=self._state)

    def abort(self, reason: str) -> None:
        """End the feed from any thread: a waiting `read` returns b"" at once. The first reason stays."""
        self._end(reason)
        self._link.close()

    def _end(self, reason: str) -> None:
        with self._lock:
            self._ended = self._ended or reason

    def _next(self) -> bytes:
        """The next packets, waited for; b"" at the end or where the container must be opened anew."""
        while self._ended is None:
            packets = self._writer.take()
            if packets is not None:
                return packets
            if self._writer.reopen:
                return b""
            if self._closing is not None:
                self._end(self._closing)
            else:
                self._pull()
        return b""

    def _pull(self) -> None:
        """Take one message; failures become the reason of the end."""
        try:
            messages = self._link.receive()
            data = b"".join(messages)
            self.arrived = self._clock.monotonic()
            self._bytes += len(data)
            self._messages += len(messages)
            self._writer.push(data)
        except SrtError as error:
            self._closing = self._why(error)
        except ProtocolError as error:
            self._closing = str(error)
        except Exception as error:  # noqa: BLE001 - FFmpeg drops what is raised through it; the reason must not be lost
            self._closing = f"reading the publisher failed: {error!r}"
        if self._clock.monotonic() >= self._next_reading:
            self._take_reading()

    def _why(self, error: SrtError) -> str | None:
        """The end that an error means; None for none."""
        idle = (self._clock.monotonic() - self.arrived) // 1_000_000
        if error.code == Failure.TIMED_OUT and self._link.connected:
            return f"nothing came for {self._idle_ms} ms" if idle >= self._idle_ms else None
        if error.code not in {Failure.LOST, Failure.NOT_CONNECTED, Failure.TIMED_OUT, Failure.BAD_SOCKET}:
            return f"the connection broke: {error.strerror}"
        if idle >= self._silent_ms - self._latency - _WAKE_MS:  # its last bytes were held for the latency
            return f"the connection was lost: nothing came for {idle} ms"
        return "the publisher closed the connection"

    def _take_reading(self) -> None:
        """Of a connection that broke the last reading stays."""
        self._next_reading = self._clock.monotonic() + NANO
        with suppress(SrtError):
            self._state = link_state(self._link.readings(), self._latency)


def link_state(readings: PerfMon, latency: int) -> LinkState:
    """What an operator wants to know of libsrt's readings; `latency` in ms."""
    return LinkState(
        latency=latency,
        rtt=round(readings.msRTT, 1),
        rate=round(readings.mbpsRecvRate * 1_000_000),
        packets=readings.pktRecvTotal,
        lost=readings.pktRcvLossTotal,
        dropped=readings.pktRcvDropTotal,
        undecryptable=readings.pktRcvUndecryptTotal,
    )
