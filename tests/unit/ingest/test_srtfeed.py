"""An SRT connection read as a file, over a socket that says what it is told to."""

from collections.abc import Callable

import pytest

from abr.formats.mpegts import PACKET
from abr.ingest.feed import Feed
from abr.ingest.libsrt import SrtError
from abr.ingest.srtfeed import SrtFeed, link_state
from abr.ingest.srtheader import Failure, Option, PerfMon
from abr.model.media import Kind
from abr.model.state import LinkState
from tests.fakes.clock import FakeClock
from tests.fakes.multiplex import AAC, AUDIO_PID, H264, VIDEO_PID, association, program_map, unit

OPENING = association() + program_map({VIDEO_PID: H264})
KEY = unit(VIDEO_PID, "key", access=True)
TIMED_OUT = SrtError(Failure.TIMED_OUT, "timed out")
LOST = SrtError(Failure.LOST, "lost")


class ToldSocket:
    """Gives messages, raises errors and calls functions, in the order that it was told; then it is lost."""

    def __init__(self, *script: bytes | tuple[bytes, ...] | SrtError | Callable[[], None]) -> None:
        self.script = list(script)
        self.connected = True
        self.closed = 0
        self.readings_taken = 0

    def set(self, option: Option, value: int) -> None:
        assert (option, value) == (Option.RCVTIMEO, 500)

    def number(self, option: Option) -> int:
        assert option is Option.RCVLATENCY
        return 120

    def receive(self) -> list[bytes]:
        while self.script:
            match self.script.pop(0):
                case bytes() as data:
                    return [data]
                case tuple() as messages:
                    return list(messages)
                case SrtError() as error:
                    raise error
                case act:
                    act()
        raise LOST

    def readings(self) -> PerfMon:
        if self.readings_taken:
            raise LOST
        self.readings_taken += 1
        return PerfMon(pktRecvTotal=7, msRTT=41.26, mbpsRecvRate=2.5)

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(monotonic=5)


def feed_of(
    clock: FakeClock, *script: bytes | tuple[bytes, ...] | SrtError | Callable[[], None]
) -> tuple[SrtFeed, ToldSocket]:
    link = ToldSocket(*script)
    return SrtFeed(link, name="srt from h:1", idle_ms=2000, silent_ms=1500, clock=clock), link


def read_all(feed: Feed, size: int = 32768) -> bytes:
    return b"".join(iter(lambda: feed.read(size), b""))


def later(clock: FakeClock, ms: int) -> Callable[[], None]:
    return lambda: clock.advance(ms * 1_000_000)


def test_messages_are_read_in_any_portions_and_counted(clock):
    feed, _ = feed_of(clock, OPENING, (KEY[:100], KEY[100:]))
    pieces = list(iter(lambda: feed.read(50), b""))
    assert b"".join(pieces) == OPENING + KEY
    assert max(map(len, pieces)) == 50
    assert (feed.stats().bytes, feed.stats().messages) == (3 * PACKET, 3)
    assert feed.read(50) == b""


def test_bytes_that_are_no_packets_are_counted(clock):
    feed, _ = feed_of(clock, OPENING + b"rubbish", KEY)
    read_all(feed)
    assert feed.stats().wrong == {"skipped": 7}


def test_a_publisher_that_closes_is_no_fault(clock):
    feed, _ = feed_of(clock, OPENING)
    assert read_all(feed) == OPENING
    assert feed.ended == "the publisher closed the connection"


def test_a_publisher_that_was_silent_before_is_lost(clock):
    feed, _ = feed_of(clock, OPENING, later(clock, 880), LOST)
    read_all(feed)
    assert feed.ended == "the connection was lost: nothing came for 880 ms"


def test_a_connection_without_media_ends_after_the_idle_time(clock):
    feed, _ = feed_of(
        clock, OPENING, TIMED_OUT, later(clock, 1999), TIMED_OUT, later(clock, 1), TIMED_OUT, KEY
    )
    assert read_all(feed) == OPENING
    assert feed.ended == "nothing came for 2000 ms"


def test_a_time_out_of_a_broken_connection_is_its_end(clock):
    feed, link = feed_of(clock, OPENING)
    link.script += [lambda: setattr(link, "connected", False), TIMED_OUT]
    read_all(feed)
    assert feed.ended == "the publisher closed the connection"


def test_other_failures_are_told_in_libsrts_words(clock):
    feed, _ = feed_of(clock, SrtError(3001, "no threads"))
    assert read_all(feed) == b""
    assert feed.ended == "the connection broke: no threads"


def test_a_fault_of_ours_ends_the_feed_and_is_kept(clock):
    def broken() -> None:
        raise LookupError("what")

    feed, _ = feed_of(clock, broken)
    assert read_all(feed) == b""
    assert feed.ended == "reading the publisher failed: LookupError('what')"


def test_abort_closes_the_connection_and_the_first_reason_stays(clock):
    feed, link = feed_of(clock, OPENING)
    feed.abort("enough")
    feed.abort("more than enough")
    assert (feed.read(10), feed.ended, link.closed) == (b"", "enough", 2)


def test_a_track_that_comes_late_asks_for_a_new_container(clock):
    sound = unit(AUDIO_PID, "s")
    tables = program_map({VIDEO_PID: H264, AUDIO_PID: AAC})
    feed, _ = feed_of(clock, OPENING, KEY, tables + sound + KEY + sound)
    assert feed.read(32768) + feed.read(32768) == OPENING + KEY
    feed.settle([Kind.VIDEO])
    assert (feed.read(32768), feed.reopen, feed.ended) == (b"", True, None)
    feed.restart()
    assert read_all(feed) == association() + tables + KEY + sound


def test_readings_are_taken_each_second_and_the_last_one_stays(clock):
    feed, link = feed_of(clock, OPENING, later(clock, 999), KEY, later(clock, 1), KEY)
    assert feed.stats().link == LinkState(latency=120)
    feed.read(1)
    assert link.readings_taken == 1
    read_all(feed)
    assert feed.stats().link == LinkState(latency=120, rtt=41.3, rate=2_500_000, packets=7)


def test_what_is_read_of_libsrts_readings():
    readings = PerfMon(
        pktRecvTotal=1,
        pktRcvLossTotal=2,
        pktRcvDropTotal=3,
        pktRcvUndecryptTotal=4,
        msRTT=0.04,
        mbpsRecvRate=0.1,
    )
    assert link_state(readings, 200) == LinkState(
        latency=200, rtt=0.0, rate=100_000, packets=1, lost=2, dropped=3, undecryptable=4
    )
