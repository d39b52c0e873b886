"""The RTMP server against real publishers, strangers and broken clients, on loopback."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import pytest

from abr.clock import SystemClock
from abr.formats.rtmp.event import Event, MediaKind
from abr.formats.rtmp.session import ServerSession
from abr.ingest.admission import REPLACED, Limits
from abr.ingest.rtmp import RtmpServer, Service
from abr.ingest.rtmpfeed import RtmpFeed
from abr.model.media import Kind
from tests.fakes.log import KeptLines
from tests.fakes.rtmp_client import (
    AAC_HEADER,
    AVC_FRAME,
    AVC_HEADER,
    HANDSHAKE,
    connect,
    media,
    publish,
    stop,
)

pytestmark = pytest.mark.faults
TIME_OUT = 30
ROOT = Path(__file__).parents[2]


@dataclass
class Reader:
    """What `on_feed` was given: each feed, read to its end."""

    feeds: list[RtmpFeed] = field(default_factory=list)
    data: list[bytes] = field(default_factory=list)
    begun: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def read(self, feed: RtmpFeed) -> None:
        """Read raw bytes; `begun` is released once the FLV header is there."""
        self.feeds.append(feed)
        data = [feed.read(32768)]
        self.begun.release()
        data += iter(lambda: feed.read(32768), b"")
        self.data.append(b"".join(data))


class Running:
    """A server that serves, with all its threads."""

    def __init__(self, on_feed: Callable[[RtmpFeed], None], **options: Any) -> None:
        self.log = KeptLines()
        service = Service(
            applications=frozenset({"live"}),
            authorise=lambda app, key: (app, key) == ("live", "key1"),
            on_feed=on_feed,
            **options,
        )
        self.threads: list[threading.Thread] = []
        self.server = RtmpServer("127.0.0.1", 0, service, clock=SystemClock(), spawn=self.spawn, log=self.log)
        self.spawn("serve", self.server.serve)

    def spawn(self, name: str, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, name=name)
        self.threads.append(thread)
        thread.start()

    def url(self, path: str) -> str:
        return f"rtmp://127.0.0.1:{self.server.port}/{path}"

    def client(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.server.port), TIME_OUT)

    def stop(self) -> None:
        self.server.close()
        for thread in self.threads:
            thread.join(TIME_OUT)
            assert not thread.is_alive(), thread.name


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Starts servers; each is stopped and its threads have ended when the test is over."""
    servers: list[Running] = []

    def make(on_feed: Callable[[RtmpFeed], None], **options: Any) -> Running:
        servers.append(Running(on_feed, **options))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


def push(url: str, frames: int = 50) -> subprocess.CompletedProcess[str]:
    """Publish a clip from another process."""
    command = [sys.executable, "-m", "tests.fakes.publisher", url, str(frames)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIME_OUT, check=False)


def read_until_closed(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65536), b""))


def test_a_clip_arrives_whole(start: Callable[..., Running]) -> None:
    frames = {"video": 0, "audio": 0}
    ends: list[str | None] = []

    def decode(feed: RtmpFeed) -> None:
        with av.open(feed, format=feed.format, options={"analyzeduration": "1500000"}) as container:
            feed.settle([Kind(stream.type) for stream in container.streams])
            for packet in container.demux():
                for frame in packet.decode():
                    frames["video" if isinstance(frame, av.VideoFrame) else "audio"] += 1
        ends.append(feed.ended)

    server = start(decode)
    result = push(server.url("live/key1"))
    assert result.returncode == 0, result.stderr
    server.log.wait_for("publisher gone", reason="the publisher stopped")
    assert frames == {"video": 50, "audio": 95}
    assert ends == ["the publisher stopped"]
    assert server.log.wait_for("publisher connected")["app"] == "live"


@pytest.mark.parametrize(
    ("path", "reason"), [("live/hunter2", "wrong stream key"), ("hunter2/key1", "unknown application")]
)
def test_a_stranger_is_refused(start: Callable[..., Running], path: str, reason: str) -> None:
    """The publisher ends with an error, no reader is called, and no log line tells what it tried."""
    reader = Reader()
    server = start(reader.read)
    result = push(server.url(path))
    assert result.returncode == 1
    assert "Error" in result.stderr.splitlines()[-1]
    line = server.log.wait_for("publisher refused", reason=reason)
    assert line["peer"].startswith("127.0.0.1:")
    assert not reader.feeds
    assert "hunter2" not in str(server.log.lines)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"GET /live/key1 HTTP/1.1\r\nHost: a\r\n\r\n", "this is no RTMP client: this looks like HTTP"),
        (b"\xfe" * 5000, "this is no RTMP client: the first byte is 254, not 3"),
        (HANDSHAKE + b"\xff" * 100, "chunk stream 63 begins without a header"),
        (HANDSHAKE + connect() + media(MediaKind.VIDEO, 0, AVC_FRAME), "media was sent before the publisher was accepted"),
    ],
)  # fmt: skip
def test_a_broken_client_costs_one_line_and_the_server_goes_on(
    start: Callable[..., Running], sent: bytes, reason: str
) -> None:
    reader = Reader()
    server = start(reader.read)
    with server.client() as client:
        client.sendall(sent)
        server.log.wait_for("publisher refused", reason=reason)
        with suppress(ConnectionResetError):  # closed with our bytes unread
            read_until_closed(client)
    assert [name for name, _ in server.log.lines] == ["publisher refused"]
    with server.client() as client:
        client.sendall(HANDSHAKE + connect() + publish())
        assert reader.begun.acquire(timeout=TIME_OUT)
        client.sendall(stop())
        read_until_closed(client)
    assert reader.feeds[0].ended == "the publisher stopped"


def test_a_fault_of_ours_costs_one_client_one_line(
    start: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: ServerSession, data: bytes) -> list[Event]:
        raise LookupError(data)

    monkeypatch.setattr(ServerSession, "receive", broken)
    server = start(Reader().read)
    with server.client() as client:
        client.sendall(b"hunter2")
        read_until_closed(client)
    server.log.wait_for("publisher refused", reason="a fault of this server: LookupError")
    assert len(server.log.lines) == 1


@pytest.mark.parametrize(
    ("sent", "limits", "reason"),
    [
        (b"", Limits(handshake_ms=30), "no whole handshake came within 30 ms"),
        (HANDSHAKE[:2000], Limits(handshake_ms=30), "no whole handshake came within 30 ms"),
        (HANDSHAKE + connect(), Limits(setup_ms=30), "no request to publish came within 30 ms"),
    ],
)
def test_a_slow_client_is_dropped(
    start: Callable[..., Running], sent: bytes, limits: Limits, reason: str
) -> None:
    server = start(Reader().read, limits=limits)
    with server.client() as client:
        client.sendall(sent)
        read_until_closed(client)
    server.log.wait_for("publisher refused", reason=reason)


def test_a_client_that_leaves_early_is_no_warning(start: Callable[..., Running]) -> None:
    server = start(Reader().read)
    server.client().close()
    assert server.log.wait_for("connection closed before publishing")["level"] == "debug"
    with server.client() as client:
        client.sendall(HANDSHAKE)
    server.log.wait_for("connection closed before publishing", level="info")


def test_a_silent_publisher_counts_as_gone(start: Callable[..., Running]) -> None:
    reader = Reader()
    server = start(reader.read, limits=Limits(idle_ms=30))
    with server.client() as client:
        client.sendall(HANDSHAKE + connect() + publish())
        read_until_closed(client)
    server.log.wait_for("publisher gone", reason="nothing came for 30 ms")


def test_the_right_key_takes_over(start: Callable[..., Running]) -> None:
    reader = Reader()
    server = start(reader.read)
    with server.client() as first, server.client() as second:
        first.sendall(HANDSHAKE + connect() + publish())
        assert reader.begun.acquire(timeout=TIME_OUT)
        second.sendall(HANDSHAKE + connect() + publish())
        assert reader.begun.acquire(timeout=TIME_OUT)
        read_until_closed(first)
        second.sendall(media(MediaKind.VIDEO, 0, AVC_HEADER) + stop())
        read_until_closed(second)
    assert [feed.ended for feed in reader.feeds] == [REPLACED, "the publisher stopped"]
    assert AVC_HEADER in reader.data[1]


def test_without_takeover_the_second_is_refused(start: Callable[..., Running]) -> None:
    reader = Reader()
    server = start(reader.read, takeover=False)
    with server.client() as first, server.client() as second:
        first.sendall(HANDSHAKE + connect() + publish())
        assert reader.begun.acquire(timeout=TIME_OUT)
        second.sendall(HANDSHAKE + connect() + publish())
        assert b"NetStream.Publish.BadName" in read_until_closed_slowly(second)
        server.log.wait_for("publisher refused", reason="already publishing")
        first.sendall(media(MediaKind.AUDIO, 0, AAC_HEADER) + stop())
        read_until_closed(first)
    assert AAC_HEADER in reader.data[0]


def read_until_closed_slowly(client: socket.socket) -> bytes:
    """As a polite client: hang up once the server has said its last word."""
    said = read_until_closed(client)
    client.shutdown(socket.SHUT_WR)
    return said


def test_connections_are_limited(start: Callable[..., Running]) -> None:
    server = start(Reader().read, limits=Limits(per_address=2))
    with server.client() as first, server.client() as second:
        for client in first, second:
            client.sendall(HANDSHAKE)
            client.recv(1)
        with server.client() as third:
            assert third.recv(1) == b""
        server.log.wait_for("publisher refused", reason="2 connections are open from this address already")


def test_close_ends_feeds_and_connections(start: Callable[..., Running]) -> None:
    reader = Reader()
    server = start(reader.read)
    with server.client() as live, server.client() as halfway:
        halfway.sendall(HANDSHAKE)
        halfway.recv(1)
        live.sendall(HANDSHAKE + connect() + publish())
        assert reader.begun.acquire(timeout=TIME_OUT)
        server.stop()
        assert reader.feeds[0].ended == "the server was closed"


def test_a_reader_that_fails_frees_the_place(start: Callable[..., Running]) -> None:
    """What `on_feed` raises belongs to its thread; the key can be used again."""
    raised: list[Exception] = []

    class Guarded(Running):
        def spawn(self, name: str, run: Callable[[], None]) -> None:
            def guard() -> None:
                try:
                    run()
                except OSError as error:
                    raised.append(error)

            super().spawn(name, guard)

    def fail(_: RtmpFeed) -> None:
        raise OSError(28, "No space left on device")

    server = Guarded(fail)
    try:
        for count in (1, 2):
            with server.client() as client:
                client.sendall(HANDSHAKE + connect() + publish())
                read_until_closed(client)
            server.threads[count].join(TIME_OUT)
            assert len(raised) == count
        server.log.wait_for("publisher gone", reason="nobody reads it any more")
    finally:
        server.stop()
