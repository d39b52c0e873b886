"""MPEG-TS in UDP datagrams, one address or a multicast group, as a feed."""

import ipaddress
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from abr.clock import Clock
from abr.config.pull import UdpAddress
from abr.errors import AddressInUse, FeedLost, ProtocolError, UsageError
from abr.formats.mpegts import PACKET, SYNC, TsWriter
from abr.ingest.container import ContainerFeed
from abr.ingest.feed import FeedStats
from abr.model.time import NANO

_LARGEST = 65536
_KERNEL = 4 << 20
"""Bytes that the kernel is asked to keep; it gives what net.core.rmem_max allows."""

_ROOM = 16 << 20
"""Bytes that wait for the demuxer; the oldest go when it is too slow: UDP cannot be held back."""

_LOOK = 0.2
_RTP = 12
"""Bytes of a plain RTP header (RFC 3550 5.1), which some senders put before the packets of the stream."""

_PARITY = 16
"""Bytes that some senders put behind each packet (DVB's Reed-Solomon code, EN 300 429 5.4)."""


class UdpFeed(ContainerFeed):
    """Datagrams that come to one port, as `ingest.feed.Feed` says. Bound when made; `run` is its receiving thread.

    Raises AddressInUse, UsageError.
    """

    format = "mpegts"

    def __init__(self, address: UdpAddress, *, clock: Clock, idle_ms: int = 5_000) -> None:
        host = f"[{address.host}]" if ":" in address.host else address.host
        self._writer = TsWriter()
        super().__init__(self._writer, f"udp://{host}:{address.port}")
        self._address, self._clock, self._idle = address, clock, idle_ms * 1_000_000
        self._socket = _bound(address, self.name)
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._received = self._datagrams = self._overrun = 0
        self.arrived = clock.monotonic()
        """When the latest datagram came (`Clock.monotonic`, nanoseconds)."""
        self._changed = threading.Condition()

    @property
    def port(self) -> int:
        """The port that was taken."""
        return int(self._socket.getsockname()[1])

    def run(self) -> None:
        """Receive until `abort`, then close the socket."""
        try:
            while self._ended is None:
                with suppress(TimeoutError):
                    data, sender = self._socket.recvfrom(_LARGEST)
                    if not self._address.source or sender[0] == self._address.source:
                        self._keep(data)
        except OSError as error:
            self.abort(f"the socket failed: {error.strerror or error}")
        finally:
            self._socket.close()

    def wait_first(self, stop: Callable[[], bool]) -> bool:
        """Wait for the first datagram, however long; False when `stop()` says so or the socket failed."""
        while self._ended is None and not stop():
            with self._changed:
                if self._changed.wait_for(lambda: self._waiting or self._ended, _LOOK) and self._waiting:
                    return True
        return False

    def stats(self) -> FeedStats:
        """Counters; may be called from any thread."""
        wrong = {"skipped": self._writer.skipped, "overrun": self._overrun}
        return FeedStats(bytes=self._received, messages=self._datagrams, wrong=wrong)

    def _pull(self) -> None:
        """Take one datagram, waited for a little; silence and what is no MPEG-TS become the reason of the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended, _LOOK)
            if not self._waiting:
                if self._clock.monotonic() - self.arrived >= self._idle:
                    self._closing = f"nothing came for {self._idle // NANO} s"
                return
            data = self._waiting.popleft()
            self._size -= len(data)
        try:
            self._writer.push(data)
        except ProtocolError as error:
            self._closing = str(error)

    def _shut(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _keep(self, data: bytes) -> None:
        data = _packets(data)
        if not data:
            return
        with self._changed:
            self._received += len(data)
            self._datagrams += 1
            self.arrived = self._clock.monotonic()
            self._waiting.append(data)
            self._size += len(data)
            while self._size > _ROOM:
                self._size -= len(self._waiting.popleft())
                self._overrun += 1
            self._changed.notify_all()


def _packets(data: bytes) -> bytes:
    """The packets of 188 bytes in a datagram."""
    if len(data) > _RTP and data[0] >> 6 == 2 and data[0] != SYNC and data[_RTP] == SYNC:
        data = data[_RTP:]
    whole = PACKET + _PARITY
    if not len(data) % whole and set(data[::whole]) == {SYNC}:
        return b"".join(data[place : place + PACKET] for place in range(0, len(data), whole))
    return data


def _bound(address: UdpAddress, name: str) -> socket.socket:
    """A socket on the address, in the group if it is one. Raises AddressInUse, UsageError."""
    literal = ipaddress.ip_address(address.host)
    family = socket.AF_INET6 if literal.version == 6 else socket.AF_INET
    receiver = socket.socket(family, socket.SOCK_DGRAM)
    try:
        receiver.settimeout(_LOOK)
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _KERNEL)
        if literal.is_multicast:
            receiver.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        receiver.bind((address.host, address.port))
        if literal.is_multicast:
            _join(receiver, literal, address.interface)
    except OSError as error:
        receiver.close()
        reason = error.strerror or str(error)
        if error.errno in _TAKEN:
            raise AddressInUse(f"{name}: {reason}", hint="another program receives there") from error
        raise UsageError(
            f"{name} cannot be received: {reason}", hint="name an address or interface of this machine"
        ) from error
    return receiver


_TAKEN = frozenset((98, 48))
"""EADDRINUSE on Linux and on BSD."""


def _join(
    receiver: socket.socket, group: ipaddress.IPv4Address | ipaddress.IPv6Address, interface: str
) -> None:
    if group.version == 4:
        local = socket.inet_aton(interface or "0.0.0.0")  # noqa: S104 - the system's choice
        receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group.packed + local)
    else:
        number = socket.if_nametoindex(interface) if interface else 0
        request = group.packed + struct.pack("@I", number)
        receiver.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)


def open_udp(
    address: UdpAddress,
    *,
    clock: Clock,
    spawn: Callable[[str, Callable[[], None]], None],
    stop: Callable[[], bool],
) -> UdpFeed:
    """A feed whose first datagram has come. Raises AddressInUse, UsageError; FeedLost when `stop()` said so."""
    feed = UdpFeed(address, clock=clock)
    spawn("udp receiver", feed.run)
    if not feed.wait_first(stop):
        feed.abort("the worker is stopping")
        raise FeedLost(feed.ended or "the worker is stopping")
    return feed
