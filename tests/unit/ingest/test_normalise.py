"""Times of a feed become one time line that only goes on."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.ingest.normalise import Normaliser
from abr.model.media import Gap, Packet
from abr.model.time import NANO
from tests.fakes.packets import FLV, audio_track, interleaved, packet, pictures, sounds, video_track

S = 90_000
TRACKS = (video_track(), audio_track())


class Arrival:
    """When packets come."""

    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        return self.ns


def run(packets: list[Packet], normaliser: Normaliser | None = None) -> list[Packet | Gap]:
    normaliser = normaliser or Normaliser(TRACKS)
    return [made for item in packets for made in normaliser.push(item)]


def times(made: list[Packet | Gap], track: int) -> list[int]:
    return [item.dts for item in made if isinstance(item, Packet) and item.track == track]


def test_times_that_are_right_are_not_touched():
    packets = interleaved(pictures(7 * S, 50), sounds(7 * S, 90))
    normaliser = Normaliser(TRACKS)
    assert run(packets, normaliser) == packets
    assert not any(normaliser.stats().values())


def test_a_restart_of_both_tracks_is_one_jump_and_keeps_them_together():
    first = interleaved(pictures(50 * S, 50), sounds(50 * S + 900, 94))
    second = interleaved(pictures(0, 50), sounds(900, 94))
    normaliser = Normaliser(TRACKS)
    made = run(first + second, normaliser)
    assert times(made, 0) == [50 * S + 3600 * place for place in range(100)]
    # 94 packets of sound are 480 ticks longer than 2 s; the sound follows the picture's shift.
    assert times(made, 1)[94:] == [52 * S + 900 + 1920 * place for place in range(94)]
    assert {name: count for name, count in normaliser.stats().items() if count} == {"jumps": 1}


def test_packets_from_before_a_jump_that_come_after_it_keep_their_place():
    sound = sounds(10 * S, 100)
    before, after = interleaved(pictures(10 * S, 50), sound[:80]), sounds(0, 20)
    made = run([*before, *pictures(0, 3), *sound[80:94], *after, *pictures(3 * 3600, 20)])
    assert times(made, 0) == [10 * S + 3600 * place for place in range(73)]
    assert times(made, 1) == [10 * S + 1920 * place for place in range(94)] + [
        12 * S + 1920 * place for place in range(20)
    ]


def test_a_jump_forward_is_closed():
    normaliser = Normaliser(TRACKS)
    made = run(
        interleaved(pictures(0, 25), sounds(0, 47))
        + interleaved(pictures(50_000 * S, 25), sounds(50_000 * S, 47)),
        normaliser,
    )
    assert times(made, 0) == [3600 * place for place in range(50)]
    assert normaliser.stats()["jumps"] == 1


def test_a_pause_of_the_picture_alone_is_kept():
    normaliser = Normaliser(TRACKS)
    made = run(interleaved(pictures(0, 25) + pictures(4 * S, 25), sounds(0, 240)), normaliser)
    assert times(made, 0)[24:26] == [24 * 3600, 4 * S]
    assert normaliser.stats()["jumps"] == 0


def test_a_film_keeps_its_pauses_but_not_its_restarts():
    normaliser = Normaliser((video_track(),), film=True)
    made = run([*pictures(0, 2), *pictures(40 * S, 2), *pictures(0, 2)], normaliser)
    assert times(made, 0) == [0, 3600, 40 * S, 40 * S + 3600, 40 * S + 7200, 40 * S + 10_800]
    assert normaliser.stats()["jumps"] == 1


def test_33_bits_are_unwrapped_for_each_track():
    top = 1 << 33
    packets = interleaved(pictures(top - 7200, 10), sounds(top - 6000, 18))
    wrapped = [item._replace(pts=item.pts % top, dts=item.dts % top) for item in packets]
    normaliser = Normaliser(TRACKS)
    assert run(wrapped, normaliser) == packets
    assert normaliser.stats()["wraps"] == 2
    assert normaliser.stats()["jumps"] == 0


def test_32_bit_milliseconds_are_unwrapped():
    top = 1 << 32
    packets = [packet(top - 80 + 40 * place, duration=40) for place in range(6)]
    wrapped = [item._replace(pts=item.pts % top, dts=item.dts % top) for item in packets]
    assert run(wrapped, Normaliser((video_track(time_base=FLV),))) == packets


def test_one_damaged_time_does_not_move_what_follows():
    packets = pictures(6 * S, 50)
    damaged = packets[20]._replace(pts=2 * S, dts=2 * S)
    made = run([*packets[:20], damaged, *packets[21:]])
    assert made == packets


def test_missing_times_are_filled_in():
    normaliser = Normaliser(TRACKS)
    made = run(
        [
            packet(0, track=1, duration=1920),
            packet(None, track=1, duration=1920),
            packet(3840, track=1, pts=-1, duration=1920),
            packet(0),
            packet(3600, pts=-1),
        ],
        normaliser,
    )
    assert [(item.dts, item.pts) for item in made] == [
        (0, 0),
        (1920, 1920),
        (3840, 3840),
        (0, 0),
        (3600, None),
    ]
    assert normaliser.stats()["missing"] == 2


def test_without_decode_times_they_stay_below_the_presentation_times():
    shown = [0, 120, 40, 80, 240, 160]
    tracks = (video_track(time_base=FLV),)
    made = run([packet(None, pts=pts, duration=40) for pts in shown], Normaliser(tracks))
    assert [item.pts for item in made] == shown
    assert times(made, 0) == sorted(set(times(made, 0)))


def test_disordered_decode_times_go_up_by_one_tick():
    normaliser = Normaliser(TRACKS)
    made = run([packet(3600), packet(3600), packet(0), packet(7200)], normaliser)
    assert times(made, 0) == [3600, 3601, 3602, 7200]
    assert normaliser.stats()["disordered"] == 2


def test_a_presentation_time_far_from_its_decode_time_is_not_believed():
    made = run([packet(0), packet(3600, pts=400 * S), packet(7200)])
    assert [item.pts for item in made] == [0, 3600, 7200]


def test_a_hole_in_the_sound_is_named():
    packets = sounds(0, 10)
    made = run(packets[:4] + packets[8:])
    assert made == [*packets[:4], Gap(1, 4 * 1920, 8 * 1920), *packets[8:]]


def test_a_track_that_appears_late_joins_the_time_line():
    normaliser = Normaliser((video_track(),))
    run(pictures(50 * S, 2), normaliser)
    run(pictures(0, 2), normaliser)
    normaliser.change_tracks(TRACKS)
    made = run([*pictures(7200, 1), *sounds(7200, 2)], normaliser)
    assert times(made, 0) == [50 * S + 4 * 3600]
    assert times(made, 1) == [50 * S + 4 * 3600, 50 * S + 4 * 3600 + 1920]


def test_a_short_clip_in_a_loop_is_not_what_comes_twice():
    normaliser = Normaliser(TRACKS, now=Arrival())
    made = run(pictures(0, 25) * 8, normaliser)
    assert len(made) == 200
    assert normaliser.stats()["duplicates"] == 0


def test_what_comes_twice_is_left_out():
    normaliser = Normaliser(TRACKS, now=Arrival())
    packets = [item._replace(data=b"%d" % place) for place, item in enumerate(pictures(0, 20))]
    assert run([*packets, *packets[12:]], normaliser) == packets
    assert normaliser.stats()["duplicates"] == 8
    assert normaliser.stats()["disordered"] == normaliser.stats()["jumps"] == 0


def test_a_picture_shown_after_the_counter_began_again_is_not_damaged():
    """The first one behind a B-frame: decoded before 2^33, shown after it."""
    normaliser = Normaliser((video_track(),))
    made = run([packet(2**33 - 3600, pts=3600), packet(0, pts=0), packet(3600, pts=10_800)], normaliser)
    assert [(item.dts - 2**33, item.pts - 2**33) for item in made] == [(-3600, 3600), (0, 0), (3600, 10_800)]
    assert normaliser.stats()["disordered"] == 0


def test_the_time_of_a_damaged_packet_moves_nothing():
    normaliser = Normaliser(TRACKS)
    damaged = packet(500 * S, data=b"y")._replace(corrupt=True)
    made = run([*pictures(0, 3), damaged, *pictures(4 * 3600, 3)], normaliser)
    assert times(made, 0) == [3600 * place for place in range(7)]
    assert normaliser.stats()["jumps"] == 0


@pytest.mark.parametrize(("waited", "jumps", "pauses"), [(4, 0, 1), (0, 1, 0), (1, 1, 0)])
def test_a_step_forward_that_is_as_long_as_nothing_came_is_a_pause(waited, jumps, pauses):
    now = Arrival()
    normaliser = Normaliser(TRACKS, now=now)
    made = run(interleaved(pictures(0, 25), sounds(0, 47)), normaliser)
    now.ns += waited * NANO
    made += run(interleaved(pictures(5 * S, 25), sounds(5 * S, 47)), normaliser)
    stats = normaliser.stats()
    assert (stats["jumps"], stats["pauses"]) == (jumps, pauses)
    assert times(made, 0)[25] == (5 * S if pauses else S)
    assert times(made, 1)[47] - times(made, 0)[25] == 0 if pauses else True


def elsewhere(offset: int, begin: int = 50 * S, wait: int = 0) -> list[Packet]:
    """Pictures from `begin` on, and their sound on a clock that is `offset` ticks ahead and begins `wait` ticks later."""
    place = {0: 0, 1: offset}
    packets = interleaved(pictures(begin, 150), sounds(begin + wait, 280 - wait // 1920))
    return [
        item._replace(pts=item.dts + place[item.track], dts=item.dts + place[item.track]) for item in packets
    ]


@pytest.mark.parametrize("offset", [3600 * S, -3600 * S, 5 * S, -5 * S, -50 * S])
@pytest.mark.parametrize("wait", [0, 4 * S])
def test_a_track_whose_clock_starts_elsewhere_is_brought_to_the_others(offset, wait):
    """Once, from its first packet on; what follows keeps the distance that it has by arrival."""
    normaliser = Normaliser(TRACKS)
    made = run(elsewhere(offset, wait=wait), normaliser)
    first = times(made, 1)[0]
    assert abs(first - 50 * S - wait) <= 3600
    assert times(made, 1) == [first + 1920 * place for place in range(280 - wait // 1920)]
    assert times(made, 0) == [50 * S + 3600 * place for place in range(150)]
    assert normaliser.stats()["jumps"] == 1


@pytest.mark.parametrize("offset", [0, 19 * S // 10, -19 * S // 10])
def test_what_a_multiplexer_lets_lie_apart_stays_as_it_is(offset):
    """Below two seconds it is interleaving."""
    normaliser = Normaliser(TRACKS)
    packets = elsewhere(offset)
    assert run(packets, normaliser) == packets
    assert normaliser.stats()["jumps"] == 0


def test_sound_that_begins_seconds_later_and_comes_that_much_later_stays_where_it_is():
    normaliser = Normaliser(TRACKS)
    packets = interleaved(pictures(0, 500), sounds(8 * S, 300))
    assert run(packets, normaliser) == packets
    assert normaliser.stats()["jumps"] == 0


def test_a_film_keeps_the_distance_of_its_tracks():
    """Its packets may lie in any order in the file."""
    packets = [*pictures(0, 500), *sounds(0, 300)]
    assert run(packets, Normaliser(TRACKS, film=True)) == packets


def test_a_late_track_that_begins_at_0_joins_the_others():
    normaliser = Normaliser((video_track(),))
    run(pictures(3600 * S, 100), normaliser)
    normaliser.change_tracks(TRACKS)
    made = run(interleaved(pictures(3604 * S, 50), sounds(0, 94)), normaliser)
    assert times(made, 0) == [3604 * S + 3600 * place for place in range(50)]
    first = times(made, 1)[0]
    assert abs(first - 3604 * S) <= 3600
    assert times(made, 1) == [first + 1920 * place for place in range(94)]
    assert normaliser.stats()["jumps"] == 1


def test_a_track_with_a_clock_of_its_own_follows_a_jump_of_the_feed_and_keeps_its_pauses():
    """Both clocks go on elsewhere; then the picture pauses, which is no jump."""
    before, after = elsewhere(3600 * S), elsewhere(3600 * S, begin=9000 * S)
    pause = [item for item in after if item.track or not 20 <= (item.dts - 9000 * S) // 3600 < 100]
    normaliser = Normaliser(TRACKS)
    made = run(before + pause, normaliser)
    shown = times(made, 0)
    assert shown[:170] == [50 * S + 3600 * place for place in range(170)]
    assert shown[170] == 56 * S + 100 * 3600
    assert normaliser.stats()["jumps"] == 2


def test_a_track_that_begins_beyond_the_wrap_of_its_counter_is_not_elsewhere():
    top = 1 << 33
    shown, heard = pictures(top - S, 50), sounds(top + 900, 47)
    packets = [*shown[:24], *heard[:1], *shown[24:], *heard[1:]]
    wrapped = [item._replace(pts=item.pts % top, dts=item.dts % top) for item in packets]
    normaliser = Normaliser(TRACKS)
    assert run(wrapped, normaliser) == packets
    assert normaliser.stats()["jumps"] == 0
    assert normaliser.stats()["wraps"] == 2


def test_a_first_time_that_is_damaged_moves_nothing():
    for corrupt in (False, True):
        packets = interleaved(pictures(50 * S, 100), sounds(50 * S + 900, 180))
        place = next(place for place, item in enumerate(packets) if item.track)
        packets[place] = packets[place]._replace(dts=7, pts=7, corrupt=corrupt)
        made = run(packets, Normaliser(TRACKS))
        assert abs(times(made, 1)[0] - 50 * S) <= 3600
        assert times(made, 1)[3:] == [50 * S + 900 + 1920 * place for place in range(3, 180)]
        assert times(made, 0) == [50 * S + 3600 * place for place in range(100)]


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(-(2**40), 2**40)), max_size=40))
def test_whatever_comes_each_track_goes_on(steps):
    normaliser = Normaliser(TRACKS)
    last = [None, None]
    for track, dts in steps:
        for made in normaliser.push(packet(dts, track=track)):
            assert isinstance(made, Gap) or last[track] is None or made.dts > last[track]
            if isinstance(made, Packet):
                last[track] = made.dts


@given(st.lists(st.integers(-100, 100), min_size=1, max_size=8))
def test_any_row_of_restarts_goes_on_within_a_jump_of_its_pace(starts):
    """A restart near where an earlier time line would be now may be taken for that one: off by a second at most."""
    made = run(
        [item for start in starts for item in pictures(start * 7 * S, 50)], Normaliser((video_track(),))
    )
    assert all(0 < after - before <= 3600 + S for before, after in pairwise(times(made, 0)))
