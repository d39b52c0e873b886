"""MPEG-TS in datagrams, over this machine's own interface."""

import socket
import threading
from contextlib import contextmanager

import pytest

from abr.clock import SystemClock
from abr.config.pull import UdpAddress
from abr.errors import AddressInUse, FeedLost, UsageError
from abr.ingest.udp import UdpFeed, open_udp
from abr.model.media import Kind
from tests.fakes.multiplex import AAC, AUDIO_PID, H264, VIDEO_PID, association, program_map, unit

HERE = UdpAddress("127.0.0.1", 0)
PACKET = b"\x47" + bytes(187)
KEY = unit(VIDEO_PID, "key", access=True)


@contextmanager
def receiving(address=HERE, idle_ms=5000):
    feed = UdpFeed(address, clock=SystemClock(), idle_ms=idle_ms)
    thread = threading.Thread(target=feed.run)
    thread.start()
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect(("127.0.0.1", feed.port))
    try:
        yield feed, sender
    finally:
        feed.abort("the test is over")
        thread.join()
        sender.close()


def test_datagrams_are_read_as_bytes_in_pieces_of_any_size():
    with receiving() as (feed, sender):
        sender.send(PACKET * 7)
        sender.send(PACKET)
        assert feed.wait_first(lambda: False)
        got = b""
        while len(got) < 188 * 8:
            piece = feed.read(500)
            assert 0 < len(piece) <= 500
            got += piece
        assert got == PACKET * 8
        assert (feed.stats().bytes, feed.stats().messages) == (188 * 8, 2)
        assert set(feed.stats().wrong.values()) == {0}
        assert feed.name == "udp://127.0.0.1:0"


def test_a_plain_rtp_header_is_taken_off():
    with receiving() as (feed, sender):
        sender.send(b"\x80\x21" + bytes(10) + PACKET)
        assert feed.read(1000) == PACKET


def test_parity_behind_each_packet_is_taken_off():
    with receiving() as (feed, sender):
        sender.send((PACKET + bytes(16)) * 7)
        assert feed.read(2000) == PACKET * 7


def test_silence_is_the_end_and_stays_it():
    with receiving(idle_ms=20) as (feed, _):
        assert feed.read(100) == feed.read(100) == b""
        assert feed.ended == "nothing came for 0 s"


def test_abort_wakes_the_reader_and_the_first_reason_stays():
    with receiving() as (feed, _):
        timer = threading.Timer(0.02, feed.abort, ("the worker is stopping",))
        timer.start()
        assert feed.read(100) == b""
        feed.abort("later")
        assert feed.ended == "the worker is stopping"
        timer.join()


def test_only_the_named_sender_is_heard():
    with receiving(UdpAddress("127.0.0.1", 0, source="192.0.2.1"), idle_ms=50) as (feed, sender):
        sender.send(PACKET)
        assert feed.read(100) == b""
        assert feed.stats().bytes == 0


def test_the_oldest_go_when_nobody_reads(monkeypatch):
    monkeypatch.setattr("abr.ingest.udp._ROOM", 188 * 3)
    with receiving() as (feed, _):
        for number in range(5):
            feed._keep(bytes([0x47, number]) + bytes(186))
        assert [feed.read(188)[1] for _ in range(3)] == [2, 3, 4]
        assert feed.stats().wrong == {"skipped": 0, "overrun": 2}


def test_a_track_that_comes_late_asks_for_a_new_container():
    sound, tables = unit(AUDIO_PID, "s"), program_map({VIDEO_PID: H264, AUDIO_PID: AAC}, version=1)
    opening = association() + program_map({VIDEO_PID: H264}) + KEY
    with receiving(idle_ms=300) as (feed, sender):
        sender.send(opening)
        assert feed.read(1000) == opening
        feed.settle([Kind.VIDEO])
        sender.send(tables + sound)
        sender.send(KEY + sound)
        assert (feed.read(1000), feed.reopen, feed.ended) == (b"", True, None)
        feed.restart()
        assert b"".join(iter(lambda: feed.read(1000), b"")) == association() + tables + KEY + sound
        assert (feed.reopen, feed.ended) == (False, "nothing came for 0 s")


def test_what_is_no_mpeg_ts_says_so(monkeypatch):
    monkeypatch.setattr("abr.formats.mpegts._ALIEN", 1000)
    with receiving() as (feed, _):
        feed._keep(bytes(2000))
        assert feed.read(1000) == b""
        assert feed.ended == "the publisher sends no MPEG-TS"


def test_a_multicast_group_is_joined():
    with receiving(UdpAddress("239.255.77.1", 0, interface="127.0.0.1")) as (feed, _):
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        sender.sendto(PACKET, ("239.255.77.1", feed.port))
        sender.close()
        assert feed.read(1000) == PACKET


def test_a_port_that_is_taken_and_an_address_that_is_not_ours_are_told():
    with receiving() as (feed, _), pytest.raises(AddressInUse, match="another program receives there"):
        UdpFeed(UdpAddress("127.0.0.1", feed.port), clock=SystemClock())
    with pytest.raises(UsageError, match=r"udp://192.0.2.1:5000 cannot be received"):
        UdpFeed(UdpAddress("192.0.2.1", 5000), clock=SystemClock())
    with pytest.raises(UsageError, match="cannot be received"):
        UdpFeed(UdpAddress("239.255.77.1", 0, interface="no"), clock=SystemClock())


def test_who_stops_waiting_for_the_first_datagram_gets_no_feed():
    threads = []

    def spawn(name, run):
        threads.append(threading.Thread(target=run, name=name))
        threads[-1].start()

    with pytest.raises(FeedLost, match="the worker is stopping"):
        open_udp(UdpAddress("127.0.0.1", 0), clock=SystemClock(), spawn=spawn, stop=lambda: True)
    for thread in threads:
        thread.join()
