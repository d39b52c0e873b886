"""An SRT connection as a feed: one thread reads it, and libsrt's readings are taken each second."""

from contextlib import suppress

from abr.clock import Clock
from abr.errors import ProtocolError
from abr.formats.mpegts import TsWriter
from abr.ingest.container import ContainerFeed
from abr.ingest.feed import FeedStats
from abr.ingest.libsrt import SrtError, SrtSocket
from abr.ingest.srtheader import Failure, Option, PerfMon
from abr.model.state import LinkState
from abr.model.time import NANO

_WAKE_MS = 500
"""How often a reader that waits looks at the time."""


class SrtFeed(ContainerFeed):
    """One connection, as `ingest.feed.Feed` says. The first read may come at any time after it was made."""

    format = "mpegts"

    def __init__(self, link: SrtSocket, *, name: str, idle_ms: int, silent_ms: int, clock: Clock) -> None:
        """`idle_ms`: without media it counts as gone; `silent_ms`: libsrt's own limit for a peer that says nothing.

        Raises SrtError for a connection that broke already.
        """
        self._writer = TsWriter()
        super().__init__(self._writer, name)
        self._link = link
        self._idle_ms, self._silent_ms = idle_ms, silent_ms
        self._clock = clock
        self._bytes = self._messages = 0
        self.arrived = clock.monotonic()
        """When the publisher's latest bytes came (`Clock.monotonic`, nanoseconds)."""
        link.set(Option.RCVTIMEO, _WAKE_MS)
        self._latency = link.number(Option.RCVLATENCY)
        self._state = LinkState(latency=self._latency)
        self._next_reading = self.arrived

    def stats(self) -> FeedStats:
        """Counters, and libsrt's readings of at most a second ago; may be called from any thread."""
        wrong = {"skipped": self._writer.skipped}
        return FeedStats(bytes=self._bytes, messages=self._messages, link=self._state, wrong=wrong)

    def _shut(self) -> None:
        self._link.close()

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
