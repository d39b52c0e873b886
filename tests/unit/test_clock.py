"""The clock of a session follows the machine's, and never jumps."""

from itertools import pairwise

import pytest

from abr.clock import MediaClock
from tests.fakes.clock import NANO, FakeClock

MS = 1_000_000


def run(media: MediaClock, clock: FakeClock, seconds: int, *, slew: int = 0) -> list[int]:
    """What the media clock says each 100 ms; the wall clock runs `slew` ppm faster than the monotonic one."""
    seen = [media()]
    for _ in range(seconds * 10):
        clock.advance(100 * MS)
        clock.step(100 * slew)
        seen.append(media())
    return seen


def most(seen: list[int]) -> int:
    """The largest difference to the monotonic clock's 100 ms, ns."""
    return max(abs(after - before - 100 * MS) for before, after in pairwise(seen))


def test_a_clock_that_is_kept_is_the_wall_clock():
    clock = FakeClock()
    media = MediaClock(clock)
    assert run(media, clock, 100)[-1] == clock.wall()
    assert (media.steps, media.step) == (0, 0)


@pytest.mark.parametrize("seconds", [1, -1, 3600, -3600])
def test_a_wall_clock_that_is_set_is_told_of_and_followed_at_100_ppm(seconds):
    clock, told = FakeClock(), []
    media = MediaClock(clock, told.append)
    run(media, clock, 10)
    clock.step(seconds * NANO)
    before = media()
    seen = run(media, clock, 100)
    sign = 1 if seconds > 0 else -1
    assert (media.steps, told) == (1, [seconds * NANO])
    assert all(after > before for before, after in pairwise(seen))
    assert most(seen) <= 10_001  # 100 ppm of 100 ms
    assert seen[-1] - before - 100 * NANO == pytest.approx(sign * 10 * MS, abs=0.2 * MS)
    assert media.step == pytest.approx(seconds * NANO - sign * 10 * MS, abs=0.2 * MS)


def test_a_step_of_a_second_is_made_up_for_in_three_hours():
    clock = FakeClock()
    media = MediaClock(clock)
    clock.step(NANO)
    for _ in range(3 * 3600):
        clock.advance(NANO)
        media()
    assert abs(media.step) < MS


def test_a_clock_that_is_slewed_is_followed_and_is_no_step():
    clock = FakeClock()
    media = MediaClock(clock)
    seen = run(media, clock, 100, slew=500)
    assert media.steps == 0
    assert most(seen) <= 10_001
    assert media.step == pytest.approx(40 * MS, abs=0.2 * MS)
    for _ in range(1000):
        clock.advance(NANO)
        media()
    assert abs(media.step) < MS


def test_a_slew_that_a_crystal_needs_is_followed_within_a_millisecond():
    clock = FakeClock()
    media = MediaClock(clock)
    run(media, clock, 200, slew=50)
    assert abs(media.step) < MS


def test_an_hour_in_which_nobody_asked_changes_nothing():
    clock = FakeClock()
    media = MediaClock(clock)
    clock.advance(3600 * NANO)
    clock.step(300 * MS)
    assert media() == clock.wall() - 300 * MS
    assert media.steps == 0


class Hesitant(FakeClock):
    """Its thread is held up between two readings."""

    def __init__(self) -> None:
        super().__init__()
        self.pause = 0

    def wall(self) -> int:
        self.advance(self.pause)
        return super().wall()


def test_readings_that_do_not_belong_together_are_not_compared():
    clock = Hesitant()
    media = MediaClock(clock)
    clock.pause = 40 * MS
    for _ in range(20):
        clock.advance(NANO)
        media()
    clock.pause = 0
    clock.advance(NANO)
    assert media() == clock.wall()
    assert media.steps == 0
