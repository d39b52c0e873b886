"""A seam in the rhythm is mended; a change of rate is not taken for a row of seams."""

from fractions import Fraction

import pytest

from abr.model.time import NANO
from abr.transcode.rhythm import Rhythm
from abr.transcode.slot import Slots
from tests.fakes.ladder import make_ladder


def followed(steps) -> list[int]:
    """By how much the offset was moved in all, in ms, after each picture."""
    rhythm = Rhythm(Slots(make_ladder()))
    time, offset, moved = 0, 0, []
    offset = rhythm.correction(time, offset)
    start = offset
    for step in steps:
        time += step * NANO // 1000
        offset += rhythm.correction(time, offset)
        moved.append((offset - start) // 1_000_000)
    return moved


@pytest.mark.parametrize("rate", [50, 30, 60, 100])
def test_a_change_of_rate_moves_nothing_for_good(rate):
    moved = followed([Fraction(40)] * 40 + [Fraction(1000, rate)] * 100)
    assert moved[-1] == 0
    assert max(map(abs, moved)) <= 40


def test_a_slower_rate_moves_nothing():
    assert set(followed([Fraction(40)] * 40 + [Fraction(80)] * 40)) == {0}


def test_a_seam_is_mended_once():
    assert followed([Fraction(40)] * 20 + [Fraction(50)] + [Fraction(40)] * 20)[-1] == -10


def test_two_seams_apart_are_two_seams():
    assert followed(([Fraction(40)] * 20 + [Fraction(50)]) * 2 + [Fraction(40)] * 20)[-1] == -20
