"""Who may be connected: how many at once, and which one of two that publish under the same key."""

import socket
import threading
from collections import Counter
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass

from abr.ingest.feed import Feed

REPLACED = "replaced by a new publisher"
"""Why a feed ended, or never began, that gave way to a later one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a stranger may cost us."""

    handshake_ms: int = 5_000
    """From the connection to the end of the handshake, TLS included: who says nothing holds a thread."""
    setup_ms: int = 15_000
    """From the connection to the request to publish: some round trips, over a satellite too."""
    idle_ms: int = 10_000
    """Silence of an accepted publisher after which it counts as gone."""
    handover_ms: int = 5_000
    """How long a new publisher waits for the reader of the one it replaces to finish."""
    connections: int = 64
    """Open connections, accepted or not: each costs a thread, and until its key was right nothing else."""
    per_address: int = 16
    """Of these, from one address: so one stranger cannot fill the port."""


class Guests:
    """The open connections, counted."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: set[socket.socket] = set()
        self._hosts: Counter[str] = Counter()
        self._closed = False
        self._lock = threading.Lock()

    def enter(self, connection: socket.socket, host: str) -> str:
        """Count a connection in and return ""; or say why not."""
        with self._lock:
            if self._closed:
                return "the server was closed"
            if len(self._open) >= self._limits.connections:
                return f"{self._limits.connections} connections are open already"
            if self._hosts[host] >= self._limits.per_address:
                return f"{self._limits.per_address} connections are open from this address already"
            self._open.add(connection)
            self._hosts[host] += 1
            return ""

    def leave(self, connection: socket.socket, host: str) -> None:
        """Count a connection out."""
        with self._lock:
            self._open.discard(connection)
            self._hosts[host] -= 1
            self._hosts += Counter()  # drops the addresses that have none left

    def close(self) -> None:
        """End all connections and let no more in."""
        with self._lock:
            self._closed = True
            for connection in self._open:
                with suppress(OSError):  # the peer may have been faster
                    # Not the connection's own: that of an SSLSocket is not for another thread.
                    socket.socket.shutdown(connection, socket.SHUT_RDWR)


class OnAir:
    """Which feed holds which place (application and key, say)."""

    def __init__(self, *, takeover: bool, wait_ms: int) -> None:
        """With `takeover` a later feed ends the earlier, and waits up to `wait_ms` until its reader is done."""
        self._takeover = takeover
        self._wait_s = wait_ms / 1000
        self._feeds: dict[Hashable, Feed] = {}
        self._newest: dict[Hashable, Feed] = {}
        self._owners: dict[Hashable, str] = {}
        self._changed = threading.Condition()

    def claim(self, place: Hashable, feed: Feed, owner: str = "") -> str:
        """Put a feed in its place and return ""; or say why not. Of several that wait, the last one gets it.

        Only a feed of the same owner (the name of its key) is taken over: one crew never throws out another.
        """
        with self._changed:
            holder = self._feeds.get(place)
            if holder and not self._takeover:
                return "already publishing"
            if holder and self._owners[place] != owner:
                return f"{self._owners[place] or 'another publisher'} is publishing"
            if holder:
                holder.abort(REPLACED)
            self._newest[place] = feed
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: place not in self._feeds or self._newest.get(place) is not feed, self._wait_s
            )
            if self._newest.get(place) is not feed:
                return REPLACED
            if place in self._feeds:
                return "already publishing, and the feed before it does not end"
            self._feeds[place], self._owners[place] = feed, owner
            return ""

    def release(self, place: Hashable, feed: Feed) -> None:
        """The feed's reader is done."""
        with self._changed:
            del self._feeds[place], self._owners[place]
            if self._newest.get(place) is feed:
                del self._newest[place]
            self._changed.notify_all()

    def end(self, reason: str) -> None:
        """Abort all feeds."""
        with self._changed:
            for feed in self._feeds.values():
                feed.abort(reason)
