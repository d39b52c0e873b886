"""A lost source is asked for again: how often, how long, and who is told. On a clock that only waiting moves."""

import math

import pytest

from abr.config.pull import PullAddress, parse_pull
from abr.errors import EncoderMissing, FeedLost, FeedRefused, FeedUnreadable, MediaError
from abr.model.time import NANO
from abr.worker import puller as module
from abr.worker.puller import Puller, Surroundings
from tests.fakes.clock import FakeClock
from tests.fakes.feed import SilentFeed
from tests.fakes.log import KeptLines


class Air:
    """A channel that remembers. It stops after `last` seconds."""

    def __init__(self, clock, last=10_000):
        self.clock, self.last = clock, last
        self.carried, self.failures, self.finished = 0, [], False
        self.raising = None
        self.urgent = math.inf

    def urgency(self):
        return self.urgent

    def carry(self, source):
        self.carried += 1
        if self.raising is not None:
            raise self.raising
        self.clock.advance(source.lasts * NANO)

    def take(self, feed):
        self.carry(feed)

    def pause(self, seconds):
        self.clock.wait(seconds)
        return self.clock.monotonic() >= self.last * NANO

    def lose(self, failure):
        self.failures.append(failure)

    def finish(self):
        self.finished = True


class Opened:
    """What `Pulled` would be: up for so many seconds, then gone in one way or another."""

    def __init__(self, lasts, *, live=True, failed=True, forbidden=False, late=False):
        self.lasts, self.live, self.failed, self.forbidden = lasts, live, failed, forbidden
        self.late = late
        self.stopped, self.ended, self.closed = False, "the connection broke", False

    def close(self):
        self.closed = True


@pytest.fixture
def run(monkeypatch):
    """Run a puller whose source opens as the given answers say, the last one again and again."""

    def go(address, *answers, last=10_000, raising=None, urgent=math.inf):
        clock, log = FakeClock(), KeptLines()
        air = Air(clock, last)
        air.raising, air.urgent, air.opened = raising, urgent, []
        given = list(answers)

        def opened(*arguments, watch):
            air.opened.append((clock.monotonic() // NANO, arguments[3], watch))
            answer = given.pop(0) if len(given) > 1 else given[0]
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(module, "Pulled", opened)
        puller = Puller(address, air, Surroundings(clock, log, None, chance=lambda: 0.0))
        puller.run()
        return air, [values for event, values in log.lines if event == "source lost"], clock, puller

    return go


LIVE = parse_pull("rtmp://host/live/hunter2")
FILM = parse_pull("https://host/film.mp4")


def test_a_live_source_that_is_not_there_is_asked_for_without_limit_and_each_time_says_so(run):
    air, lines, clock, _ = run(LIVE, FeedLost("rtmp://host/live: nobody listens there"), last=600)
    assert [line["seconds"] for line in lines[:7]] == [1, 2, 4, 8, 16, 30, 30]
    assert [line["attempt"] for line in lines] == list(range(1, len(lines) + 1))
    assert 600 * NANO <= clock.monotonic() <= 630 * NANO
    assert len(lines) == 24
    assert {line["source"] for line in lines} == {"rtmp://host/live"}
    assert (air.failures, air.carried) == ([], 0)


def test_a_good_minute_begins_with_the_shortest_pause_again(run):
    short, good = Opened(5), Opened(61)
    _, lines, _, _ = run(LIVE, short, short, short, good, short, FeedLost("gone"), last=120)
    assert [line["seconds"] for line in lines[:6]] == [1, 2, 4, 1, 2, 4]
    assert lines[0]["reason"] == "the connection broke"
    assert short.closed
    assert good.closed


def test_while_an_event_waits_it_is_asked_for_several_times_within_the_grace(run):
    _, lines, _, _ = run(LIVE, Opened(5), FeedLost("nobody"), last=40, urgent=5)
    assert [line["seconds"] for line in lines] == [1, 2, 4, 5, 5, 5, 5, 5, 5]


def test_no_source_is_asked_for_more_often_than_once_a_second(run):
    _, lines, _, _ = run(LIVE, FeedLost("nobody"), last=10, urgent=0.1)
    assert {line["seconds"] for line in lines} == {1}


def test_a_pause_ends_when_it_becomes_urgent(monkeypatch):
    clock, asked = FakeClock(), []

    def opened(*_, **__):
        asked.append(clock.monotonic() // NANO)
        raise FeedLost("nobody")

    class Waiting(Air):
        def urgency(self):
            return 5 if clock.monotonic() >= 40 * NANO else math.inf

    monkeypatch.setattr(module, "Pulled", opened)
    Puller(LIVE, Waiting(clock, 50), Surroundings(clock, KeptLines(), None, chance=lambda: 0.0)).run()
    assert asked == [0, 1, 3, 7, 15, 31, 40, 45]


def test_another_track_that_comes_opens_it_anew_at_once_with_what_was_there(run):
    air, lines, _, _ = run(LIVE, Opened(5, late=True), Opened(100), last=200)
    past = air.opened[0][1]
    assert air.opened == [(0, past, True), (5, past, True), (106, past, True)]
    assert [line["seconds"] for line in lines] == [1]  # for the one that broke


def test_a_track_that_opening_anew_never_brings_is_not_waited_for(run):
    late = Opened(5, late=True)
    air, _, _, _ = run(LIVE, late, late, late, Opened(100), late, last=120)
    assert [watch for *_, watch in air.opened] == [True, True, True, False, True]
    air, _, _, _ = run(LIVE, Opened(61, late=True), last=600)
    assert all(watch for *_, watch in air.opened)


def test_a_live_source_that_cannot_be_read_now_may_be_readable_later(run):
    for error in (FeedUnreadable("no media"), MediaError("no picture")):
        air, lines, _, _ = run(LIVE, error, last=10)
        assert (air.failures, len(lines)) == ([], 4)


def test_what_was_refused_is_not_asked_for_again(run):
    for answer in (FeedRefused("it leads to file:"), Opened(1, forbidden=True)):
        air, lines, _, _ = run(parse_pull("https://host/live.m3u8"), answer)
        assert lines == []
        assert len(air.failures) == 1


def test_a_missing_encoder_ends_the_worker(run):
    air, lines, _, _ = run(LIVE, Opened(1), raising=EncoderMissing("no encoder"))
    assert lines == []
    assert [type(failure) for failure in air.failures] == [EncoderMissing]


def test_the_end_of_a_film_is_the_end_of_the_event(run):
    air, lines, _, _ = run(FILM, Opened(100, live=False, failed=False))
    assert (air.finished, air.failures, lines) == (True, [], [])


def test_the_end_of_a_live_playlist_is_the_end_of_the_event(run):
    air, _, _, _ = run(parse_pull("http://host/live.m3u8"), Opened(5), Opened(5, live=False, failed=False))
    assert (air.finished, air.carried) == (True, 2)


def test_a_film_that_is_not_there_or_breaks_off_for_good_is_a_failure(run):
    for answer in (FeedLost("nobody"), Opened(5, live=False)):
        air, lines, _, _ = run(FILM, answer)
        assert (len(air.failures), lines, air.finished) == (1, [], False)
    assert str(air.failures[0]) == "--pull https://host/film.mp4: the connection broke"


def test_ctrl_c_during_a_pause_ends_it_at_once(run):
    air, lines, clock, _ = run(LIVE, FeedLost("nobody"), last=3)
    assert (clock.monotonic() // NANO, len(lines), air.failures) == (3, 2, [])


def test_nothing_fails_because_the_worker_stops(run):
    air, lines, _, _ = run(FILM, Opened(50, live=False), last=20)
    assert (air.failures, lines, air.finished) == ([], [], False)


def test_status_counts_down_to_the_next_attempt(monkeypatch):
    clock = FakeClock()
    seen = []

    class Watched(Air):
        def pause(self, seconds):
            for _ in range(int(seconds)):
                seen.append(puller.state)
                self.clock.advance(NANO)
            return len(seen) >= 6

    def refuse(*_, **__):
        raise FeedLost("nobody listens there")

    monkeypatch.setattr(module, "Pulled", refuse)
    puller = Puller(LIVE, Watched(clock), Surroundings(clock, KeptLines(), None, chance=lambda: 0.0))
    assert puller.state == ""
    puller.run()
    assert seen[:3] == [
        "reconnecting in 1 s, attempt 1, because nobody listens there",
        "reconnecting in 2 s, attempt 2, because nobody listens there",
        "reconnecting in 1 s, attempt 2, because nobody listens there",
    ]
    assert puller.state == ""


def test_status_says_what_is_being_opened(monkeypatch):
    clock, seen = FakeClock(), []

    def look(*_, **__):
        seen.append(puller.state)
        raise FeedRefused("no")

    monkeypatch.setattr(module, "Pulled", look)
    puller = Puller(LIVE, Air(clock), Surroundings(clock, KeptLines(), None))
    puller.run()
    assert (seen, puller.state) == (["waiting for rtmp://host/live"], "")


def test_a_port_for_datagrams_is_open_again_after_a_second_whatever_went_before(monkeypatch):
    def opened(*_, **__):
        feed = SilentFeed()
        feed.lasts = 2
        return feed

    monkeypatch.setattr(module, "open_udp", opened)
    clock, log = FakeClock(), KeptLines()
    Puller(
        parse_pull("udp://127.0.0.1:5000"), Air(clock, 30), Surroundings(clock, log, None, chance=lambda: 0.0)
    ).run()
    assert {values["seconds"] for event, values in log.lines if event == "source lost"} == {1}


def test_a_url_that_turned_out_to_be_live_is_waited_for(run):
    air, lines, _, _ = run(parse_pull("http://host/radio"), Opened(5), FeedLost("nobody"), last=20)
    assert (air.failures, [line["reason"] for line in lines[:2]]) == ([], ["the connection broke", "nobody"])


def test_an_srt_listener_that_says_no_may_say_yes_later(monkeypatch):
    def refused(*_, **__):
        raise FeedRefused("srt://host:9000 refuses: unknown stream id")

    monkeypatch.setattr("abr.ingest.srt.open_srt_caller", refused)
    clock, log = FakeClock(), KeptLines()
    air = Air(clock, 10)
    address = parse_pull("srt://host:9000?streamid=cam&passphrase=hunter2hunter2")
    Puller(address, air, Surroundings(clock, log, None, chance=lambda: 0.0)).run()
    reasons = {values["reason"] for event, values in log.lines if event == "source lost"}
    assert (reasons, air.failures) == ({"srt://host:9000 refuses: unknown stream id"}, [])


def test_a_path_is_no_live_source():
    assert not PullAddress().awaited
