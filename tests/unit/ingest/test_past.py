"""What an encoder sends again after it reconnected is recognised; what only looks alike is not lost."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.ingest.normalise import Normaliser
from abr.ingest.past import Past
from abr.model.media import Packet
from abr.model.time import NANO
from tests.fakes.packets import FLV, audio_track, packet, video_track

MS = 1_000_000
TRACKS = (video_track(time_base=FLV), audio_track(time_base=FLV))


def media(
    first: int, last: int, *, zero: int = 0, tracks: tuple[int, ...] = (0, 1), still: bool = False
) -> list[Packet]:
    """Seconds [first, last) of a programme of 25 fps with a key picture each 2 s; its time `zero` s is 0."""
    made = (one for second in range(first, last) for one in second_of(second, zero, still=still))
    return [one for one in made if one.track in tracks]


@cache
def second_of(second: int, zero: int, *, still: bool) -> list[Packet]:
    packets = []
    for at in range(second * 1000, second * 1000 + 1000, 40):
        number = at // 40
        data = b"still %d" % (number % 50) if still else b"picture %d" % number
        packets.append(packet(at - zero * 1000, duration=40, key=number % 50 == 0, data=data))
        packets.append(
            packet(
                at - zero * 1000,
                track=1,
                duration=40,
                key=True,
                data=b"hush" if still else b"sound %d" % number,
            )
        )
    return packets


class Air:
    """Feeds one after another, as a channel reads them."""

    def __init__(self) -> None:
        self.now = 0
        self.past = Past()
        self.stats: dict[str, int] = {}

    def read(self, packets: list[Packet], *, pace: float, tracks=TRACKS, opening: int = 0) -> list[Packet]:
        """A feed that comes so many times as fast as it is played; what is left of it.

        While it is opened so many ms of it are read, and come at once then.
        """
        normaliser = Normaliser(tracks, now=lambda: self.now, past=self.past, opened=self.now)
        made, start = [], self.now
        for one in packets:
            self.now = start + int(max(one.dts - packets[0].dts, opening) * MS / pace)
            made += normaliser.push(one)
        self.stats = normaliser.stats()
        return [one for one in made if isinstance(one, Packet)]

    def wait(self, seconds: int) -> None:
        self.now += seconds * NANO


def datas(packets: list[Packet]) -> list[bytes]:
    return [bytes(one.data) for one in packets if not one.hidden]


def hidden(packets: list[Packet]) -> list[bytes]:
    return [bytes(one.data) for one in packets if one.hidden]


@pytest.mark.parametrize("zero", [0, 11, 3600])
def test_a_backlog_that_was_here_is_left_out_whatever_its_times_are(zero):
    air = Air()
    air.read(media(0, 41), pace=1)
    air.wait(3)
    made = air.read(media(12, 60, zero=zero), pace=4)
    assert datas(made) == datas(media(41, 60))
    # Decoding goes on in the middle of a group of pictures: it is made again, and not shown.
    assert hidden(made) == datas(media(40, 41, tracks=(0,)))
    assert air.stats["replayed"] == len(media(12, 41))
    shown = next(one for one in made if not one.hidden and one.track == 0)
    assert shown.dts == 41_000 - zero * 1000


def test_a_backlog_that_ends_at_a_key_picture_needs_none_of_it():
    air = Air()
    air.read(media(0, 40), pace=1)
    made = air.read(media(10, 50), pace=4)
    assert (hidden(made), datas(made)) == ([], datas(media(40, 50)))


def test_sound_alone_is_recognised_too():
    air, tracks = Air(), (audio_track(0, time_base=FLV),)
    heard = [one._replace(track=0) for one in media(0, 60, tracks=(1,))]
    air.read(heard[:1000], pace=1, tracks=tracks)
    made = air.read(heard[250:], pace=4, tracks=tracks)
    assert datas(made) == datas(heard[1000:])


def test_a_backlog_that_was_not_here_passes():
    air = Air()
    air.read(media(0, 20), pace=1)
    assert air.read(media(20, 60), pace=4) == media(20, 60)
    assert air.stats["replayed"] == 0


def test_a_file_that_is_played_once_more_is_shown_once_more():
    air = Air()
    air.read(media(0, 30), pace=1)
    air.wait(3)
    assert datas(air.read(media(0, 30), pace=1)) == datas(media(0, 30))
    assert air.stats["replayed"] == 0


@pytest.mark.parametrize("pace", [2, 3, 10])
def test_what_is_read_while_it_is_opened_says_nothing_of_its_pace(pace):
    air = Air()
    air.read(media(0, 41), pace=1)
    assert datas(air.read(media(20, 60), pace=pace, opening=3000)) == datas(media(41, 60))


def test_a_file_that_is_played_once_more_is_known_as_soon_as_something_is_waited_for():
    air = Air()
    air.read(media(0, 30), pace=1)
    air.wait(3)
    assert datas(air.read(media(0, 30), pace=1, opening=1500)) == datas(media(0, 30))


def test_a_still_picture_and_silence_are_no_backlog():
    air = Air()
    air.read(media(0, 30, still=True), pace=1)
    assert datas(air.read(media(0, 30, still=True), pace=4)) == datas(media(0, 30, still=True))


def test_a_programme_that_only_begins_like_the_one_before_is_shown():
    air = Air()
    air.read(media(0, 30), pace=1)
    other = [*media(0, 1), *(one._replace(data=b"other " + one.data) for one in media(1, 30))]
    assert datas(air.read(other, pace=4)) == datas(other)


def test_what_was_lost_on_the_way_the_first_time_is_left_out_too():
    air = Air()
    damaged = media(0, 40)
    del damaged[600:603]
    air.read(damaged, pace=1)
    assert datas(air.read(media(10, 50), pace=4)) == datas(media(40, 50))


def test_a_second_reconnection_sends_again_what_two_feeds_brought():
    air = Air()
    air.read(media(0, 30), pace=1)
    air.read(media(20, 36), pace=4)
    assert datas(air.read(media(20, 50), pace=4)) == datas(media(36, 50))


def test_after_five_minutes_nobody_sends_a_backlog():
    air = Air()
    air.read(media(0, 30), pace=1)
    air.wait(400)
    assert datas(air.read(media(0, 30), pace=4)) == datas(media(0, 30))


def test_only_a_minute_is_remembered():
    air = Air()
    air.read(media(0, 100), pace=1)
    assert len(air.past) == pytest.approx(60 * 50, abs=2)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 40), st.integers(1, 8)), max_size=3))
def test_whatever_feeds_follow_nothing_new_is_lost(feeds):
    """Feeds of a programme that goes on; each may begin in what was there. Each is followed by a new key picture."""
    air, reached, seen = Air(), 0, set()
    for back, length, pace in feeds:
        first = max(0, reached - 2 * back)
        made = air.read(media(first, max(reached, first) + 2 * (length // 2) + 2), pace=pace)
        new = datas(media(reached, max(reached, first) + 2 * (length // 2) + 2))
        assert set(new) <= set(datas(made))
        seen.update(new)
        reached = max(reached, first) + 2 * (length // 2) + 2
