"""How a feed's time is laid on the clock."""

from abr.model.time import NANO
from abr.transcode.anchor import Anchor, Pace, Verdict

MS = 1_000_000
HOLD = NANO


def test_the_quickest_item_tells_the_offset():
    anchor = Anchor(HOLD)
    for time, now in ((0, 5_000), (100, 5_050), (200, 5_400)):
        anchor.see(time, now, picture=True, last_kind=False)
    assert anchor.offset == 4_950


def test_the_slower_of_sound_and_picture_decides():
    anchor = Anchor(HOLD)
    anchor.see(0, 5_000, picture=True, last_kind=False)
    anchor.see(0, 5_300, picture=False, last_kind=False)
    assert anchor.offset == 5_300


def test_pictures_do_not_wait_for_sound_that_comes_long_after_them():
    anchor = Anchor(HOLD)
    anchor.see(0, 0, picture=True, last_kind=False)
    anchor.see(0, 1_900 * MS, picture=False, last_kind=False)
    assert (anchor.offset, anchor.sound_lost) == (1_900 * MS, False)
    anchor.reset()
    anchor.see(0, 0, picture=True, last_kind=False)
    anchor.see(0, 5 * NANO, picture=False, last_kind=False)
    assert (anchor.offset, anchor.sound_lost) == (0, True)


def test_it_is_known_after_the_first_picture_or_much_later_without():
    anchor = Anchor(HOLD)
    assert anchor.due() is None
    anchor.see(0, 0, picture=False, last_kind=False)
    assert anchor.due() == 3 * NANO
    anchor.see(0, 500 * MS, picture=True, last_kind=False)
    assert anchor.due() == 500 * MS + HOLD
    anchor.reset()
    anchor.see(0, 0, picture=False, last_kind=True)
    assert anchor.due() == HOLD


def verdicts(margin: int, seconds: int, pace: Pace | None = None) -> list[Verdict]:
    pace = pace or Pace(HOLD)
    made = [pace.see(margin, place * 40 * MS, picture=True) for place in range(seconds * 25)]
    return [verdict for verdict in made if verdict is not Verdict.STAY]


def test_a_good_pace_stays():
    assert verdicts(HOLD, 60) == []
    assert verdicts(HOLD // 2, 60) == []


def test_too_close_or_too_far_moves_one_slot_each_five_seconds():
    assert verdicts(HOLD // 10, 21) == [Verdict.LATER] * 4
    assert verdicts(2 * HOLD, 21) == [Verdict.EARLIER] * 4


def test_far_ahead_or_late_for_good_is_lost():
    assert verdicts(5 * HOLD, 6) == [Verdict.LOST]
    assert verdicts(-1, 1)[0] is Verdict.LOST


def test_single_late_items_lose_nothing():
    pace = Pace(HOLD)
    made = [pace.see(-MS if place % 10 == 0 else HOLD, place * 40 * MS, picture=True) for place in range(100)]
    assert set(made) == {Verdict.STAY}


def test_late_sound_is_not_excused_by_pictures_in_time():
    pace = Pace(HOLD)
    made = []
    for place in range(50):
        pace.see(HOLD, place * 20 * MS, picture=True)
        made.append(pace.see(-MS, place * 20 * MS, picture=False))
    assert Verdict.LOST in made
