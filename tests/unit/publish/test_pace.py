"""Fewer puts at once when the origin complains, more when it does not."""

from hypothesis import given
from hypothesis import strategies as st

from abr.publish.pace import Pace


def test_it_begins_at_the_most() -> None:
    pace = Pace(3)
    assert [pace.free and pace.begin() for _ in range(4)] == [0, 0, 0, False]
    pace.end(0, good=True)
    assert pace.free


def test_those_who_began_together_complain_once() -> None:
    pace = Pace(8)
    rounds = [pace.begin() for _ in range(8)]
    for begun in rounds:
        pace.slow(begun)
    assert pace.limit == 4
    assert not pace.free
    for begun in rounds[:5]:
        pace.end(begun, good=True)
    assert pace.free
    pace.slow(pace.begin())
    assert pace.limit == 2


def test_it_never_stops() -> None:
    pace = Pace(4)
    for _ in range(9):
        begun = pace.begin()
        pace.slow(begun)
        pace.end(begun, good=False)
    assert pace.limit == 1
    assert pace.free


def test_a_round_without_a_complaint_raises_it_by_one() -> None:
    pace = Pace(4)
    first = pace.begin()
    pace.slow(first)
    assert not pace.end(first, good=True)  # begun before the complaint: no proof of anything
    rises = [pace.end(pace.begin(), good=True) for _ in range(12)]
    assert [place for place, rose in enumerate(rises, 1) if rose] == [2, 2 + 3]
    assert pace.limit == 4


def test_what_failed_for_another_reason_changes_nothing() -> None:
    pace = Pace(4)
    pace.slow(pace.begin())
    for _ in range(9):
        assert not pace.end(pace.begin(), good=False)
    assert pace.limit == 2


@given(st.integers(0, 20), st.lists(st.sampled_from(["begin", "slow", "good", "bad"]), max_size=60))
def test_whatever_happens_it_stays_between_one_and_the_most(most: int, events: list[str]) -> None:
    pace = Pace(most)
    going: list[int] = []
    for event in events:
        if event == "begin" and pace.free:
            going.append(pace.begin())
        elif going and event == "slow":
            pace.slow(going[0])
        elif going and event != "begin":
            pace.end(going.pop(0), good=event == "good")
        assert 1 <= pace.limit <= max(1, most)
        assert len(going) <= max(1, most)
    for begun in going:
        pace.end(begun, good=True)
    assert pace.free
