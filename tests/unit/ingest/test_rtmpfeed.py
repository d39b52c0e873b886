"""An RTMP publisher read as a file, over a socket pair."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from abr.formats.flv import HEADER, tag
from abr.formats.rtmp.amf import encode
from abr.formats.rtmp.event import MediaKind
from abr.formats.rtmp.handshake import NONCE
from abr.formats.rtmp.session import ServerSession
from abr.ingest.feed import Feed, FeedStats
from abr.ingest.rtmpfeed import Link, RtmpFeed
from abr.model.media import Kind
from tests.fakes.clock import FakeClock
from tests.fakes.rtmp_client import (
    AAC_FRAME,
    AAC_HEADER,
    AVC_FRAME,
    AVC_HEADER,
    HANDSHAKE,
    connect,
    media,
    metadata,
    publish,
    stop,
)

VIDEO, AUDIO = MediaKind.VIDEO, MediaKind.AUDIO
DESCRIPTION = tag(MediaKind.DATA, 0, encode("onMetaData", {"width": 320.0}))


@dataclass
class Pair:
    """An accepted publisher: its end of the wire, and the feed."""

    peer: socket.socket
    ours: socket.socket
    clock: FakeClock
    feed: RtmpFeed


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, peer = socket.socketpair()
    with ours, peer:
        peer.settimeout(10)
        session, clock = ServerSession({"live"}, bytes(NONCE)), FakeClock(monotonic=5)
        session.receive(HANDSHAKE + connect() + publish())
        session.accept()
        yield Pair(peer, ours, clock, RtmpFeed(Link(ours, session, clock), name="rtmp live", idle_ms=10_000))


def read_all(feed: Feed, size: int = 32768) -> bytes:
    """All bytes until the feed gives none."""
    return b"".join(iter(lambda: feed.read(size), b""))


def test_media_becomes_flv_until_the_publisher_stops(pair: Pair) -> None:
    pair.peer.sendall(
        metadata(width=320.0) + media(VIDEO, 0, AVC_HEADER) + media(AUDIO, 3, AAC_FRAME) + stop()
    )
    assert read_all(pair.feed) == HEADER + DESCRIPTION + tag(VIDEO, 0, AVC_HEADER) + tag(AUDIO, 3, AAC_FRAME)
    assert pair.feed.ended == "the publisher stopped"


def test_what_came_with_the_request_to_publish_is_the_feeds_beginning() -> None:
    """It is there though the peer says nothing more."""
    ours, peer = socket.socketpair()
    with ours, peer:
        session = ServerSession({"live"}, bytes(NONCE))
        session.receive(
            HANDSHAKE + connect() + publish() + metadata(width=320.0) + media(VIDEO, 0, AVC_HEADER)
        )
        session.accept()
        feed = RtmpFeed(Link(ours, session, FakeClock()), name="rtmp live", idle_ms=10_000)
        peer.shutdown(socket.SHUT_WR)
        assert read_all(feed) == HEADER + DESCRIPTION + tag(VIDEO, 0, AVC_HEADER)
        assert feed.ended == "the publisher closed the connection"


def test_what_is_kept_is_what_came(pair: Pair) -> None:
    kept: list[bytes] = []
    pair.feed.keep(kept.append)
    cue = encode("onCuePoint", {"name": "ad"})
    pair.peer.sendall(media(VIDEO, 0, AVC_HEADER) + media(MediaKind.DATA, 3, cue) + stop())
    assert read_all(pair.feed) == HEADER + tag(VIDEO, 0, AVC_HEADER)
    assert kept == [HEADER, tag(VIDEO, 0, AVC_HEADER), tag(MediaKind.DATA, 3, cue)]


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_a_read_gives_at_most_what_was_asked(pair: Pair, size: int) -> None:
    pair.peer.sendall(media(VIDEO, 0, AVC_FRAME * 100) + stop())
    pieces = list(iter(lambda: pair.feed.read(size), b""))
    assert max(map(len, pieces)) <= size
    assert b"".join(pieces) == HEADER + tag(VIDEO, 0, AVC_FRAME * 100)


def test_the_reason_stands_once_all_was_read(pair: Pair) -> None:
    pair.peer.sendall(media(VIDEO, 0, AVC_HEADER) + media(VIDEO, 0, AVC_FRAME) + stop())
    pair.feed.read(32768)
    pair.feed.read(32768)
    assert pair.feed.ended is None
    pair.feed.read(32768)
    assert pair.feed.read(32768) == b""
    assert pair.feed.ended == "the publisher stopped"


def test_the_end_is_latched(pair: Pair) -> None:
    pair.peer.shutdown(socket.SHUT_WR)
    assert read_all(pair.feed) == HEADER
    assert [pair.feed.read(10) for _ in range(3)] == [b"", b"", b""]
    assert pair.feed.ended == "the publisher closed the connection"


def test_silence_ends_it(pair: Pair) -> None:
    feed = RtmpFeed(pair.feed._link, name="rtmp live", idle_ms=1)
    assert read_all(feed) == HEADER
    assert feed.ended == "nothing came for 1 ms"


def test_a_broken_protocol_is_the_reason_and_no_exception(pair: Pair) -> None:
    pair.peer.sendall(media(VIDEO, 0, AVC_FRAME))
    assert pair.feed.read(100) == HEADER
    assert pair.feed.read(100) == tag(VIDEO, 0, AVC_FRAME)
    pair.peer.sendall(b"\xff" * 100)
    assert pair.feed.read(100) == b""
    assert pair.feed.ended == "chunk stream 63 begins without a header"


def test_a_closed_socket_is_a_reason_too(pair: Pair) -> None:
    pair.ours.close()
    assert read_all(pair.feed) == HEADER
    assert pair.feed.ended == "the connection broke: Bad file descriptor"


def test_abort_wakes_a_waiting_read(pair: Pair) -> None:
    assert pair.feed.read(100) == HEADER
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pair.feed.read(100)))
    reader.start()
    pair.feed.abort("replaced by a new publisher")
    reader.join(10)
    assert got == [b""]
    pair.feed.abort("another reason")
    assert pair.feed.ended == "replaced by a new publisher"


def test_abort_drops_what_was_not_read(pair: Pair) -> None:
    pair.peer.sendall(media(VIDEO, 0, AVC_FRAME))
    pair.feed.read(3)
    pair.feed.abort("stopping")
    assert pair.feed.read(100) == b""


def test_late_audio_asks_for_a_new_container(pair: Pair) -> None:
    feed = pair.feed
    pair.peer.sendall(media(VIDEO, 0, AVC_HEADER) + media(VIDEO, 0, AVC_FRAME))
    opening = [feed.read(32768) for _ in range(3)]
    assert opening == [HEADER, tag(VIDEO, 0, AVC_HEADER), tag(VIDEO, 0, AVC_FRAME)]
    feed.settle({Kind.VIDEO})
    pair.peer.sendall(media(AUDIO, 40, AAC_HEADER) + media(VIDEO, 40, AVC_FRAME) + stop())
    assert read_all(feed) == b""
    assert (feed.reopen, feed.ended) == (True, None)
    feed.restart()
    assert feed.reopen is False
    assert read_all(feed) == b"".join(
        (HEADER, tag(VIDEO, 40, AVC_HEADER), tag(AUDIO, 40, AAC_HEADER), tag(VIDEO, 40, AVC_FRAME))
    )
    assert feed.ended == "the publisher stopped"


def test_what_is_known_of_a_feed(pair: Pair) -> None:
    feed: Feed = pair.feed
    assert (feed.name, feed.format, feed.arrived, feed.stats()) == ("rtmp live", "flv", 5, FeedStats())
    data = media(VIDEO, 0, AVC_FRAME) + media(AUDIO, 0, AAC_FRAME)
    pair.peer.sendall(data)
    pair.clock.advance(7)
    feed.read(10_000)
    feed.read(10_000)
    assert (feed.arrived, feed.stats()) == (12, FeedStats(bytes=len(data), messages=2))
