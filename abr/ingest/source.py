"""A file, an http(s) URL or an RTMP server, opened for reading."""

import errno
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from abr.clock import Clock
from abr.config.pull import PullAddress
from abr.errors import FeedRefused, FeedUnreadable
from abr.ingest.demux import Demuxer

if TYPE_CHECKING:
    from abr.ingest.web import Told, Web

_RTMP_OPTIONS = {
    "protocol_whitelist": "rtmp,rtmps,tcp,tls",
    "rtmp_live": "live",
    "analyzeduration": "1500000",
}
_RTMP_ENDS = {
    "Input/output error": "the server ended it, or the connection broke",
    "Immediate exit requested": "nothing came for 5 s",
    "the end": "the server ended it",
}
"""How FFmpeg says that an RTMP server gives nothing more."""

_SILENCE = 20
"""Seconds without anything new after which a live source counts as dead."""


@dataclass(frozen=True, slots=True)
class Opener:
    """What opening needs beside the address. `wait(seconds)` pauses and answers whether to stop."""

    clock: Clock
    wait: Callable[[float], bool]
    told: "Told | None" = None
    private: bool = False
    """Whether a playlist or redirect from a public address may lead to a private one."""

    def open(self, address: PullAddress) -> "Source":
        """Open it. Raises FeedLost and FeedUnreadable, and FeedRefused where it leads to what it must not."""
        if address.scheme in {"http", "https"}:
            return self._open_web(address)
        if address.scheme in {"rtmp", "rtmps"}:
            return Source(address, _open_rtmp(address))
        return Source(address, Demuxer(address.location))

    def _open_web(self, address: PullAddress) -> "Source":
        from abr.ingest.guard import Guard  # noqa: PLC0415 - a film on the disk needs nothing of the web
        from abr.ingest.web import Web  # noqa: PLC0415

        guard = Guard(private=self.private)
        web = Web(address.location, guard=guard, clock=self.clock, wait=self.wait, told=self.told)
        try:
            return Source(address, Demuxer(address.location, web=web), web)
        except BaseException:
            web.close()
            raise


@dataclass(frozen=True, slots=True)
class Source:
    """What was opened. One thread reads the demuxer, and closes it by `close`."""

    address: PullAddress
    demuxer: Demuxer
    web: "Web | None" = None

    @property
    def live(self) -> bool:
        """Whether it is opened again when it breaks off; a film is not."""
        return self.address.scheme in {"rtmp", "rtmps"} or (self.web is not None and self.web.live)

    @property
    def paced(self) -> bool:
        """Whether its packets come faster than they are to be shown. A live playlist's come a segment at a time."""
        return self.address.scheme not in {"rtmp", "rtmps"}

    @property
    def remote(self) -> bool:
        """Whether reading it may have to wait for somebody."""
        return self.address.url is not None

    @property
    def silence(self) -> int | None:
        """Seconds without a packet after which it counts as lost, where nobody else looks."""
        return _SILENCE if self.live else None

    @property
    def began(self) -> int | None:
        """When its media began to come (monotonic ns), where somebody saw it."""
        return self.web.began if self.web is not None else None

    @property
    def missed(self) -> int:
        """Segments of a live playlist that were not to be had."""
        return self.web.missed if self.web is not None else 0

    @property
    def received(self) -> int:
        """Bytes so far; 0 where nobody counts."""
        return self.web.received if self.web is not None else 0

    @property
    def ended(self) -> str | None:
        """Why no more packets come, in words for the log; None while they may."""
        reason = self.demuxer.ended
        if reason is None or self.web is not None or not self.live:
            return reason
        return _RTMP_ENDS.get(reason, reason)

    @property
    def whole(self) -> bool:
        """Whether it ended at its end."""
        if self.address.scheme in {"rtmp", "rtmps"}:
            return False
        return self.demuxer.ended == "the end" and not (self.web is not None and self.web.playing)

    @property
    def forbidden(self) -> bool:
        """Whether it led to what it must not: opening it again would not help."""
        return self.web is not None and isinstance(self.web.failure, FeedRefused)

    def abort(self, reason: str) -> None:
        """From any thread: make a waiting read return, as far as that can be done."""
        if self.web is not None:
            self.web.abort(reason)

    def close(self) -> None:
        """Close everything, in the thread that reads."""
        if self.web is not None:
            self.web.abort("it was closed")
        self.demuxer.close()
        if self.web is not None:
            self.web.close()


def _open_rtmp(address: PullAddress) -> Demuxer:
    """Ask a server for its stream. Raises FeedUnreadable."""
    try:
        return Demuxer(address.location, options=_RTMP_OPTIONS | _tls(address.scheme))
    except FeedUnreadable as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EIO:
            reason = (
                "a wrong key, or a certificate that is not valid"
                if address.scheme == "rtmps"
                else "a wrong key"
            )
            raise FeedUnreadable(f"{address.name}: the server closed the connection: {reason}?") from error
        raise


def _tls(scheme: str) -> dict[str, str]:
    """FFmpeg checks no certificate unless told to, and knows no authorities."""
    if scheme != "rtmps":
        return {}
    import ssl  # noqa: PLC0415 - as the web

    authorities = ssl.get_default_verify_paths().cafile
    return {"tls_verify": "1"} | ({"ca_file": authorities} if authorities else {})
