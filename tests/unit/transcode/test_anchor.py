"""How a feed's time is laid on the clock."""

from abr.model.time import NANO
from abr.transcode.anchor import Anchor, Pace

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


def losses(margin: int, seconds: int) -> int:
    """How often the offset is lost while each item comes so long before its last moment."""
    pace = Pace(HOLD)
    return sum(pace.is_lost(margin, place * 40 * MS, picture=True) for place in range(seconds * 25))


def test_a_good_pace_is_kept():
    assert losses(HOLD, 60) == losses(HOLD // 2, 60) == losses(3 * HOLD, 60) == 0


def test_far_ahead_or_late_for_good_is_lost():
    assert losses(5 * HOLD, 6) == 1
    assert losses(-1, 1) > 0


def test_single_late_items_lose_nothing():
    pace = Pace(HOLD)
    assert not any(
        pace.is_lost(-MS if place % 10 == 0 else HOLD, place * 40 * MS, picture=True) for place in range(100)
    )


def test_late_sound_is_not_excused_by_pictures_in_time():
    pace = Pace(HOLD)
    lost = []
    for place in range(50):
        pace.is_lost(HOLD, place * 20 * MS, picture=True)
        lost.append(pace.is_lost(-MS, place * 20 * MS, picture=False))
    assert any(lost)
