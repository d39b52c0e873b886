"""The grid without a picture: a feed that has none, one that loses it, one that gets it later, one that is gone."""

from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise

import numpy as np

from abr.model.time import NANO
from abr.transcode.frame import Picture, Placed, Sound
from abr.transcode.grid import LiveGrid
from abr.transcode.picture import black
from tests.fakes.decoded import FRAMES, TRACKS, beeping, shown
from tests.fakes.ladder import make_ladder

LADDER = make_ladder()
SLATE = black(128, 64)
HOLD = NANO
NOON = 1_788_027_300 * NANO + 123_456_789
BASE = 5_000
FRAME = NANO // 25


def new_grid(tracks=TRACKS):
    grid = LiveGrid(LADDER, hold=HOLD, slate=SLATE, slate_after=2 * NANO)
    grid.begin_feed(tracks)
    return grid


def pictures(first: int, count: int) -> Iterator[tuple[int, object]]:
    """Each comes when it is due; its time says how long after NOON that is."""
    for place in range(first, first + count):
        yield NOON + place * FRAME, shown(place, BASE + place * 3600)


def sound(seconds: int) -> Iterator[tuple[int, object]]:
    for first, item in beeping(BASE, seconds * 47):
        yield NOON + first * NANO // 48_000, item


def wait(grid: LiveGrid, until: int) -> list[Placed]:
    placed: list[Placed] = []
    while (due := grid.due()) is not None and due <= until:
        placed += grid.tick(due)
    return placed


def run(grid: LiveGrid, *events: Iterable[tuple[int, object]]) -> list[Placed]:
    placed: list[Placed] = []
    for now, item in sorted((event for row in events for event in row), key=lambda event: event[0]):
        placed += wait(grid, now)
        placed += grid.push(item, now)
    return placed


def row(placed: list[Placed]) -> list[Picture]:
    """The pictures, one a slot."""
    made = [item for item in placed if isinstance(item, Picture)]
    assert [item.pts - made[0].pts for item in made] == [place * 3600 for place in range(len(made))]
    return made


def at(picture: Picture) -> int:
    """The instant of its slot."""
    return picture.pts * NANO // 90_000


def test_a_feed_of_sound_alone_shows_the_slate_from_the_beginning():
    grid = new_grid(TRACKS[1:])
    placed = run(grid, sound(8))
    made = row(placed)
    assert len(made) > 100
    assert all(item.slate and item.frame is SLATE for item in made)
    heard = np.concatenate([item.samples for item in placed if isinstance(item, Sound)], axis=1)
    assert heard.max() > 0.7


def test_a_picture_that_begins_later_comes_with_its_first_frame_in_step_with_the_sound():
    grid = new_grid(TRACKS[1:])
    placed = run(grid, [event for event in sound(16) if event[0] < NOON + 6 * NANO])
    grid.change_tracks(TRACKS)
    placed += run(
        grid, [event for event in sound(16) if event[0] >= NOON + 6 * NANO], pictures(25 * 6 + 10, 25 * 8)
    )
    made = row(placed)
    first = next(place for place, item in enumerate(made) if not item.slate)
    assert made[first].frame is FRAMES[(25 * 6 + 10) % 64]
    assert abs(at(made[first]) - NOON - (25 * 6 + 10) * FRAME) <= FRAME
    assert not any(item.slate for item in made[first:])
    heard = np.concatenate([item.samples for item in placed if isinstance(item, Sound)], axis=1)[0]
    begin = next(item.pts for item in placed if isinstance(item, Sound))
    loud = np.flatnonzero(np.abs(heard) > 0.4)
    beeps = loud[np.diff(loud, prepend=-48_000) > 4_800] + begin
    flash = next(item for item in made[first:] if item.frame is FRAMES[175 % 64])  # frame 175: second 7
    assert min(abs(int(beep) * NANO // 48_000 - at(flash)) for beep in beeps) <= FRAME // 2


def test_a_feed_that_loses_its_picture_holds_it_two_seconds_and_takes_it_back_at_once():
    grid = new_grid()
    made = row(run(grid, sound(20), pictures(0, 200), pictures(325, 150)))
    slates = [item for item in made if item.slate]
    assert abs(at(slates[0]) - NOON - 199 * FRAME - 2 * NANO) <= 2 * FRAME
    assert abs(at(slates[-1]) - NOON - 324 * FRAME) <= FRAME
    assert len(slates) == 125 - 50
    assert grid.stats()["silence"] == 0


def test_a_feed_that_is_gone_and_returns_leaves_silence_and_the_slate_and_no_hole():
    grid = new_grid()
    placed = run(grid, sound(8), pictures(0, 200))
    grid.end_feed()
    back = NOON + 13 * NANO
    placed += wait(grid, back)
    grid.begin_feed(TRACKS)
    placed += run(
        grid, ((back + place * FRAME, shown(place, 777_000 + place * 3600)) for place in range(150))
    )
    made = row(placed)
    assert [slate for slate, _ in groupby(item.slate for item in made)] == [False, True, False]
    assert sum(item.slate for item in made) == 5 * 25 - 50
    numbers = [FRAMES.index(item.frame) for item in made[-50:]]
    assert [(after - before) % 64 for before, after in pairwise(numbers)] == [1] * 49
    ends = [item.pts + item.samples.shape[1] for item in placed if isinstance(item, Sound)]
    starts = [item.pts for item in placed if isinstance(item, Sound)]
    assert starts[1:] == ends[:-1]
