"""The live grid: one picture per slot, sound without a hole, whatever the feed does."""

import heapq
import random
import tracemalloc
from collections.abc import Iterable
from fractions import Fraction
from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import MediaError
from abr.model.ladder import Ladder
from abr.model.media import Kind, Track
from abr.model.time import NANO
from abr.transcode.frame import Decoded, DecodedPicture, Picture, Placed, Sound
from abr.transcode.grid import LiveGrid
from abr.transcode.picture import black
from tests.fakes.decoded import FRAMES, TRACKS, beeping, heard, shown
from tests.fakes.ladder import make_ladder

MS = 1_000_000
HOLD = NANO
LADDER = make_ladder()
MUTE = make_ladder(audio=0)
FRAME = 40 * MS
NOON = 1_788_027_300 * NANO + 123_456_789
"""When the first item comes: no border of anything."""
BASE = 5_000
"""The feed's own time at NOON, in 90 kHz."""

Event = tuple[int, Decoded]


_NUMBERS = {id(frame): place for place, frame in enumerate(FRAMES)}


def number(picture: Picture) -> int:
    return _NUMBERS[id(picture.frame)]


def pictures(
    count: int, *, at: int = NOON, base: int = BASE, first: int = 0, step: int = 3600
) -> list[Event]:
    """Pictures `first`, `first + 1` …; each comes as long after `at` as its time is after `base`."""
    return [
        (at + place * step * NANO // 90_000, shown(first + place, base + place * step))
        for place in range(count)
    ]


def sound(count: int, *, at: int = NOON, base: int = BASE) -> list[Event]:
    return [(at + first * NANO // 48_000, item) for first, item in beeping(base, count)]


def run(grid: LiveGrid, events: Iterable[Event], until: int | None = None) -> list[Placed]:
    """Push each item when it comes, and tick whenever the grid asks for it in between, as a stage's thread does."""
    placed: list[Placed] = []
    for now, item in heapq.merge(sorted(events, key=lambda event: event[0]), key=lambda event: event[0]):
        placed += wait(grid, now)
        placed += grid.push(item, now)
    return placed + (wait(grid, until) if until is not None else [])


def wait(grid: LiveGrid, until: int) -> list[Placed]:
    placed: list[Placed] = []
    while (due := grid.due()) is not None and due <= until:
        made = grid.tick(due)
        assert made or grid.due() != due
        placed += made
    return placed


def split(placed: list[Placed], ladder: Ladder = LADDER) -> tuple[list[Picture], list[Sound]]:
    """Pictures and sound, after it was checked that both rows have no hole and begin at a segment."""
    shown_, heard_ = [], []
    for item in placed:
        (shown_ if isinstance(item, Picture) else heard_).append(item)
    if shown_:
        scale = ladder.video[0].timescale
        assert all(after.pts == before.pts + before.duration for before, after in pairwise(shown_))
        assert (Fraction(shown_[0].pts, scale) / ladder.duration).denominator == 1
        assert shown_[0].key
    for name in {item.rendition for item in heard_}:
        row = [item for item in heard_ if item.rendition == name]
        assert all(after.pts == before.pts + before.samples.shape[1] for before, after in pairwise(row))
        assert all(item.pts % 1024 == item.samples.shape[1] % 1024 == 0 for item in row)
    return shown_, heard_


def new_grid(ladder: Ladder = LADDER, tracks: tuple[Track, ...] = TRACKS, **options: object) -> LiveGrid:
    grid = LiveGrid(ladder, **{"hold": HOLD} | options)
    grid.begin_feed(tracks)
    return grid


@pytest.mark.parametrize(
    ("rate", "minutes"),
    [
        (Fraction(25), 2),
        pytest.param(Fraction(25, 4), 60, marks=pytest.mark.thorough),
        pytest.param(Fraction(25), 60, marks=pytest.mark.thorough),
    ],
    ids=str,
)
def test_an_hour_fills_each_slot_once(rate, minutes):
    """The more pictures, the smaller the error that is seen: an hour shows 44 or 11 millionths."""
    grid, step, count = new_grid(make_ladder(rate)), int(90_000 / rate), int(60 * minutes * rate)
    lasts = int(NANO / rate)
    made, before, first = 0, None, None
    for place in range(count):
        for item in grid.push(shown(place, BASE + step * place), NOON + place * lasts):
            if not isinstance(item, Picture):
                continue
            seen = number(item)
            assert before is None or (item.pts == before[0] + step and seen == (before[1] + 1) % 64)
            before, made = (item.pts, seen), made + 1
            first = first if first is not None else item.pts
    assert first == grid.start * 172_800
    assert count - 4 * rate < made < count
    stats = grid.stats()
    assert stats["repeated"] == stats["idle"] == stats["dropped"] == stats["surplus"] == stats["moved"] == 0
    assert stats["anchored"] == 1


def test_output_begins_at_the_first_segment_border_after_the_first_picture():
    grid = new_grid()
    placed = run(grid, pictures(100) + sound(160))
    shown_, heard_ = split(placed)
    assert grid.start == -(-NOON // (1920 * MS))
    assert shown_[0].pts == grid.start * 172_800
    assert heard_[0].pts == grid.start * 92_160 - 1024


def test_key_pictures_stand_at_segments_and_key_intervals():
    ladder = make_ladder(25, target=Fraction(4))
    shown_, _ = split(run(new_grid(ladder), pictures(400)), ladder)
    interval = int(ladder.video[0].key_frames)
    assert [picture.pts // 3600 % interval == 0 for picture in shown_] == [picture.key for picture in shown_]


def test_a_flash_and_its_beep_leave_on_the_same_sample():
    grid = new_grid()
    shown_, heard_ = split(run(grid, pictures(25 * 12) + sound(47 * 12)))
    samples = np.concatenate([item.samples for item in heard_], axis=1)[0]
    beeps = np.flatnonzero((samples[1:] > 0.79) & (samples[:-1] == 0)) + 1 + heard_[0].pts
    offset = number(shown_[0])  # fewer than 64 pictures came before the start
    flashes = [item.pts for place, item in enumerate(shown_) if (offset + place) % 25 == 0]
    assert len(beeps) >= 9
    assert [int(beep) * 90_000 for beep in beeps] == [flash * 48_000 for flash in flashes[: len(beeps)]]


@pytest.mark.parametrize(
    "fps", [Fraction(24), Fraction(25), Fraction(30_000, 1001), Fraction(50), Fraction(60)]
)
@pytest.mark.parametrize("base", [Fraction(1, 90_000), Fraction(1, 1000)])
def test_each_rate_in_each_time_base_fills_each_slot_once(fps, base):
    ladder = make_ladder(fps, audio=0)
    grid = new_grid(ladder, (Track(0, Kind.VIDEO, "h264", base),))
    events = [
        (NOON + int(place * NANO / fps), shown(place, round(place / fps / base)))
        for place in range(int(10 * fps))
    ]
    shown_, _ = split(run(grid, events), ladder)
    assert all((number(after) - number(before)) % 64 == 1 for before, after in pairwise(shown_))
    stats = grid.stats()
    assert stats["repeated"] == stats["dropped"] == stats["surplus"] == 0


def test_jitter_of_200_ms_either_way_is_absorbed():
    grid, chance = new_grid(), random.Random(5)
    late = [chance.randrange(400 * MS) for _ in range(800)]
    events = [(now + wait_, item) for (now, item), wait_ in zip(pictures(800), late, strict=True)]
    came = accumulate((now for now, _ in events), max)
    events = [(now, item) for now, (_, item) in zip(came, events, strict=True)]
    shown_, _ = split(run(grid, events + sound(1500)))
    assert all((number(after) - number(before)) % 64 == 1 for before, after in pairwise(shown_))
    stats = grid.stats()
    assert stats["repeated"] == stats["dropped"] == stats["surplus"] == stats["moved"] == 0
    assert stats["silence"] == stats["stretched"] == 0


def test_a_burst_at_the_beginning_does_not_count_as_delay():
    """What a demuxer read while it looked for tracks comes at once; the newest picture tells the delay."""
    burst = [(max(now, NOON + 1500 * MS), item) for now, item in pictures(250) + sound(460)]
    grid = new_grid()
    shown_, _ = split(run(grid, burst) + grid.flush())
    assert shown_[-1].frame is FRAMES[249 % 64]
    assert abs(shown_[-1].pts * NANO // 90_000 - NOON - 249 * FRAME) <= FRAME // 2
    assert grid.stats()["repeated"] == grid.stats()["dropped"] == 0


def test_a_lost_picture_is_the_one_before_once_more():
    events = pictures(200)
    del events[150]
    grid = new_grid()
    shown_, _ = split(run(grid, events))
    numbers = [number(picture) for picture in shown_]
    place = next(place for place, pair in enumerate(pairwise(numbers)) if pair[0] == pair[1])
    assert (numbers[place], numbers[place + 2]) == (149 % 64, 151 % 64)
    assert shown_[place].frame is shown_[place + 1].frame
    assert grid.stats()["repeated"] == 1


def test_a_picture_that_is_too_late_is_dropped():
    events = pictures(200)
    events[150] = (events[150][0] + HOLD + FRAME + FRAME // 2, events[150][1])
    grid = new_grid()
    split(run(grid, events))
    stats = grid.stats()
    assert (stats["repeated"], stats["dropped"], stats["anchored"]) == (1, 1, 1)


def test_lost_sound_is_silence_of_the_same_length():
    events = sound(300)
    del events[200:210]
    grid = new_grid()
    split(run(grid, pictures(160) + events))
    assert grid.stats()["silence"] == 10 * 1024
    assert grid.stats()["late"] == grid.stats()["cut"] == 0


def test_without_a_feed_the_last_picture_and_silence_go_on():
    grid = new_grid()
    placed = run(grid, pictures(100) + sound(188))
    grid.end_feed()
    placed += wait(grid, NOON + 30 * NANO)
    shown_, heard_ = split(placed)
    assert shown_[-1].frame is FRAMES[99 % 64]
    assert grid.stats()["repeated"] == 0
    assert shown_[-1].pts == (NOON + 30 * NANO - HOLD) * 9 // 100_000 // 3600 * 3600
    assert abs(heard_[-1].pts * NANO // 48_000 - NOON - 29 * NANO) < 100 * MS


def test_a_slate_comes_when_no_picture_came_for_long():
    slate = black(128, 64)
    grid = LiveGrid(LADDER, hold=HOLD, slate=slate, slate_after=2 * NANO)
    grid.begin_feed(TRACKS)
    placed = run(grid, pictures(100))
    grid.end_feed()
    placed += wait(grid, NOON + 10 * NANO)
    placed += run(grid, [])
    shown_, _ = split(placed)
    first = next(place for place, item in enumerate(shown_) if item.slate)
    assert shown_[first].frame is slate
    assert [item.frame is FRAMES[99 % 64] for item in shown_[first - 51 : first]] == [True] * 51
    assert all(item.slate for item in shown_[first:])


@pytest.mark.parametrize("away", [200 * MS, 5 * NANO])
def test_a_feed_that_returns_with_other_times_breaks_nothing(away):
    grid = new_grid()
    placed = run(grid, pictures(100) + sound(188))
    grid.end_feed()
    back = NOON + 4 * NANO + away
    base = Fraction(1, 1000)
    grid.begin_feed(
        (Track(0, Kind.VIDEO, "hevc", base), Track(1, Kind.AUDIO, "opus", base, sample_rate=48_000))
    )
    events = [(back + place * FRAME, shown(place, 77_000_000 + 40 * place)) for place in range(200)]
    events += [
        (back + place * 20 * MS, heard(77_000_000 + 20 * place, np.ones(960, np.float32), base=base))
        for place in range(400)
    ]
    placed += run(grid, events)
    shown_, heard_ = split(placed)
    first = next(place for place, item in enumerate(shown_) if item.pts * NANO // 90_000 >= back - FRAME // 2)
    assert shown_[first].frame is FRAMES[0]
    numbers = [number(item) for item in shown_[first:]]
    assert all((after - before) % 64 == 1 for before, after in pairwise(numbers))
    samples = np.concatenate([item.samples for item in heard_], axis=1)[0]
    ones = np.flatnonzero(samples == 1) + heard_[0].pts
    fade = 432
    assert abs(int(ones[0]) - fade - shown_[first].pts * 48_000 // 90_000) <= 1
    assert grid.stats()["dropped"] == 0


def test_looped_files_whose_times_make_a_small_step_repeat_nothing():
    """Each loop ends 7 ms late: sound is softly moved, no picture is shown twice."""
    events, base = [], BASE
    for loop in range(12):
        events += pictures(125, at=NOON + (base - BASE) * NANO // 90_000, base=base, first=loop * 125)
        base += 125 * 3600 + 630
    grid = new_grid()
    shown_, _ = split(run(grid, events))
    assert all((number(after) - number(before)) % 64 == 1 for before, after in pairwise(shown_))
    assert grid.stats()["repeated"] == grid.stats()["surplus"] == grid.stats()["dropped"] == 0


@pytest.mark.parametrize("count", [4_000, pytest.param(15_000, marks=pytest.mark.thorough)])
@pytest.mark.parametrize("ppm", [1000, -1000])
def test_a_clock_that_runs_wrong_costs_single_pictures(ppm, count):
    step = FRAME + FRAME * ppm // 1_000_000
    events = [(NOON + place * step, shown(place, BASE + 3600 * place)) for place in range(count)]
    grid = new_grid(MUTE, hold=200 * MS)
    shown_, _ = split(run(grid, events), MUTE)
    steps = [(number(after) - number(before)) % 64 for before, after in pairwise(shown_)]
    assert set(steps) <= {0, 1, 2}
    wrong = [place for place, step in enumerate(steps) if step != 1]
    assert all(after - before > 100 for before, after in pairwise(wrong))
    stats = grid.stats()
    assert stats["dropped"] == 0
    assert abs(stats["moved"] - len(wrong)) <= 1
    assert 0 < len(wrong) <= count // 1000


def test_a_delay_that_grows_for_good_costs_its_length_and_the_hold_once():
    early, late = pictures(250), pictures(500, at=NOON + 3 * NANO)[250:]
    late = [(now, shown(250 + place, item.pts)) for place, (now, item) in enumerate(late)]
    grid = new_grid()
    shown_, _ = split(run(grid, early + late))
    stats = grid.stats()
    assert stats["anchored"] == 2
    assert stats["repeated"] < 25 * 5
    assert number(shown_[-1]) > 0
    steps = [(number(after) - number(before)) % 64 for before, after in pairwise(shown_[-100:])]
    assert set(steps) == {1}


def test_sound_that_comes_a_second_after_its_pictures_is_waited_for():
    """The offset is chosen once more for it; then nothing is late."""
    grid = new_grid()
    placed = run(grid, pictures(400) + [(now + NANO, item) for now, item in sound(700)])
    _, heard_ = split(placed)
    stats = grid.stats()
    assert stats["anchored"] == 2
    assert stats["repeated"] <= 50
    assert stats["dropped"] == stats["moved"] == 0
    samples = np.concatenate([item.samples for item in heard_[-200:]], axis=1)[0]
    assert np.count_nonzero((samples[1:] > 0.79) & (samples[:-1] == 0)) >= 7


def test_sound_that_comes_ten_seconds_after_its_pictures_does_not_disturb_them():
    grid = new_grid()
    shown_, _ = split(run(grid, pictures(600) + [(now + 10 * NANO, item) for now, item in sound(650)]))
    assert {(number(after) - number(before)) % 64 for before, after in pairwise(shown_)} == {1}
    stats = grid.stats()
    assert stats["repeated"] == stats["dropped"] == stats["surplus"] == stats["moved"] == 0
    assert stats["anchored"] == 2


def moved(events: list[Event], ticks: int) -> list[Event]:
    """The same, of a clock that is `ticks` ahead."""
    return [(now, item._replace(pts=item.pts + ticks)) for now, item in events]


def test_sound_far_ahead_of_its_pictures_is_dropped_and_counted_and_takes_no_memory():
    grid = new_grid()
    events = sorted(pictures(850) + moved(sound(1590), 3600 * 90_000), key=lambda event: event[0])
    tracemalloc.start()
    for now, item in events:
        grid.push(item, now)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    stats = grid.stats()
    assert held < 1_000_000
    assert stats["early"] == 1590 * 1024
    assert (stats["anchored"], stats["repeated"], stats["dropped"], stats["surplus"]) == (1, 0, 0, 0)


@pytest.mark.parametrize("seconds", [3600, 5])
def test_sound_that_comes_back_from_far_ahead_is_heard(seconds):
    """The feed's times are mended; what is given out has sound again at once."""
    later, base = NOON + 4 * NANO, BASE + 360_000
    grid = new_grid()
    events = sound(188) + moved(sound(188, at=later, base=base), seconds * 90_000)
    events += sound(300, at=later + 4 * NANO, base=base + 360_000)
    _, heard_ = split(run(grid, events + pictures(350)))
    samples = np.concatenate([item.samples for item in heard_[-100:]], axis=1)[0]
    assert np.count_nonzero((samples[1:] > 0.79) & (samples[:-1] == 0)) >= 2
    assert grid.stats()["early"] >= 180 * 1024


def test_pictures_far_ahead_are_not_kept():
    grid = new_grid()
    run(grid, pictures(100) + sound(188))
    later = NOON + 4 * NANO
    far = moved(pictures(100, at=later, base=BASE + 360_000), 3600 * 90_000)
    run(grid, far + sound(200, at=later, base=BASE + 360_000))
    assert grid.stats()["surplus"] == 100


def test_half_and_double_rates_are_thinned_and_repeated_evenly():
    for step, expected in ((1800, 2), (7200, 0)):
        grid = new_grid(MUTE)
        shown_, _ = split(run(grid, pictures(400, step=step)), MUTE)
        steps = [(number(after) - number(before)) % 64 for before, after in pairwise(shown_)]
        assert set(steps) == ({2} if expected else {0, 1})
        assert expected or all(a != b for a, b in pairwise(steps))


def test_24_fps_in_25_repeats_one_picture_a_second():
    grid = new_grid(MUTE)
    split(run(grid, pictures(24 * 20, step=3750)), MUTE)
    assert 17 <= grid.stats()["repeated"] <= 20
    assert grid.stats()["surplus"] == grid.stats()["dropped"] == 0


def test_a_feed_of_sound_alone_has_a_black_picture():
    grid = new_grid(tracks=TRACKS[1:])
    shown_, heard_ = split(run(grid, sound(300)))
    assert shown_[0].frame.to_ndarray()[:16].max() == 16
    assert np.concatenate([item.samples for item in heard_], axis=1).max() > 0.7


def test_a_ladder_of_sound_alone_needs_no_picture():
    ladder = make_ladder(video=False)
    grid = new_grid(ladder)
    shown_, heard_ = split(run(grid, pictures(100) + sound(300)), ladder)
    assert shown_ == []
    assert heard_[0].pts == int(grid.start * ladder.duration * 48_000) - 1024
    assert grid.stats()["silence"] == 0
    _, rest = split(grid.flush(), ladder)
    assert rest[0].pts == heard_[-1].pts + heard_[-1].samples.shape[1]


def test_sound_waits_three_seconds_for_the_picture_of_its_feed():
    grid = new_grid()
    split(run(grid, sound(94 + 47)))
    assert grid.start is None
    placed = run(grid, sound(300)[141:] + pictures(50, at=NOON + 6 * NANO, base=BASE + 6 * 90_000))
    shown_, _ = split(placed)
    assert grid.start == -(-(NOON + 3 * NANO) // (1920 * MS))
    assert shown_[0].frame.to_ndarray()[:16].max() == 16


def test_flush_gives_what_came_for_later_slots_and_ends_sound_with_the_picture():
    grid = new_grid()
    placed = run(grid, pictures(100) + sound(220)) + grid.flush()
    shown_, heard_ = split(placed)
    assert shown_[-1].frame is FRAMES[99 % 64]
    over = heard_[-1].pts + heard_[-1].samples.shape[1] - (shown_[-1].pts + 3600) * 48_000 // 90_000
    assert 0 <= over < 1024


def test_an_event_shorter_than_the_way_to_the_first_border_gives_nothing():
    grid = new_grid()
    assert run(grid, pictures(5)) + grid.flush() == []
    assert new_grid().flush() == []


def test_a_track_that_appears_later_joins_without_a_new_offset():
    ladder = make_ladder()
    grid = new_grid(ladder, TRACKS[:1])
    placed = run(grid, pictures(100))
    grid.change_tracks(TRACKS)
    late = sound(300)[190:]
    placed += run(grid, pictures(250)[100:] + late)
    _, heard_ = split(placed)
    assert grid.stats()["anchored"] == 1
    assert grid.stats()["repeated"] == 0
    samples = np.concatenate([item.samples for item in heard_], axis=1)[0]
    beeps = np.flatnonzero((samples[1:] > 0.79) & (samples[:-1] == 0)) + 1 + heard_[0].pts
    assert len(beeps) > 0


def test_items_of_no_feed_and_of_unused_tracks_are_ignored():
    grid = LiveGrid(LADDER, hold=HOLD)
    assert grid.push(shown(0, 0), NOON) == []
    assert grid.due() is None
    grid.begin_feed(TRACKS)
    grid.push(DecodedPicture(5, 0, FRAMES[0]), NOON)
    assert grid.start is None


def test_segments_that_are_no_whole_frames_are_refused():
    ladder = make_ladder()
    broken = Ladder(ladder.video, ladder.audio, Fraction(1, 7), ladder.window)
    with pytest.raises(MediaError, match="no whole number of frames"):
        LiveGrid(broken, hold=HOLD)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(-3000, 3000), st.integers(0, 900)), min_size=1, max_size=40)
)
def test_whatever_comes_the_rows_have_no_hole(steps):
    """Each step: sound or picture, how its time moves (ms), how long until it comes (ms)."""
    grid, now, times, placed = new_grid(hold=300 * MS), NOON, [0, 0], []
    for place, (is_sound, move, pause) in enumerate(steps):
        now += pause * MS
        times[is_sound] += move * 90
        item = heard(times[1], np.ones(1024, np.float32)) if is_sound else shown(place, times[0])
        placed += run(grid, [(now, item)])
        if place % 17 == 16:
            grid.begin_feed(TRACKS)
    split(placed + wait(grid, now + 4 * NANO) + grid.flush())
