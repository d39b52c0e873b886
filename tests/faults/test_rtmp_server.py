"""The RTMP server against real publishers, strangers and broken clients, on loopback."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from abr.formats.rtmp import message
from abr.formats.rtmp.event import Event, MediaKind
from abr.formats.rtmp.session import ServerSession
from abr.ingest.admission import REPLACED, Limits
from abr.ingest.rtmpfeed import RtmpFeed
from tests.fakes.rtmp_client import (
    AAC_HEADER,
    AVC_FRAME,
    AVC_HEADER,
    HANDSHAKE,
    connect,
    media,
    publish,
    sent,
    stop,
)
from tests.fakes.rtmp_server import TIME_OUT, Decoded, Reader, Running, servers

pytestmark = pytest.mark.faults
ROOT = Path(__file__).parents[2]


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    with servers() as start:
        yield start


def push(url: str, frames: int = 50) -> subprocess.CompletedProcess[str]:
    """Publish a clip from another process."""
    command = [sys.executable, "-m", "tests.fakes.publisher", url, str(frames)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIME_OUT, check=False)


def read_until_closed(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65536), b""))


def test_a_clip_arrives_whole(start: Callable[..., Running]) -> None:
    decoded = Decoded()
    server = start(decoded.read)
    result = push(server.url("live/key1"))
    assert result.returncode == 0, result.stderr
    server.log.wait_for("publisher gone", reason="the publisher stopped")
    assert decoded.frames == {"video": 50, "audio": 95}
    assert decoded.ended == ["the publisher stopped"]
    assert decoded.name.startswith("studio (rtmp live from 127.0.0.1:")
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


@pytest.mark.parametrize(("key", "read"), [("key1", True), ("hunter2", False)])
def test_a_client_that_waits_for_no_answer_is_read_once_its_key_was_right(
    start: Callable[..., Running], key: str, read: bool
) -> None:
    reader = Reader()
    server = start(reader.read)
    with server.client() as client:
        client.sendall(HANDSHAKE + connect() + publish(key) + media(MediaKind.VIDEO, 0, AVC_FRAME) + stop())
        with suppress(ConnectionResetError):
            read_until_closed(client)
    if read:
        assert reader.done.acquire(timeout=TIME_OUT)
        assert AVC_FRAME in reader.data[0]
        assert reader.feeds[0].ended == "the publisher stopped"
    else:
        server.log.wait_for("publisher refused", reason="wrong stream key")
        assert not reader.feeds


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


def test_a_publisher_that_stopped_reading_is_taken_over_at_once(start: Callable[..., Running]) -> None:
    """Our answer to it is stuck in the socket: a half-open line looks the same. No time-out is waited for."""
    reader = Reader()
    server = start(reader.read, limits=Limits(idle_ms=3_600_000, handover_ms=10_000))
    with server.client() as first:
        first.sendall(HANDSHAKE + connect() + publish())
        assert reader.begun.acquire(timeout=TIME_OUT)
        fill(first)
        with server.client() as second:
            second.sendall(HANDSHAKE + connect() + publish())
            assert reader.begun.acquire(timeout=TIME_OUT)
            second.sendall(stop())
            read_until_closed(second)
    assert [feed.ended for feed in reader.feeds] == [REPLACED, "the publisher stopped"]


def fill(client: socket.socket) -> None:
    """Ask for answers, and read none, until the server can take no more questions."""
    client.settimeout(0.5)
    pings = sent(message.user_control(message.UserControl.PING_REQUEST, bytes(4))) * 10_000
    with suppress(TimeoutError):
        while True:
            client.sendall(pings)


def test_another_crew_does_not_throw_out_the_one_on_the_air(start: Callable[..., Running]) -> None:
    reader = Reader()
    server = start(reader.read)
    with server.client() as first, server.client() as second:
        first.sendall(HANDSHAKE + connect() + publish("key1"))
        assert reader.begun.acquire(timeout=TIME_OUT)
        second.sendall(HANDSHAKE + connect() + publish("key2"))
        assert b"studio is publishing" in read_until_closed_slowly(second)
        server.log.wait_for("publisher refused", reason="studio is publishing", publisher="van")
        first.sendall(media(MediaKind.AUDIO, 0, AAC_HEADER) + stop())
        read_until_closed(first)
    assert AAC_HEADER in reader.data[0]


def test_last_words_count_though_the_answer_cannot_be_sent(start: Callable[..., Running]) -> None:
    """Publishers send their last pictures and commands and reset the connection: all of it is read."""
    reader = Reader()
    server = start(reader.read)
    for _ in range(20):
        with server.client() as client:
            client.sendall(HANDSHAKE + connect() + publish())
            assert reader.begun.acquire(timeout=TIME_OUT)
            client.sendall(media(MediaKind.VIDEO, 0, AVC_FRAME * 1000) + stop())
            client.shutdown(socket.SHUT_RDWR)
        assert reader.done.acquire(timeout=TIME_OUT)
    assert [data.count(AVC_FRAME) for data in reader.data] == [1000] * 20
    assert {feed.ended for feed in reader.feeds} == {"the publisher stopped"}


@pytest.mark.parametrize("limits", [Limits(), Limits(connections=500, per_address=500, handshake_ms=800)])
def test_a_crowd_changes_nothing_for_the_feed_that_is_up(
    start: Callable[..., Running], limits: Limits
) -> None:
    """200 that say nothing and 200 in the middle of their handshake; the limit, or their time, turns them away."""
    arrivals: list[float] = []
    departures: list[float] = []

    def read(feed: RtmpFeed) -> None:
        while feed.read(65536):
            arrivals.append(time.monotonic())

    server = start(read, limits=limits)
    with server.client() as live, ExitStack() as crowd:
        live.sendall(HANDSHAKE + connect() + publish())
        server.log.wait_for("publisher connected")
        for number in range(150):
            departures.append(time.monotonic())
            live.sendall(media(MediaKind.VIDEO, 10 * number, AVC_FRAME * 500))
            for _ in range(4 if number < 100 else 0):
                stranger = crowd.enter_context(server.client())
                with suppress(OSError):  # turned away before its first word
                    stranger.sendall(HANDSHAKE[: 700 * (_ % 2)])
            threading.Event().wait(0.01)
        live.sendall(stop())
        server.log.wait_for("publisher gone", reason="the publisher stopped")
        with socket.create_connection(("127.0.0.1", server.server.port), 10, ("127.0.0.2", 0)) as elsewhere:
            assert came_in(elsewhere)
    assert len(arrivals) == 151
    assert max(here - there for there, here in zip(departures, arrivals[1:], strict=True)) < 0.5
    refused = [
        values
        for name, values in server.log.lines
        if name == "publisher refused" and "are open" in values["reason"]
    ]
    assert len(refused) <= 1  # one line, not one for each


def came_in(client: socket.socket) -> bool:
    """Whether the server shakes hands."""
    with suppress(ConnectionResetError, BrokenPipeError):
        client.sendall(HANDSHAKE)
        return client.recv(1) == b"\x03"
    return False


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
