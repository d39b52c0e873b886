"""SRT in both roles: a port that takes publishers by their stream ids, and a caller that fetches a feed."""

import errno
import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence

from abr.clock import Clock
from abr.config.srt import SrtAddress, parse_srt
from abr.errors import AddressInUse, FeedLost, FeedRefused, UsageError
from abr.ingest.admission import Limits, OnAir
from abr.ingest.libsrt import SrtError, SrtSocket, load, version_text
from abr.ingest.srtfeed import SrtFeed
from abr.ingest.srtheader import Failure, Option, Reject
from abr.ingest.srtplace import WORDS, Place, Rejection, Turned, find_place
from abr.log import Logger

Spawn = Callable[[str, Callable[[], None]], None]
"""Runs a callable in a thread of this name."""

SILENT_MS = 5_000
"""A peer that says nothing at all for so long counts as gone; a blackout of two seconds must be survived."""
CONNECT_MS = 3_000
"""How long a listener that is called may take to answer."""
_BACKLOG = 32
_POLL_MS = 500
_SECURED = 2
_TOLD = 32
"""Log lines about strangers in half a second; of more the oldest are left out."""
_OVERLOADED = "too many connections are open"
_NO_SECRET = "wrong passphrase, or none where one is needed"  # noqa: S105 - only about one


class SrtServer:
    """A UDP port with many publishers. Bound when it is made; `serve` runs until `close`."""

    def __init__(
        self,
        places: Sequence[Place],
        *,
        clock: Clock,
        spawn: Spawn,
        log: Logger,
        takeover: bool = True,
        limits: Limits | None = None,
    ) -> None:
        """Bind the places' host and port, which are the same for all; port 0 takes a free one.

        Raises AddressInUse, or UsageError for an address that is not ours and where libsrt is missing.
        """
        self._places = tuple(places)
        self._limits = limits or Limits()
        self._takeover = takeover
        self._clock, self._spawn, self._log = clock, spawn, log
        self._on_air = OnAir(takeover=takeover, wait_ms=self._limits.handover_ms)
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._hosts: Counter[str] = Counter()
        self._greeted: dict[int, tuple[str, int]] = {}
        """Callers that were let in and are not accepted yet: their peer and when."""
        self._turned: deque[tuple[str, str]] = deque(maxlen=_TOLD)
        """Callers that were turned away, with the reason, until the serving thread tells of them."""
        self._busy: set[Place] = set()
        library = load()
        library.listen_to_log(lambda line: log.debug("libsrt", line=line))
        self._socket = library.socket()
        self._library = library
        self.port = self._bind(places[0].address)

    def serve(self) -> None:
        """Take callers until `close`; each gets a thread."""
        while not self._closed.is_set():
            try:
                accepted = self._socket.accept(_POLL_MS)
            except SrtError as error:
                if not self._closed.is_set() and error.code != Failure.NOTHING_TO_ACCEPT:
                    self._log.error("accept failed", error=error.strerror)
                    self._closed.wait(_POLL_MS / 1000)
                continue
            if accepted is not None:
                self._admit(*accepted)
            self._tell_of_refused()

    def close(self) -> None:
        """Stop listening and end all feeds with this reason. May be called twice, from any thread."""
        self._closed.set()
        self._socket.close()
        self._on_air.end("the server was closed")

    def _bind(self, address: SrtAddress) -> int:
        where = address.name.removeprefix("srt://")
        try:
            self._socket.set(Option.PEERIDLETIMEO, SILENT_MS)
            self._socket.greet(self._greet)
            return self._socket.listen(address.host, address.port, _BACKLOG)
        except OSError as error:
            self._socket.close()
            if _is_taken(error):
                raise AddressInUse(
                    f"cannot listen on {where}: another program does",
                    hint="stop it, or choose another port",
                ) from error
            text = os.strerror(error.system) if isinstance(error, SrtError) else error.strerror or str(error)
            raise UsageError(
                f"cannot listen on {where}: {text}", hint="use an address of this machine, or 0.0.0.0"
            ) from error

    def _greet(self, handle: int, peer: str, text: str) -> int:
        """Let a caller in, or not: in libsrt's own thread, so nothing here may wait."""
        try:
            place = find_place(self._places, text)
            self._check_room(place, peer)
        except Turned as turned:
            self._turned.append((peer, str(turned)))
            return turned.code
        address = place.address
        link = SrtSocket(self._library, handle)
        link.set(Option.RCVLATENCY, address.latency)
        if address.passphrase is not None:
            link.set(Option.PASSPHRASE, address.passphrase.reveal().encode())
        self._greeted[handle] = peer, self._clock.monotonic()
        return 0

    def _check_room(self, place: Place, peer: str) -> None:
        if self._closed.is_set():
            raise Turned(Rejection.DOWN)
        with self._lock:
            if self._hosts.total() >= self._limits.connections:
                raise Turned(Rejection.OVERLOAD, _OVERLOADED)
            if self._hosts[_host(peer)] >= self._limits.per_address:
                raise Turned(Rejection.OVERLOAD, f"{_OVERLOADED} from this address")
            if place in self._busy and not self._takeover:
                raise Turned(Rejection.CONFLICT, "already publishing")

    def _tell_of_refused(self) -> None:
        """Wrong passphrases are refused by libsrt itself, after we let the caller in, and it tells nobody."""
        now = self._clock.monotonic()
        for handle, (peer, since) in list(self._greeted.items()):
            if now - since < _POLL_MS * 1_000_000:
                continue
            del self._greeted[handle]
            if SrtSocket(self._library, handle).gone:
                self._turned.append((peer, _NO_SECRET))
        while self._turned:
            peer, reason = self._turned.popleft()
            self._log.warning("publisher refused", peer=peer, reason=reason)

    def _admit(self, link: SrtSocket, peer: str) -> None:
        self._greeted.pop(link.handle, None)
        with self._lock:
            self._hosts[_host(peer)] += 1

        def run() -> None:
            try:
                self._visit(link, peer)
            finally:
                link.close()
                self._leave(peer)

        try:
            self._spawn(f"srt {peer}", run)
        except BaseException:
            link.close()
            self._leave(peer)
            raise

    def _leave(self, peer: str) -> None:
        with self._lock:
            self._hosts[_host(peer)] -= 1
            self._hosts += Counter()  # drops the addresses that have none left

    def _visit(self, link: SrtSocket, peer: str) -> None:
        """One connection, until its feed was read. What `on_feed` raises goes on."""
        log = self._log.bind(peer=peer)
        try:
            place = find_place(self._places, link.text(Option.STREAMID))
            _check_key(link, place.address)
            feed = _feed(link, f"srt from {peer}", self._limits.idle_ms, self._clock)
            traits = _traits(link)
        except Turned as turned:
            log.warning("publisher refused", reason=str(turned))
            return
        except SrtError as error:  # a socket may be broken already when it is accepted
            log.warning("connection lost before publishing", reason=error.strerror)
            return
        reason = self._on_air.claim(place, feed)
        if reason:
            log.warning("publisher refused", reason=reason)
            return
        try:
            self._publish(place, feed, log, traits)
        finally:
            self._on_air.release(place, feed)

    def _publish(self, place: Place, feed: SrtFeed, log: Logger, traits: dict[str, str]) -> None:
        with self._lock:
            self._busy.add(place)
        log.info("publisher connected", **traits)
        try:
            place.on_feed(feed)
        finally:
            feed.abort("nobody reads it any more")
            with self._lock:
                self._busy.discard(place)
            stats = feed.stats()
            link = stats.link
            counts = {"lost": link.lost, "dropped": link.dropped} if link else {}
            log.info("publisher gone", reason=feed.ended, bytes=stats.bytes, **counts)


def open_srt_caller(
    address: SrtAddress | str,
    *,
    clock: Clock,
    key: str = "pull",
    connect_ms: int = CONNECT_MS,
    idle_ms: int = 10_000,
) -> SrtFeed:
    """Call an SRT listener and give its feed; blocks for at most `connect_ms`.

    `address` is `srt://host:port?streamid=…&passphrase=…&latency=…&pbkeylen=…`, as text (`key` is the option
    that errors name) or parsed by `abr.config.srt.parse_srt`. The caller of this function reads the feed and, at
    its end, aborts it. Raises ConfigError for a wrong address, UsageError where libsrt is missing, FeedRefused
    when the listener says no (wrong stream id or passphrase), FeedLost (retry) when nobody answers.
    """
    if isinstance(address, str):
        address = parse_srt(address, key)
    link = load().socket()
    try:
        _prepare(link, address, connect_ms)
        link.connect(address.host, address.port)
        return _feed(link, address.name, idle_ms, clock)
    except SrtError as error:
        failure = _call_failed(link, address.name, error, connect_ms)
        link.close()
        raise failure from error
    except OSError as error:
        link.close()
        raise FeedLost(f"{address.name}: {error.strerror or error}") from error


def _prepare(link: SrtSocket, address: SrtAddress, connect_ms: int) -> None:
    link.set(Option.CONNTIMEO, connect_ms)
    link.set(Option.PEERIDLETIMEO, SILENT_MS)
    link.set(Option.RCVLATENCY, address.latency)
    if address.stream_id is not None:
        link.set(Option.STREAMID, address.stream_id.reveal().encode())
    if address.passphrase is not None:
        link.set(Option.PASSPHRASE, address.passphrase.reveal().encode())
    if address.key_length:
        link.set(Option.PBKEYLEN, address.key_length)


def _call_failed(link: SrtSocket, name: str, error: SrtError, connect_ms: int) -> FeedLost | FeedRefused:
    code = link.rejection() if error.code == Failure.REJECTED else 0
    if code in {Reject.BADSECRET, Reject.UNSECURE}:
        return FeedRefused(f"{name} refused the connection: {_NO_SECRET}")
    if code >= Rejection.BAD_REQUEST:
        words = WORDS.get(Rejection(code), "") if code in set(Rejection) else ""
        told = f"{code}, {words}" if words else str(code)
        return FeedRefused(f"{name} refused the connection: {told}")
    if error.code == Failure.NO_SERVER or code == Reject.TIMEOUT:
        return FeedLost(f"{name} did not answer within {connect_ms} ms")
    return FeedLost(f"{name}: {error.strerror}")


def _feed(link: SrtSocket, name: str, idle_ms: int, clock: Clock) -> SrtFeed:
    return SrtFeed(link, name=name, idle_ms=idle_ms, silent_ms=SILENT_MS, clock=clock)


def _check_key(link: SrtSocket, address: SrtAddress) -> None:
    """The publisher chooses the length of the key; a shorter one than asked for is refused. Raises Turned."""
    length = link.number(Option.PBKEYLEN)
    if address.passphrase is not None and length < address.key_length:
        words = f"AES-{length * 8}, and pbkeylen={address.key_length} asks for AES-{address.key_length * 8}"
        raise Turned(Rejection.FORBIDDEN, words)


def _traits(link: SrtSocket) -> dict[str, str]:
    secured = link.number(Option.RCVKMSTATE) == _SECURED
    return {
        "agent": f"SRT {version_text(link.number(Option.PEERVERSION))}",
        "encryption": f"AES-{link.number(Option.PBKEYLEN) * 8}" if secured else "none",
        "latency": f"{link.number(Option.RCVLATENCY)} ms",
    }


def _is_taken(error: OSError) -> bool:
    if not isinstance(error, SrtError):
        return error.errno == errno.EADDRINUSE
    return error.system == errno.EADDRINUSE or error.code in {Failure.PORT_TAKEN, Failure.PORT_SHARED}


def _host(peer: str) -> str:
    return peer.rpartition(":")[0]
