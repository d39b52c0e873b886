"""A pulled file goes at the pace of its own clock."""

from abr.ingest.pull import PulledFeed
from abr.model.media import Gap
from tests.fakes.packets import audio_track, interleaved, packet, pictures, sounds, video_track

MS = 1_000_000
TRACKS = (video_track(), audio_track())


class Time:
    """A clock that only waiting moves."""

    def __init__(self, now: int = 5_000 * MS) -> None:
        self.ns = now
        self.end: int | None = None

    def now(self) -> int:
        return self.ns

    def wait(self, ns: int) -> bool:
        self.ns += ns
        return self.end is None or self.ns < self.end


def test_each_packet_comes_at_its_time_and_never_earlier():
    time = Time()
    packets = interleaved(pictures(90_000, 25), sounds(90_000, 47))
    got = [(item, time.ns) for item in PulledFeed(packets, TRACKS, time.now, time.wait)]
    assert [item for item, _ in got] == packets
    assert [at for _, at in got] == [5_000 * MS + (item.dts - 90_000) * 100_000 // 9 for item in packets]


def test_gaps_and_packets_without_a_time_do_not_wait():
    time = Time()
    items = [packet(0), Gap(1, 0, 90_000), packet(None), packet(3600)]
    assert list(PulledFeed(items, TRACKS, time.now, time.wait)) == items
    assert time.ns == 5_040 * MS


def test_a_reader_that_fell_behind_goes_on_at_the_pace_and_not_in_a_burst():
    time = Time()
    feed = PulledFeed(pictures(0, 4), TRACKS, time.now, time.wait)
    times = []
    for place, _ in enumerate(feed):
        times.append(time.ns // MS)
        if place == 1:
            time.ns += 3_000 * MS
    assert times == [5000, 5040, 8040, 8080]
    assert feed.late == 1


def test_a_small_delay_is_caught_up():
    time = Time()
    feed = PulledFeed(pictures(0, 5), TRACKS, time.now, time.wait)
    times = []
    for place, _ in enumerate(feed):
        times.append(time.ns // MS)
        if place == 1:
            time.ns += 70 * MS
    assert times == [5000, 5040, 5110, 5120, 5160]


def test_it_ends_when_the_wait_says_so():
    time = Time()
    time.end = 5_100 * MS
    feed = PulledFeed(pictures(0, 25), TRACKS, time.now, time.wait)
    assert len(list(feed)) == 3
    assert feed.stopped


def test_a_reader_that_is_always_too_late_ends_within_one_packet_of_the_stop():
    time = Time()
    feed = PulledFeed(pictures(0, 1_000), TRACKS, time.now, time.wait)
    after = 0
    for place, _ in enumerate(feed):
        time.ns += 41 * MS
        after += time.end is not None
        if place == 100:
            time.end = time.ns
    assert (after, feed.stopped) == (0, True)


def test_packets_that_are_only_decoded_take_no_time():
    time = Time()
    before = [one._replace(hidden=True) for one in pictures(0, 50)]
    packets = [*before, *pictures(50 * 3600, 2)]
    assert list(PulledFeed(packets, TRACKS, time.now, time.wait)) == packets
    assert time.ns == 5_040 * MS


def test_a_track_that_lies_far_behind_another_in_the_file_slows_nothing_down():
    time = Time()
    late = [
        item for place in range(4) for item in (packet(270_000 + 3600 * place), packet(3600 * place, track=1))
    ]
    feed = PulledFeed(late, (video_track(), video_track(1)), time.now, time.wait)
    assert list(feed) == late
    assert (time.ns, feed.late) == (5_120 * MS, 0)
