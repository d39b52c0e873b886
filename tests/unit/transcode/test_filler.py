"""What fills a slot without a picture: the last one, then the slate; and which segments hold it."""

from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.model.time import NANO
from abr.transcode.filler import Filler, OnSlate
from abr.transcode.picture import black
from abr.transcode.slot import Slots
from tests.fakes.decoded import FRAMES
from tests.fakes.ladder import make_ladder

SLOTS = Slots(make_ladder())
"""25 a second, 48 a segment."""
SLATE = black(128, 64)
FIRST = SLOTS.first_of(900_000_000)


def filler(**options):
    return Filler(SLOTS, SLATE, 2 * NANO, **options)


def shown(it, count, *, first=FIRST, pictures=()):
    """What stands in so many slots, of which these have a picture."""
    row = []
    for slot in range(first, first + count):
        own = slot - first in pictures
        row.append(it.show(slot, FRAMES[0]) if own else it.fill(slot)[0])
    return row


def runs(row):
    return [("slate" if frame is SLATE else "picture", len(list(group))) for frame, group in groupby(row)]


def test_the_last_picture_stays_for_its_time_and_then_the_slate_comes():
    assert runs(shown(filler(), 100, pictures={0, 1})) == [("picture", 52), ("slate", 48)]


def test_before_the_first_picture_there_is_only_the_slate():
    assert runs(shown(filler(), 60, pictures={40})) == [("slate", 40), ("picture", 20)]


def test_without_a_slate_the_last_picture_stays_and_before_it_all_is_black():
    it = Filler(SLOTS, None, 2 * NANO)
    row = shown(it, 200, pictures={10})
    assert row[0].to_ndarray()[:16].max() == 16
    assert all(frame is FRAMES[0] for frame in row[10:])
    assert it.now() == OnSlate(None, 0)


def test_a_picture_that_came_too_late_is_held_again():
    it = filler()
    shown(it, 100, pictures={0})
    it.keep(FRAMES[5], FIRST + 99)
    frame, slate = it.fill(FIRST + 100)
    assert (frame, slate) == (FRAMES[5], False)
    it.keep(FRAMES[4], FIRST + 90)
    assert it.fill(FIRST + 101)[0] is FRAMES[5]


def test_it_says_since_when_the_slate_is_shown_and_how_long_in_all():
    it = filler()
    shown(it, 100, pictures={0})
    assert it.now() == OnSlate(SLOTS.start_ns(FIRST + 51), 49 * NANO // 25)
    shown(it, 75, first=FIRST + 100, pictures={0})
    assert it.now() == OnSlate(SLOTS.start_ns(FIRST + 151), (49 + 24) * NANO // 25)
    it.show(FIRST + 175, FRAMES[0])
    assert it.now() == OnSlate(None, (49 + 24) * NANO // 25)


def test_whoever_wants_to_know_is_told_when_it_comes_and_goes():
    told = []
    it = filler(changed=told.append)
    shown(it, 200, pictures={0, 100})
    assert [change.since is not None for change in told] == [True, False, True]
    assert told[1].total == 49 * NANO // 25


def test_a_segment_is_marked_when_one_of_its_pictures_is_the_slate():
    it = filler()
    shown(it, 48 * 6, pictures={*range(46), *range(96, 200)})
    number = SLOTS.number_of(FIRST)
    assert [it.holds(number + place) for place in range(-1, 7)] == [
        False, False, False, False, False, False, True, False,
    ]  # fmt: skip


@given(st.sets(st.integers(0, 600)), st.integers(1, 120))
def test_marks_and_total_are_those_of_the_slots(pictures, after):
    """Whichever slots have pictures, and however long one is held."""
    it = Filler(SLOTS, SLATE, after * NANO // 25)
    slates = []
    for slot in range(FIRST, FIRST + 600):
        if slot - FIRST in pictures:
            it.show(slot, FRAMES[0])
        elif it.fill(slot)[1]:
            slates.append(slot)
    numbers = {SLOTS.number_of(slot) for slot in slates}
    first = SLOTS.number_of(FIRST)
    assert {number for number in range(first - 2, first + 20) if it.holds(number)} == numbers
    assert it.now().total == len(slates) * NANO // 25


@pytest.mark.parametrize("slot", [0, 47, 48, 100_000_000])
def test_a_slot_lies_in_the_segment_that_begins_at_or_before_it(slot):
    number = SLOTS.number_of(slot)
    assert SLOTS.first_of(number) <= slot < SLOTS.first_of(number + 1)
