"""The RTMP server: takes publishers in, turns strangers away, and hands each feed on in a thread of its own."""

import errno
import secrets
import socket
import ssl
import threading
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass, field

from abr.clock import Clock
from abr.errors import AbrError, AddressInUse, FeedRefused, UsageError
from abr.formats.rtmp.event import Connected, ConnectRefused, PublishRequested
from abr.formats.rtmp.handshake import NONCE
from abr.formats.rtmp.session import ServerSession
from abr.ingest.admission import Guests, Limits, OnAir
from abr.ingest.certificate import broken_by
from abr.ingest.rtmpfeed import Link, RtmpFeed
from abr.log import Logger

Spawn = Callable[[str, Callable[[], None]], None]
"""Runs a callable in a thread of this name."""

_LINGER_MS = 1000
"""How long a publisher that is refused may take to read why, and one that stops to hang up."""
_LONGEST_AGENT = 60
"""Letters of a publisher's name for itself that are worth a log line."""
_BREATH_S = 0.1
"""Pause after the system refused to accept a connection (no descriptors left, say)."""
_QUIET = 10_000_000_000
"""Nanoseconds between two log lines about connections beyond the limit: strangers do not fill the disk."""


@dataclass(frozen=True, slots=True)
class Permit:
    """What a right key gives."""

    publisher: str
    """The key's name, for logs and pages; "" where there is only one."""
    place: Hashable
    """Of the feeds with the same place one is on the air. The same publisher takes it over from itself."""
    on_feed: Callable[[RtmpFeed], None] | None = None
    """Who reads this feed, where that is not the service's own `on_feed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Who may publish, and what becomes of the feed."""

    applications: frozenset[str]
    """The first part of the path: "live" in rtmp://host/live/KEY."""
    authorise: Callable[[str, str], Permit | None]
    """What this key may do with this application, if anything. Compares in constant time; called in any thread."""
    on_feed: Callable[[RtmpFeed], None]
    """Reads a feed to its end, in the connection's thread. Never called for one place twice at a time."""
    tls: Callable[[], ssl.SSLContext] | None = None
    """The certificate to show now: RTMPS; None: RTMP."""
    takeover: bool = True
    """A second publisher with the same key ends the first, instead of being refused."""
    limits: Limits = field(default_factory=Limits)


class RtmpServer:
    """A listening port. Bound when it is made; `serve` runs until `close`."""

    def __init__(
        self, host: str, port: int, service: Service, *, clock: Clock, spawn: Spawn, log: Logger
    ) -> None:
        """Bind; port 0 takes a free one. Raises AddressInUse, or UsageError for an address that is not ours."""
        self._listener = _bind(host.strip("[]"), port)
        self.port: int = self._listener.getsockname()[1]
        self._service = service
        self._clock = clock
        self._spawn = spawn
        self._log = log
        self._scheme = "rtmps" if service.tls else "rtmp"
        self._closed = threading.Event()
        self._told: int | None = None
        self._untold = 0
        self._guests = Guests(service.limits)
        self._on_air = OnAir(takeover=service.takeover, wait_ms=service.limits.handover_ms)

    def serve(self) -> None:
        """Accept connections until `close`; each gets a thread."""
        while not self._closed.is_set():
            try:
                connection, address = self._listener.accept()
            except OSError as error:
                if not self._closed.is_set():
                    self._log.error("accept failed", error=str(error))
                    self._closed.wait(_BREATH_S)
                continue
            wrapped = self._wrapped(connection)
            if wrapped is not None:
                self._admit(wrapped, address[0], _written(*address[:2]))

    def close(self) -> None:
        """Stop accepting and end all connections; feeds get the reason. May be called twice, from any thread."""
        self._closed.set()
        with suppress(OSError):  # closed before
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept(2); closing alone would not
        self._listener.close()
        self._on_air.end("the server was closed")
        self._guests.close()

    def _wrapped(self, connection: socket.socket) -> socket.socket | None:
        """The connection with TLS around it, not yet shaken: that is up to the connection's own thread.

        None for a peer that is gone already.
        """
        if self._service.tls is None:
            return connection
        try:
            return self._service.tls().wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        except (OSError, ValueError):
            connection.close()
            return None

    def _turn_away(self, connection: socket.socket, peer: str, reason: str) -> None:
        connection.close()
        now = self._clock.monotonic()
        if self._told is not None and now - self._told < _QUIET:
            self._untold += 1
            return
        before = {"before": self._untold} if self._untold else {}
        self._log.warning("publisher refused", peer=peer, reason=reason, **before)
        self._told, self._untold = now, 0

    def _admit(self, connection: socket.socket, host: str, peer: str) -> None:
        reason = self._guests.enter(connection, host)
        if reason:
            self._turn_away(connection, peer, reason)
            return
        visit = _Visit(connection, peer, self._service, self._on_air, self._clock, self._log)

        def run() -> None:
            try:
                visit.run()
            finally:
                self._guests.leave(connection, host)
                connection.close()

        try:
            self._spawn(f"{self._scheme} {peer}", run)
        except BaseException:
            self._guests.leave(connection, host)
            connection.close()
            raise


class _Visit:
    """One connection, from the handshake to the end."""

    def __init__(
        self,
        connection: socket.socket,
        peer: str,
        service: Service,
        on_air: OnAir,
        clock: Clock,
        log: Logger,
    ) -> None:
        self._session = ServerSession(service.applications, secrets.token_bytes(NONCE))
        self._link = Link(connection, self._session, clock)
        self._service = service
        self._on_air = on_air
        self._clock = clock
        self._log = log.bind(peer=peer)
        self._peer = peer
        self._agent = ""
        self._permit = Permit("", None)

    def run(self) -> None:
        """Serve the connection. What the peer does wrong ends in one log line; what `on_feed` raises goes on."""
        app = self._greet()
        if app is None:
            return
        place, publisher = self._permit.place, self._permit.publisher
        name = self._named(app)
        feed = RtmpFeed(self._link, name=name, idle_ms=self._service.limits.idle_ms, place=place)
        reason = self._on_air.claim(place, feed, publisher)
        if reason:
            self._refuse(reason)
            return
        try:
            self._publish(feed, app)
        finally:
            self._on_air.release(place, feed)
        # Who has said that it stops hangs up itself: GStreamer takes it for a failure when we do.
        self._link.linger(_LINGER_MS)

    def _named(self, app: str) -> str:
        """The feed's name; the log's lines have the publisher's from here on."""
        place = f"{'rtmps' if self._service.tls else 'rtmp'} {app} from {self._peer}"
        publisher = self._permit.publisher
        if not publisher:
            return place
        self._log = self._log.bind(publisher=publisher)
        return f"{publisher} ({place})"

    def _publish(self, feed: RtmpFeed, app: str) -> None:
        self._session.accept()
        self._log.info("publisher connected", app=app, agent=self._agent)
        try:
            (self._permit.on_feed or self._service.on_feed)(feed)
        finally:
            if not self._session.ended:
                feed.abort("nobody reads it any more")
            self._log.info("publisher gone", reason=feed.ended, bytes=feed.stats().bytes)

    def _greet(self) -> str | None:
        """Everything up to a request to publish with the right key; None for a peer that was turned away.

        Returns the application. The key itself is not kept.
        """
        try:
            request = self._await_request()
        except AbrError as error:
            self._log.warning("publisher refused", reason=str(error))
        except (EOFError, ConnectionResetError):
            # Port scans and health checks say nothing at all; they are not worth a line. Who leaves without
            # reading our answer resets the connection.
            note = self._log.info if self._link.received else self._log.debug
            note("connection closed before publishing")
        except OSError as error:
            self._log.warning("connection lost before publishing", reason=broken_by(error))
        except Exception as error:  # noqa: BLE001 - whatever a stranger sends must not end the worker
            # The error's own words may hold what was sent: the key.
            self._log.warning("publisher refused", reason=f"a fault of this server: {type(error).__name__}")
        else:
            permit = self._service.authorise(request.app, request.key)
            if permit is not None:
                self._permit = permit
                return request.app
            self._refuse("wrong stream key")
        return None

    def _await_request(self) -> PublishRequested:
        start = self._clock.monotonic()
        self._shake_tls(start)
        while True:
            left_ms = self._time_left(start)
            try:
                events = self._link.exchange(left_ms)
            except TimeoutError:
                continue
            request: PublishRequested | None = None
            for event in events:
                match event:
                    case Connected():
                        self._agent = _printable(event.agent)
                    case ConnectRefused():
                        self._link.say_goodbye(_LINGER_MS)
                        raise FeedRefused("unknown application")
                    case PublishRequested():
                        request = event
            if request:
                return request

    def _shake_tls(self, start: int) -> None:
        try:
            self._link.shake_tls(self._time_left(start))
        except TimeoutError:
            raise FeedRefused(
                f"no whole TLS handshake came within {self._service.limits.handshake_ms} ms"
            ) from None

    def _time_left(self, start: int) -> int:
        """Milliseconds until this phase must be over. Raises FeedRefused when none are left."""
        limits, shaken = self._service.limits, self._session.shaken
        limit, what = (
            (limits.setup_ms, "request to publish") if shaken else (limits.handshake_ms, "whole handshake")
        )
        left = limit - (self._clock.monotonic() - start) // 1_000_000
        if left <= 0:
            raise FeedRefused(f"no {what} came within {limit} ms")
        return left

    def _refuse(self, reason: str) -> None:
        self._session.refuse(reason)
        self._link.say_goodbye(_LINGER_MS)
        self._log.warning("publisher refused", reason=reason)


def _bind(host: str, port: int) -> socket.socket:
    place = _written(host, port)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        both = host == "::" and socket.has_dualstack_ipv6()
        return socket.create_server(address[:2], family=family, backlog=128, dualstack_ipv6=both)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise AddressInUse(
                f"cannot listen on {place}: another program does",
                hint="stop it, or choose another port",
            ) from error
        if error.errno == errno.EACCES:
            raise UsageError(
                f"cannot listen on {place}: permission denied", hint="choose a port from 1024 on"
            ) from error
        raise UsageError(
            f"cannot listen on {place}: {error.strerror or error}",
            hint="use an address of this machine, or 0.0.0.0",
        ) from error


def _written(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:_LONGEST_AGENT]
