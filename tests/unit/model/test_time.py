"""Ticks, timescales and the segment grid."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.model.time import (
    NANO,
    Grid,
    key_interval,
    rescale,
    seconds,
    segment_duration,
    video_timescale,
)

NTSC = Fraction(30_000, 1001)
FILM = Fraction(24_000, 1001)
RATES = st.sampled_from([Fraction(24), Fraction(25), Fraction(30), Fraction(50), Fraction(60), NTSC, FILM])


@pytest.mark.parametrize(
    ("ticks", "source", "target", "there"),
    [(1, 2, 1, 1), (-1, 2, 1, 0), (3600, 90_000, 48_000, 1920), (1001, 30_000, 90_000, 3003), (1, 3, 1, 0)],
)
def test_rescaling_goes_to_the_nearest_and_ties_up(ticks, source, target, there):
    assert rescale(ticks, source, target) == there


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**6), st.integers(1, 10**6))
def test_rescaling_is_off_by_half_a_tick_at_most(ticks, source, target):
    exact = Fraction(ticks * target, source)
    assert Fraction(-1, 2) < rescale(ticks, source, target) - exact <= Fraction(1, 2)


def test_seconds_are_exact():
    assert seconds(1001, 30_000) == Fraction(1001, 30_000)


@pytest.mark.parametrize(
    ("rate", "timescale"),
    [
        (Fraction(24), 90_000),
        (Fraction(25), 90_000),
        (NTSC, 90_000),
        (Fraction(60), 90_000),
        (Fraction(25, 2), 90_000),
        (FILM, 24_000),
        (2 * NTSC, 60_000),
        (Fraction(7), 24_003),
    ],
)
def test_a_frame_lasts_whole_ticks(rate, timescale):
    assert video_timescale(rate) == timescale
    assert (timescale / rate).denominator == 1


@pytest.mark.parametrize(
    ("target", "rates", "duration"),
    [
        (2, [25], Fraction(192, 100)),
        (2, [50, 25], Fraction(192, 100)),
        (3, [25], Fraction(288, 100)),
        (4, [25], Fraction(384, 100)),
        (2, [30], Fraction(16, 10)),
        (2, [60, 30], Fraction(16, 10)),
        (3, [30], Fraction(32, 10)),
        (2, [24], Fraction(8, 3)),
        (2, [NTSC], Fraction(1001, 500)),
        (2, [FILM], Fraction(1001, 500)),
        (2, [], Fraction(1984, 1000)),
    ],
)
def test_segments_are_whole_frames_of_picture_and_sound(target, rates, duration):
    found = segment_duration(Fraction(target), [Fraction(rate) for rate in rates], [48_000])
    assert found == duration


@given(st.fractions(1, 8, max_denominator=100), st.lists(RATES, min_size=1, max_size=1))
def test_every_rung_has_whole_frames_in_a_segment_and_in_a_key_interval(target, rates):
    duration = segment_duration(target, rates, [48_000])
    interval = key_interval(duration, rates)
    assert all((duration * rate).denominator == 1 for rate in rates)
    assert all((interval * rate).denominator == 1 for rate in rates)
    assert (duration / interval).denominator == 1


@pytest.mark.parametrize(
    ("duration", "rates", "interval"),
    [(Fraction(48, 25), [25], Fraction(48, 25)), (Fraction(96, 25), [25], Fraction(48, 25)), (Fraction(16, 5), [30], Fraction(8, 5)), (Fraction(8, 3), [24], Fraction(4, 3)), (Fraction(1001, 500), [NTSC], Fraction(1001, 1000))],
)  # fmt: skip
def test_key_frames_come_at_least_every_two_seconds(duration, rates, interval):
    assert key_interval(duration, [Fraction(rate) for rate in rates]) == interval


@given(
    st.sampled_from([Fraction(48, 25), Fraction(1001, 500), Fraction(8, 3), Fraction(8, 5)]),
    st.integers(0, 10**9),
    st.sampled_from([90_000, 48_000, 60_000, NANO]),
)
def test_a_segment_begins_at_its_first_tick(duration, number, timescale):
    grid = Grid(duration)
    start = grid.start(number, timescale)
    assert grid.number_at(start, timescale) == number
    assert number == 0 or grid.number_at(start - 1, timescale) == number - 1
    assert start == -(-number * duration * timescale // 1)


@given(st.integers(0, 2 * 10**18))
def test_an_instant_lies_in_its_segment(instant):
    grid = Grid(Fraction(1001, 500))
    number = grid.number_at(instant, NANO)
    assert grid.start_ns(number) <= instant < grid.start_ns(number + 1)
