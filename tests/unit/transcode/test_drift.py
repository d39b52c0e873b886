"""The delay of a feed's quickest items, and an offset that goes with it softly."""

import random
from itertools import pairwise

import pytest

from abr.model.time import NANO
from abr.transcode.drift import Drift, Point, level

MS = 1_000_000


def points(*delays: int) -> list[Point]:
    return [Point(place * 5 * NANO, delay * MS) for place, delay in enumerate(delays)]


def test_a_level_row_is_its_own_level():
    assert level(points(7, 7, 7, 7), 15 * NANO) == (7 * MS, 0)


def test_what_the_network_adds_is_not_counted():
    delay, spread = level(points(0, 40, 0, 90, 20, 0, 30), 30 * NANO)
    assert delay == 0
    assert spread == 180 * MS // 7


def test_a_row_that_rises_goes_on():
    assert level(points(0, 10, 20, 30), 20 * NANO) == (40 * MS, 0)


def test_noise_above_a_slope_does_not_hide_it():
    chance = random.Random(3)
    rows = points(*(place + (chance.randrange(50) if place % 3 else 0) for place in range(61)))
    assert level(rows, 300 * NANO)[0] == pytest.approx(60 * MS, abs=MS)


def offsets(delay, seconds: int, hold: int = NANO) -> list[int]:
    """The offset at each second; one item a tenth of a second, `delay` ns late."""
    drift = Drift(hold)
    drift.begin(delay(0))
    made = []
    for tenth in range(seconds * 10):
        time = tenth * NANO // 10
        drift.see(time, time + delay(time), picture=True)
        if tenth % 10 == 0:
            made.append(drift.at(time))
    return made


def test_without_drift_nothing_moves():
    assert set(offsets(lambda _: 5 * MS, 300)) == {5 * MS}


@pytest.mark.parametrize("ppm", [50, 200, -200, 1000])
def test_drift_is_followed_after_a_minute_and_never_faster_than_1000_ppm(ppm):
    made = offsets(lambda time: time * ppm // 1_000_000, 600)
    assert set(made[:55]) == {0}
    wrong = [offset - second * ppm * 1000 for second, offset in enumerate(made)]
    assert max(map(abs, wrong)) <= 95 * abs(ppm) * 1000 + 10 * MS  # a minute, and 30 s of following
    assert all(abs(after - before) <= MS + 1 for before, after in pairwise(made))


def test_too_much_spare_time_is_given_up_slowly():
    """The first items came two seconds late; a quarter of the hold may stay."""
    made = offsets(lambda time: 2 * NANO - min(time, 2 * NANO), 2400)
    assert made[0] == 2 * NANO
    assert 250 * MS <= made[-1] <= 256 * MS
    assert all(-MS - 1 <= after - before <= 0 for before, after in pairwise(made))


def test_a_jam_of_half_a_minute_is_not_followed():
    assert set(offsets(lambda time: 300 * MS if 100 * NANO < time < 130 * NANO else 0, 200)) == {0}


def test_a_move_is_kept():
    drift = Drift(NANO)
    drift.begin(0)
    for tenth in range(3000):
        time = tenth * NANO // 10
        if tenth == 1000:
            drift.move(-7 * MS)
        drift.see(time, time, picture=True)
    assert drift.at(300 * NANO) == -7 * MS
    assert drift.moved == 0


def test_the_way_is_remembered_for_sound_that_comes_later():
    drift = Drift(NANO)
    drift.begin(0)
    seen = {}
    for tenth in range(3000):
        time = tenth * NANO // 10
        drift.see(time, time + time * 500 // 1_000_000, picture=True)
        seen[time] = drift.at(time)
    late = [time for time in seen if time > 290 * NANO]
    assert [drift.at(time) for time in late] == [seen[time] for time in late]
