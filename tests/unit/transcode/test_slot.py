"""Slots since the epoch, and the rhythm of pictures in them."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.model.time import NANO
from abr.transcode.rhythm import Rhythm
from abr.transcode.slot import Slots
from tests.fakes.ladder import make_ladder

RATES = [Fraction(24), Fraction(25), Fraction(30_000, 1001), Fraction(60)]
MS = 1_000_000


@given(st.sampled_from(RATES), st.integers(0, 2**37))
def test_the_slot_nearest_to_its_own_beginning_is_itself(rate, slot):
    slots = Slots(make_ladder(rate))
    begin = slots.start_ns(slot)
    assert slots.nearest(begin) == slot
    assert slots.nearest(begin + slots.length * 49 // 100) == slot
    assert slots.nearest(begin + slots.length * 51 // 100) == slot + 1
    assert 0 <= Fraction(slot) / rate * NANO - begin < 1


@given(st.sampled_from(RATES), st.integers(0, 2 * 10**18))
def test_the_next_segment_begins_now_or_within_one_segment(rate, now):
    ladder = make_ladder(rate)
    slots = Slots(ladder)
    number = slots.next_segment(now)
    begin = slots.start_ns(slots.first_of(number))
    assert now - 1 <= begin < now + ladder.duration * NANO + 1
    assert Fraction(slots.first_of(number)) / rate == number * ladder.duration
    assert slots.is_key(slots.first_of(number))


def test_in_a_ladder_of_sound_alone_slots_are_frames_of_sound():
    slots = Slots(make_ladder(video=False))
    assert (slots.rate, slots.step) == (Fraction(375, 8), 1024)


def rhythm() -> tuple[Rhythm, Slots]:
    slots = Slots(make_ladder(25))
    return Rhythm(slots), slots


def test_the_first_picture_is_put_exactly_on_a_slot():
    made, _ = rhythm()
    assert made.correction(0, 1_000_000_007) == -7
    assert made.correction(40 * MS, 1_000_000_000) == 0


def test_a_small_step_in_a_steady_rhythm_is_taken_back():
    made, _ = rhythm()
    assert [made.correction(place * 40 * MS, 0) for place in range(30)] == [0] * 30
    assert made.correction(30 * 40 * MS + 7 * MS, 0) == -7 * MS
    assert made.correction(31 * 40 * MS + 7 * MS, 0) == 0


def test_a_lost_picture_is_no_break():
    made, _ = rhythm()
    times = [place * 40 * MS for place in (*range(30), *range(31, 40), *range(43, 50))]
    assert {made.correction(time, 0) for time in times} == {0}


@pytest.mark.parametrize("step", [33_333_333, 41_708_333, 16_666_667])
def test_other_rates_in_milliseconds_have_a_rhythm_of_their_own(step):
    made, _ = rhythm()
    times = [place * step // MS * MS for place in range(200)]
    assert {made.correction(time, 0) for time in times} == {0}


def test_after_a_pause_the_rhythm_begins_anew_on_a_slot():
    made, _ = rhythm()
    for place in range(30):
        made.correction(place * 40 * MS, 0)
    assert made.correction(10 * NANO + 11 * MS, 0) == -11 * MS


def test_a_picture_between_two_slots_stays_in_the_row():
    made, slots = rhythm()
    chosen = []
    for place in range(40):
        time = place * 40 * MS + place * MS * 6 // 10  # runs away by 0.6 ms a picture
        made.correction(time, 0)
        chosen.append(made.slot(time))
    assert chosen == [
        place if place * 6 // 10 < slots.length * 3 // 4 // MS else place + 1 for place in range(40)
    ]
