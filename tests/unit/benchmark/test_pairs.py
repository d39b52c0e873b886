"""Rounds and ratios: who runs when, and what is divided by what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.benchmark.pairs import Spread, interleave, percentile, ratios, spread


def test_each_round_begins_with_the_next_side():
    ran = []
    sides = {name: lambda name=name: ran.append(name) for name in "abc"}
    interleave(sides, 4)
    assert "".join(ran) == "abc" + "bca" + "cab" + "abc"


def test_results_are_kept_by_side_in_the_order_of_the_rounds():
    counter = iter(range(10))
    results = interleave({"one": lambda: next(counter), "two": lambda: next(counter)}, 3)
    assert results == {"one": [0, 3, 4], "two": [1, 2, 5]}


def test_what_runs_next_is_told():
    told = []
    interleave({"one": int, "two": int}, 2, told.append)
    assert told == ["1/2 one", "1/2 two", "2/2 two", "2/2 one"]


def test_ratios_are_taken_within_a_round():
    assert ratios([1, 10, 3], [2, 10, 12]) == Spread(0.5, 0.25, 1.0)


def test_rounds_that_do_not_match_are_an_error():
    with pytest.raises(ValueError, match="shorter"):
        ratios([1, 2], [1])


def test_a_spread_of_an_even_count_has_the_middle_of_two():
    assert spread([4, 1, 3, 2]) == Spread(2.5, 1, 4)


@pytest.mark.parametrize(("percent", "value"), [(50, 10), (95, 19), (100, 20), (1, 1), (0, 1)])
def test_percentiles_are_of_the_nearest_rank(percent, value):
    assert percentile(list(range(20, 0, -1)), percent) == value


@given(st.lists(st.integers(0, 50), min_size=1), st.integers(1, 100))
def test_a_percentile_is_a_value_that_enough_do_not_exceed(values, percent):
    found = percentile(values, percent)
    assert found in values
    assert 100 * sum(value <= found for value in values) >= percent * len(values)
    assert 100 * sum(value < found for value in values) < percent * len(values)
