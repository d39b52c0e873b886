"""A feed as the worker sees it: a file that a demuxer reads, and what is known about it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from abr.model.media import Kind
from abr.model.state import LinkState


@dataclass(frozen=True, slots=True)
class FeedStats:
    """What came in so far."""

    bytes: int = 0
    """Bytes from the peer, protocol included."""
    messages: int = 0
    """Media messages (RTMP) or packets (SRT)."""
    link: LinkState | None = None
    """The connection's own readings (SRT)."""
    wrong: Mapping[str, int] = field(default_factory=dict)
    """What of the bytes did not reach the container, by kind as in `model.state.State.repairs`."""


class Feed(Protocol):
    """One input from open to end, read by one thread: `av.open(feed, format=feed.format)`.

    A container that was opened cannot take in another track. So after opening it the reader calls `settle`;
    when a track appears that it does not have, `read` comes to its end with `reopen` set (and `ended` None).
    The reader then drains the container, calls `restart` and opens a new one: the same media goes on where
    the old one stopped, with the same time line, and the decoders may stay.
    """

    @property
    def name(self) -> str:
        """Peer and place, for logs: without key, passphrase or query."""
        ...

    @property
    def format(self) -> str:
        """FFmpeg's name of the container ("flv", "mpegts")."""
        ...

    @property
    def ended(self) -> str | None:
        """Why no more bytes come; None while they may."""
        ...

    @property
    def arrived(self) -> int:
        """When the peer's latest bytes came (`Clock.monotonic`, nanoseconds)."""
        ...

    @property
    def reopen(self) -> bool:
        """Whether the container must be opened anew, after `restart`."""
        ...

    def read(self, n: int) -> bytes:
        """At least one byte and never more than `n`; waits for them.

        At the end b"", again and again (FFmpeg asks again). Never raises: an exception would be lost
        in FFmpeg; `ended` says why.
        """
        ...

    def settle(self, kinds: Collection[Kind]) -> None:
        """Tell the feed which kinds of tracks the container found when it was opened."""
        ...

    def restart(self) -> None:
        """Make the next `read` begin a new container with the tracks known now."""
        ...

    def stats(self) -> FeedStats:
        """Counters; may be called from any thread."""
        ...

    def abort(self, reason: str) -> None:
        """End the feed from any thread: a waiting `read` returns b"" at once. The first reason stays."""
        ...
