"""Sound and picture stay together, whatever the clock of the feed and the network do."""

import random
from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import pairwise
from statistics import fmean

import pytest

from abr.model.media import Kind, Track
from abr.model.time import NANO
from abr.transcode.grid import LiveGrid
from tests.fakes.ladder import make_ladder
from tests.fakes.sync import Judge, Made, feed

MS = 1_000_000
NOON = 1_788_027_300 * NANO + 123_456_789
HOLD = NANO


def tracks(base: int) -> tuple[Track, ...]:
    unit = Fraction(1, base)
    return (
        Track(0, Kind.VIDEO, "h264", unit, width=64, height=32),
        Track(1, Kind.AUDIO, "aac", unit, sample_rate=48_000, channels=2),
    )


def clock(ppm: int) -> Callable[[int], int]:
    """When what was made at a feed time is sent: the feed's clock runs so much slower than ours."""
    return lambda time: NOON + time + time * ppm // 1_000_000


def air(
    items: Iterable[Made], come: Callable[[int], int], fps: int, *, base: int = 90_000
) -> tuple[LiveGrid, Judge]:
    """Push each item when it comes; nothing overtakes."""
    grid, judge, now = LiveGrid(make_ladder(fps), hold=HOLD), Judge(fps), 0
    grid.begin_feed(tracks(base))
    for made in items:
        now = max(now, come(made.time))
        judge.see(grid.push(made.item, now))
    return grid, judge


def settled(judge: Judge, fps: int, seconds: int = 5) -> list[int]:
    return judge.errors[fps * seconds :]


@pytest.mark.parametrize("seconds", [10, pytest.param(30, marks=pytest.mark.thorough)])
@pytest.mark.parametrize(("fps", "base"), [(25, 90_000), (30, 1000), (50, 1000)])
def test_without_drift_sound_and_picture_are_within_5_ms(fps, base, seconds):
    grid, judge = air(feed(fps, seconds, base=base, piece=960), clock(0), fps, base=base)
    assert len(judge.errors) > (seconds - 5) * fps
    assert max(map(abs, judge.errors)) <= 5 * MS
    assert (judge.slips, grid.stats()["moved"], grid.stats()["stretched"]) == ([], 0, 0)


def check_drift(judge: Judge, fps: int) -> None:
    """Half a frame and 5 ms at any instant; 5 ms in the mean between two slips."""
    errors = settled(judge, fps)
    assert max(map(abs, errors)) <= NANO // fps // 2 + 5 * MS
    assert all(after - before > fps for before, after in pairwise(judge.slips))
    means = [fmean(judge.errors[before:after]) for before, after in pairwise(judge.slips)]
    assert all(abs(mean) <= 5 * MS for mean in means)


@pytest.mark.parametrize(
    ("ppm", "seconds"),
    [
        pytest.param(1000, 200, marks=pytest.mark.thorough),
        pytest.param(-1000, 200, marks=pytest.mark.thorough),
    ],
)
def test_a_clock_that_runs_wrong_moves_sound_and_picture_together(ppm, seconds):
    grid, judge = air(feed(25, seconds), clock(ppm), 25)
    check_drift(judge, 25)
    assert len(judge.slips) >= (2 if seconds > 150 else 1)
    assert grid.stats()["dropped"] == grid.stats()["silence"] == grid.stats()["cut"] == 0
    assert grid.drift == pytest.approx(ppm * 1000, rel=0.1)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("ppm", "fps", "base"), [(200, 25, 90_000), (-200, 30, 1000), (-200, 25, 90_000)])
def test_three_hours_of_drift(ppm, fps, base):
    grid, judge = air(feed(fps, 3 * 3600, base=base), clock(ppm), fps, base=base)
    check_drift(judge, fps)
    expected = 3 * 3600 * abs(ppm) * fps // 1_000_000
    assert abs(len(judge.slips) - expected) <= 2
    stats = grid.stats()
    assert stats["dropped"] == stats["silence"] == stats["cut"] == 0
    assert stats["anchored"] == 1


def jitter(most: int) -> Callable[[int], int]:
    """The same in each test, whichever ran before: it begins anew with the first item."""
    chance = random.Random(7)

    def come(time: int) -> int:
        if not time:
            chance.seed(7)
        return NOON + time + chance.randrange(most)

    return come


def bunches(time: int) -> int:
    """What was made in a second comes at its end."""
    return NOON + (time // NANO + 1) * NANO


def slow_start(time: int) -> int:
    """What was made in the first ten seconds comes at half the pace, all later at twice the pace until made up for."""
    return NOON + max(time, min(2 * time, 4 * NANO + time // 2))


@pytest.mark.parametrize("seconds", [75, pytest.param(200, marks=pytest.mark.thorough)])
@pytest.mark.parametrize("come", [jitter(200 * MS), bunches], ids=["jitter", "bunches"])
def test_a_network_that_is_not_even_moves_nothing(come, seconds):
    grid, judge = air(feed(25, seconds), come, 25)
    errors = settled(judge, 25, 20)
    assert max(map(abs, errors)) <= 5 * MS
    assert grid.stats()["moved"] <= 1
    assert len([place for place in judge.slips if place > 25 * 20]) <= 1


@pytest.mark.thorough  # in short: tests of the drift alone
def test_what_a_slow_start_cost_is_made_up_for_softly():
    """The offset was chosen while everything was late: what is too much of it goes picture by picture."""
    grid, judge = air(feed(25, 200), slow_start, 25)
    errors = settled(judge, 25, 20)
    assert max(map(abs, errors)) <= 25 * MS
    late = [place for place in judge.slips if place > 25 * 20]
    assert len(late) == grid.stats()["moved"] == 3
    assert all(after - before >= 990 for before, after in pairwise(late))


@pytest.mark.thorough
@pytest.mark.parametrize("uneven", [jitter(200 * MS), bunches], ids=["jitter", "bunches"])
@pytest.mark.parametrize("ppm", [200, pytest.param(-200, marks=pytest.mark.soak)])
def test_drift_is_found_in_jitter_and_bunches(ppm, uneven):
    sent = clock(ppm)
    grid, judge = air(feed(25, 1800), lambda time: sent(uneven(time) - NOON), 25)
    assert max(map(abs, settled(judge, 25))) <= 25 * MS
    assert all(after - before > 250 for before, after in pairwise(judge.slips))
    stats = grid.stats()
    assert stats["dropped"] == stats["silence"] == 0
    assert stats["anchored"] == 1
    assert 7 <= len(judge.slips) <= 10  # 360 ms are nine frames


@pytest.mark.thorough  # in short: test_drift.py
def test_a_jam_of_half_a_minute_is_not_followed():
    def come(time: int) -> int:
        return NOON + time + (300 * MS if 400 * NANO < time < 430 * NANO else 0)

    grid, judge = air(feed(25, 600), come, 25)
    assert judge.slips == []
    assert grid.stats()["moved"] == 0


@pytest.mark.parametrize(
    ("begins", "ends", "seconds"), [(40, 60, 80), pytest.param(100, 150, 200, marks=pytest.mark.thorough)]
)
def test_sound_that_is_gone_for_a_while_moves_nothing(begins, ends, seconds):
    """Sound comes 300 ms after its pictures; without it the pictures stay where they are."""
    made = [one for one in feed(25, seconds) if one.item.track == 0 or not begins < one.time / NANO < ends]
    events = sorted((NOON + one.time + one.item.track * 300 * MS, place) for place, one in enumerate(made))
    grid, judge = LiveGrid(make_ladder(25), hold=HOLD), Judge(25)
    grid.begin_feed(tracks(90_000))
    for now, place in events:
        judge.see(grid.push(made[place].item, now))
    assert max(map(abs, judge.errors)) <= 5 * MS
    assert (grid.stats()["moved"], grid.stats()["anchored"]) == (0, 1)
