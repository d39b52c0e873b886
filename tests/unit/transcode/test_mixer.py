"""Two inputs before the grid: a switch is at a frame, and the time line goes on."""

from itertools import pairwise

import numpy as np
import pytest

from abr.model.time import NANO
from abr.transcode.frame import DecodedPicture, Picture, Sound
from abr.transcode.grid import LiveGrid
from abr.transcode.mixer import Mixer
from abr.transcode.selector import Condition, Rules, Selector
from tests.fakes.clip import picture, read_number
from tests.fakes.decoded import TRACKS, heard
from tests.fakes.ladder import make_ladder

NOON = 1_788_027_300 * NANO + 123_456_789
FRAME = NANO // 25
RULES = Rules(2 * NANO, 10 * NANO, 30 * NANO, 3 * NANO)
SHOWN = {place: [picture(place * 1000 + number, (64, 32)) for number in range(50)] for place in (0, 1)}
TONE = {place: np.full(1920, 0.25 + place / 2, np.float32) for place in (0, 1)}


class Air:
    """Both inputs send a picture and its sound each 40 ms while they are up."""

    def __init__(self):
        self.grid = LiveGrid(make_ladder(), hold=NANO)
        self.selector = Selector(2, RULES)
        self.switches = []
        self.mixer = Mixer(self.grid, self.selector, self.switches.append)
        self.frame, self.placed, self.up, self.silent = 0, [], {}, set()

    @property
    def now(self):
        return NOON + self.frame * FRAME

    def begin(self, place, tracks=TRACKS):
        self.up[place] = {track.index for track in tracks}
        self.mixer.begin_feed(place, tracks, self.now)

    def change(self, place, tracks, sends=None):
        self.up[place] = {track.index for track in sends or tracks}
        self.mixer.change_tracks(place, tracks, self.now)

    def end(self, place):
        del self.up[place]
        self.mixer.end_feed(place, self.now)

    def run(self, frames):
        for _ in range(frames):
            self.placed += self.mixer.tick(self.now)
            for place in self.up.keys() - self.silent:
                ticks = 50_000 * (place + 1) + self.frame * 3600
                if 0 in self.up[place]:
                    item = DecodedPicture(0, ticks, SHOWN[place][self.frame % 50])
                    self.placed += self.mixer.take(place, item, self.now)
                if 1 in self.up[place]:
                    self.placed += self.mixer.take(place, heard(ticks, TONE[place]), self.now)
            self.frame += 1

    def numbers(self):
        made = [item for item in self.placed if isinstance(item, Picture)]
        assert all(after.pts == before.pts + 3600 for before, after in pairwise(made))
        return [read_number(item.frame) for item in made]


@pytest.fixture(scope="module")
def left():
    """Both are up, then one ends."""
    air = Air()
    air.begin(0)
    air.begin(1)
    air.run(125)
    air.end(0)
    air.run(100)
    return air


def test_an_input_that_ends_is_followed_by_the_other_without_a_picture_twice(left):
    numbers = left.numbers()
    cut = next(place for place, number in enumerate(numbers) if number >= 1000)
    assert all(number >= 1000 for number in numbers[cut:])
    assert numbers[cut] - 1000 == (numbers[cut - 1] + 1) % 50  # both count the same seconds
    assert all((after - before) % 50 == 1 for before, after in pairwise(numbers))
    stats = left.grid.stats()
    assert (stats["repeated"], stats["idle"], stats["dropped"]) == (0, 0, 0)
    assert [(switch.before, switch.now) for switch in left.switches] == [(None, 0), (0, 1)]


def test_sound_changes_with_the_picture_and_has_no_hole(left):
    sounds = [item for item in left.placed if isinstance(item, Sound)]
    assert all(after.pts == before.pts + before.samples.shape[1] for before, after in pairwise(sounds))
    samples = np.concatenate([item.samples for item in sounds], axis=1)[0]
    begin = int(np.argmax(samples > 0.7)) + sounds[0].pts
    made = [item for item in left.placed if isinstance(item, Picture)]
    first = next(item for item in made if read_number(item.frame) >= 1000)
    assert abs(begin / 48_000 - first.pts / 90_000) < 0.015  # the fade is nine milliseconds


def test_the_preferred_one_comes_back_when_it_has_been_good_and_by_hand_at_once():
    air = Air()
    air.begin(1)
    air.run(60)
    air.begin(0)
    air.run(60)
    assert air.mixer.on_air == 1
    air.run(30)
    assert air.mixer.on_air == 0
    air.selector.choose(1)
    air.run(50)
    assert air.mixer.on_air == 1
    assert [switch.condition for switch in air.switches] == [Condition.AWAY, Condition.GOOD, Condition.GOOD]
    assert air.grid.stats()["repeated"] == 0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (TRACKS, TRACKS),
        (TRACKS[:1], TRACKS),
        (TRACKS, TRACKS[:1]),
        (TRACKS[1:], TRACKS),
        (TRACKS, TRACKS[1:]),
    ],
    ids=["another size", "its sound comes", "its sound goes", "its picture comes", "its picture goes"],
)
def test_an_input_whose_feed_has_other_tracks_stays_on_air_while_a_spare_is_good(before, after):
    """It was good, and reopening takes a while."""
    air = Air()
    air.begin(0, before)
    air.begin(1)
    air.run(100)
    assert air.mixer.on_air == 0
    air.silent = {0}
    air.run(10)
    air.change(0, after)
    air.run(10)
    air.silent = set()
    air.run(1000)
    assert air.mixer.on_air == 0
    assert [(switch.before, switch.now) for switch in air.switches] == [(None, 0)]


def test_an_input_that_was_given_up_for_good_reason_is_not_good_for_having_other_tracks():
    air = Air()
    air.begin(0)
    air.begin(1)
    air.run(100)
    air.silent = {0}
    air.run(100)
    assert air.mixer.on_air == 1
    air.change(0, TRACKS[:1])
    air.change(0, TRACKS[1:])
    air.run(200)
    assert air.mixer.on_air == 1


def test_a_picture_that_was_promised_and_does_not_come_is_not_waited_for():
    air = Air()
    air.begin(0, TRACKS[1:])
    air.begin(1)
    air.run(100)
    air.change(0, TRACKS, sends=TRACKS[1:])
    air.run(100)
    assert air.mixer.on_air == 1


def test_a_feed_with_other_tracks_goes_on_where_it_is_on_air_and_is_noted_where_it_is_not():
    air = Air()
    air.begin(0)
    air.begin(1)
    air.run(100)
    air.change(0, TRACKS)
    air.change(1, TRACKS)
    air.run(100)
    assert air.mixer.on_air == 0
    numbers = air.numbers()
    assert all((after - before) % 50 == 1 for before, after in pairwise(numbers))
