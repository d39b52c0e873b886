"""Which input is on air: laws of the selector with a driven clock."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.model.time import NANO
from abr.transcode.frame import DecodedPicture
from abr.transcode.selector import Condition, Rules, Selector
from tests.fakes.clip import picture
from tests.fakes.decoded import FRAMES, heard

RULES = Rules(stalled=2 * NANO, black=10 * NANO, frozen=30 * NANO, back=5 * NANO)
STEP = NANO // 2
BLACK = picture(0, (64, 32))
for plane, value in zip(BLACK.planes, (16, 128, 128), strict=True):
    plane.update(bytes([value]) * plane.buffer_size)
LOUD, QUIET = heard(0, np.full(1024, 0.5, np.float32)), heard(0, np.zeros(1024, np.float32))


class Studio:
    """Inputs that each do one thing, and time."""

    def __init__(self, count=2, rules=RULES):
        self.it = Selector(count, rules)
        self.now, self.tick = 0, 0
        self.does = {}

    def begin(self, place, does="moves", *, picture=True):
        self.it.begin(place, self.now, picture=picture)
        self.does[place] = does
        return self

    def end(self, place):
        self.it.end(place)
        self.does.pop(place, None)
        return self.decide()

    def decide(self):
        return self.it.decide(self.now)

    def run(self, seconds):
        """Who was on air, each change with the second at which it came."""
        changes = []
        for _ in range(round(seconds * NANO / STEP)):
            self.now += STEP
            self.tick += 1
            for place, does in self.does.items():
                self.feed(place, does)
            before = self.it.on_air
            if self.decide() != before:
                changes.append((round(self.now / NANO, 1), self.it.on_air))
        return changes

    def feed(self, place, does):
        frame = {"moves": FRAMES[self.tick % 2 * 63], "frozen": FRAMES[0], "black": BLACK, "dark": BLACK}.get(
            does
        )
        if frame is not None:
            self.it.see(place, DecodedPicture(0, 0, frame), self.now)
        if does != "gone":
            self.it.see(place, QUIET if does in {"black", "frozen"} else LOUD, self.now)


def both():
    """The preferred one on air, the other one good too."""
    studio = Studio().begin(0).begin(1)
    studio.run(10)
    assert studio.it.on_air == 0
    return studio


def test_the_first_feed_is_on_air_at_once():
    studio = Studio().begin(1)
    assert studio.decide() == 1


def test_an_input_that_ends_is_left_at_once_and_nothing_is_left_then_none():
    studio = both()
    assert studio.end(0) == 1
    assert studio.end(1) is None


@pytest.mark.parametrize(("does", "after"), [("black", 10), ("frozen", 30), ("gone", 2), ("sound", 2)])
def test_an_input_that_is_not_good_is_left_after_its_time(does, after):
    studio = both()
    studio.does[0] = does
    ((at, place),) = studio.run(40)
    assert place == 1
    assert 10 + after <= at <= 10 + after + 0.6


def test_black_with_sound_is_a_dark_scene():
    studio = both()
    studio.does[0] = "dark"
    studio.it._rules = RULES._replace(frozen=0)
    assert studio.run(25) == []


def test_a_rule_of_zero_never_holds():
    studio = Studio(rules=RULES._replace(black=0, frozen=0)).begin(0).begin(1)
    studio.run(5)
    studio.does[0] = "black"
    assert studio.run(40) == []


def test_the_preferred_one_is_gone_back_to_when_it_was_good_for_long():
    studio = both()
    studio.end(0)
    studio.run(3)
    studio.begin(0)
    ((at, place),) = studio.run(20)
    assert (place, round(at)) == (0, 13 + 5)


def test_one_that_is_good_only_now_and_then_is_not_gone_back_to():
    studio = both()
    studio.end(0)
    for _ in range(5):
        studio.begin(0)
        assert studio.run(4) == []
        studio.end(0)


def test_one_that_is_bad_is_kept_while_no_other_is_better():
    studio = both()
    studio.does[0] = studio.does[1] = "black"
    assert studio.run(40) == []
    studio.does[1] = "moves"
    assert [place for _, place in studio.run(2)] == [1]


def test_one_without_pictures_is_judged_by_its_sound():
    studio = Studio().begin(0, "sound", picture=False).begin(1)
    assert studio.run(40)[0] == (0.5, 0)
    studio.does[0] = "gone"
    assert [place for _, place in studio.run(5)] == [1]


def test_what_is_chosen_by_hand_stays_however_it_is_and_comes_back():
    studio = both()
    studio.it.choose(1)
    assert studio.decide() == 1
    studio.does[1] = "black"
    assert studio.run(25) == []
    assert studio.end(1) == 0
    studio.begin(1)
    assert studio.decide() == 1
    studio.it.choose(None)
    assert studio.decide() == 0


def test_it_says_how_an_input_is():
    studio = Studio(3).begin(0).begin(1, "gone")
    studio.run(1)
    conditions = [studio.it.condition(place, studio.now) for place in range(3)]
    assert conditions == [Condition.GOOD, Condition.WAITING, Condition.AWAY]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.sampled_from(["moves", "black", "frozen", "gone", None]),
            st.sampled_from([1, 12, 50]),
        ),
        max_size=6,
    )
)
def test_something_with_a_feed_is_on_air_whenever_there_is_one(steps):
    """And never a bad one for longer than the rules say while another is good."""
    studio = Studio(3)
    for place, does, seconds in steps:
        studio.end(place) if does is None else studio.begin(place, does)
        studio.run(seconds / 4)
        on_air = studio.decide()
        assert (on_air is None) == (not studio.does)
        assert on_air is None or on_air in studio.does
        conditions = [studio.it.condition(item, studio.now) for item in range(3)]
        if Condition.GOOD in conditions:
            assert conditions[on_air] is Condition.GOOD
