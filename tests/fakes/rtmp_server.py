"""An RTMP server that serves on loopback, with all its threads, and what may read its feeds."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import av

from abr.clock import SystemClock
from abr.ingest.feed import Feed
from abr.ingest.rtmp import Permit, RtmpServer, Service
from abr.ingest.rtmpfeed import RtmpFeed
from abr.model.media import Kind
from tests.fakes.log import KeptLines

TIME_OUT = 30


def permit(app: str, key: str) -> Permit | None:
    """Two crews that share a place, each with its key."""
    name = {"key1": "studio", "key2": "van"}.get(key)
    return Permit(name, app) if app == "live" and name else None


class Running:
    """A server that serves, until `stop`."""

    def __init__(self, on_feed: Callable[[RtmpFeed], None], **options: Any) -> None:
        self.log = KeptLines()
        service = Service(
            applications=frozenset({"live"}), authorise=permit, on_feed=on_feed, **options
        )  # fmt: skip
        self.threads: list[threading.Thread] = []
        self.server = RtmpServer("127.0.0.1", 0, service, clock=SystemClock(), spawn=self.spawn, log=self.log)
        self.scheme = "rtmps" if service.tls else "rtmp"
        self.spawn("serve", self.server.serve)

    def spawn(self, name: str, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, name=name)
        self.threads.append(thread)
        thread.start()

    def url(self, path: str) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server.port}/{path}"

    def client(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.server.port), TIME_OUT)

    def stop(self) -> None:
        self.server.close()
        for thread in self.threads:
            thread.join(TIME_OUT)
            assert not thread.is_alive(), thread.name


@contextmanager
def servers() -> Iterator[Callable[..., Running]]:
    """Starts servers; each is stopped and its threads have ended at the end."""
    started: list[Running] = []

    def start(on_feed: Callable[[RtmpFeed], None], **options: Any) -> Running:
        started.append(Running(on_feed, **options))
        return started[-1]

    try:
        yield start
    finally:
        for server in started:
            server.stop()


@dataclass
class Reader:
    """What `on_feed` was given: each feed, read to its end."""

    feeds: list[Any] = field(default_factory=list)
    data: list[bytes] = field(default_factory=list)
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    done: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def read(self, feed: Feed) -> None:
        """Read raw bytes; `begun` is released with the first of them, `done` at the end."""
        self.feeds.append(feed)
        data = [feed.read(32768)]
        self.begun.release()
        data += iter(lambda: feed.read(32768), b"")
        self.data.append(b"".join(data))
        self.done.release()


@dataclass
class Decoded:
    """What `on_feed` was given: every frame of one feed, counted."""

    frames: dict[str, int] = field(default_factory=lambda: {"video": 0, "audio": 0})
    codecs: dict[str, str] = field(default_factory=dict)
    ended: list[str | None] = field(default_factory=list)
    name: str = ""

    def read(self, feed: RtmpFeed) -> None:
        self.name = feed.name
        self._read_container(feed)
        while feed.reopen:
            feed.restart()
            self._read_container(feed)
        self.ended.append(feed.ended)

    def _read_container(self, feed: RtmpFeed) -> None:
        with av.open(feed, format=feed.format, options={"analyzeduration": "1500000"}) as container:
            feed.settle([Kind(stream.type) for stream in container.streams])
            for stream in container.streams:
                self.codecs[stream.type] = stream.codec_context.codec.canonical_name
            for packet in container.demux():
                for frame in packet.decode():
                    self.frames["video" if isinstance(frame, av.VideoFrame) else "audio"] += 1
