"""Pauses double from 1 s to 30 s, and begin again after a good minute."""

from hypothesis import given
from hypothesis import strategies as st

from abr.ingest.backoff import Backoff
from abr.model.time import NANO


def test_pauses_double_up_to_half_a_minute():
    backoff = Backoff(lambda: 0.0)
    assert [backoff.failed(0) for _ in range(8)] == [1, 2, 4, 8, 16, 30, 30, 30]
    assert backoff.attempt == 8


def test_chance_adds_up_to_half():
    assert [Backoff(lambda: 1.0).failed(0), Backoff(lambda: 0.5).failed(0)] == [1.5, 1.25]


def test_who_is_in_a_hurry_waits_no_longer():
    backoff = Backoff(lambda: 1.0)
    assert [backoff.failed(0, 5) for _ in range(4)] == [1.5, 3, 5, 5]
    assert backoff.failed(0, 100) == 24


def test_a_good_minute_begins_anew_and_a_bad_one_does_not():
    backoff = Backoff(lambda: 0.0)
    for _ in range(5):
        backoff.failed(0)
    assert backoff.failed(59 * NANO) == 30
    assert backoff.failed(60 * NANO) == 1
    assert backoff.attempt == 1


@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 120)), max_size=200))
def test_no_pause_is_shorter_than_a_second_or_longer_than_half_a_minute(rounds):
    chance = 0.0
    backoff = Backoff(lambda: chance)
    for chance, lasted in rounds:  # noqa: B007 - read by the lambda
        assert 1 <= backoff.failed(lasted * NANO) <= 30
