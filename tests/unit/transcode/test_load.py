"""What the top rung gives up when encoding falls behind, and when it gets it back: a driven clock."""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.model.ladder import Ladder, VideoTarget
from abr.model.media import Absent, EncodedPacket
from abr.model.time import Grid
from abr.transcode.ladder import RungEncoder, RungFrame
from abr.transcode.load import Level, Load, Rules, Shed
from abr.transcode.picture import black, reference
from abr.transcode.video import can_be_plain

NANO = 1_000_000_000
MS = 1_000_000
STEP = 100 * MS
LATE, SLOW, CALM = 2000 * MS, 400 * MS, 0
SLOT = 3600
D = Fraction(48, 25)
TOP = VideoTarget(
    "top", 64, 48, Fraction(25), 90_000, "libx264", 100_000, 120_000, 120_000, key_frames=24,
    options={"bf": "2", "b-pyramid": "none", "sc_threshold": "0", "forced-idr": "1"},
)  # fmt: skip
LADDER = Ladder((TOP, replace(TOP, name="low", width=32, height=24)), (), D, D * 6)


def driven(load: Load, behind: Iterable[int], start: int = 0) -> list[tuple[int, Level]]:
    """The changes of a load that sees these, one each 100 ms: when (steps), and to what."""
    changes = []
    for step, value in enumerate(behind, start):
        if load.see(value, step * STEP):
            changes.append((step, load.level))
    return changes


def draining(behind: int, percent: int, begin: int = 0) -> list[int]:
    """A machine that needs so much of the time for what is asked of it, from when it was so far behind."""
    return [max(0, behind - step * STEP * (100 - percent) // 100) for step in range(begin, 600)]


def test_three_seconds_too_late_halve_and_what_waited_then_may_drain_before_a_pause() -> None:
    """Ten times as long as it was behind, and three seconds."""
    assert driven(Load(), [LATE] * 300) == [(30, Level.HALVED), (31 + 200 + 30, Level.PAUSED)]


def test_a_machine_that_has_a_tenth_to_spare_once_halved_is_not_paused() -> None:
    """1.6 s behind at halving: it makes up for that in 16 s."""
    load = Load()
    assert driven(load, [1600 * MS] * 31) == [(30, Level.HALVED)]
    assert [level for _, level in driven(load, draining(1600 * MS, 90), 31)] == [Level.WHOLE]


def test_a_long_time_to_drain_is_over_when_it_has_drained() -> None:
    load = Load((Level.WHOLE, Level.HALVED, Level.PAUSED))
    driven(load, [60 * NANO] * 31)
    driven(load, [60 * NANO, SLOW], 31)
    assert driven(load, [LATE] * 31, 33) == [(33 + 30, Level.PAUSED)]


def test_a_machine_that_falls_further_behind_once_halved_is_paused_after_three_seconds() -> None:
    load = Load()
    driven(load, [1600 * MS] * 31)
    assert driven(load, draining(1600 * MS, 150), 31)[0] == (31 + 1 + 30, Level.PAUSED)


def test_a_machine_that_still_lags_when_it_had_time_to_drain_is_paused() -> None:
    """At 99 % it has made up for a tenth of it in that time."""
    load = Load()
    driven(load, [1600 * MS] * 31)
    assert driven(load, draining(1600 * MS, 99), 31)[0] == (31 + 160 + 30, Level.PAUSED)


def test_jitter_around_what_it_was_at_the_step_is_not_falling_further_behind() -> None:
    load = Load()
    driven(load, [1600 * MS] * 31)
    rows = [behind + 300 * MS * (step % 5 == 0) for step, behind in enumerate(draining(1600 * MS, 90))]
    assert Level.PAUSED not in [level for _, level in driven(load, rows, 31)]


def test_behind_for_good_with_nothing_left_to_give_up_is_known() -> None:
    load = Load((Level.WHOLE, Level.HALVED))
    driven(load, [LATE] * 261)
    assert not load.helpless
    driven(load, [LATE] * 2, 261)
    assert load.helpless
    driven(load, [SLOW] * 100, 263)
    assert load.helpless
    driven(load, [CALM] * 31, 363)
    assert not load.helpless
    alone = Load((Level.WHOLE,))
    driven(alone, [LATE] * 31)
    assert alone.helpless


def test_who_never_wants_relief_has_none() -> None:
    load = Load(rules=Rules(patience=0))
    assert driven(load, [LATE] * 500) == []
    assert not load.helpless


def test_a_short_delay_changes_nothing() -> None:
    assert driven(Load(), ([LATE] * 29 + [SLOW]) * 10) == []


def test_who_catches_up_is_left_in_peace() -> None:
    """Behind, but by a quarter less each three seconds."""
    assert driven(Load(), [int(20 * NANO * 0.7 ** (step / 30)) for step in range(400)]) == []


def test_all_comes_back_after_half_a_minute_in_time_each() -> None:
    load = Load()
    driven(load, [LATE] * 262)
    changes = driven(load, [CALM] * 700, 262)
    assert changes == [(562, Level.HALVED), (862, Level.WHOLE)]


def test_neither_late_nor_in_time_changes_nothing() -> None:
    load = Load()
    driven(load, [LATE] * 31)
    assert driven(load, [SLOW] * 5000, 31) == []
    assert load.level is Level.HALVED


def test_each_relapse_doubles_the_patience_and_a_good_time_forgets_it() -> None:
    load, step, waits = Load((Level.WHOLE, Level.HALVED)), 0, []
    for _ in range(7):
        while load.level is Level.WHOLE:
            load.see(LATE, step * STEP)
            step += 1
        begun = step
        while load.level is Level.HALVED:
            load.see(CALM, step * STEP)
            step += 1
        waits.append((step - begun - 1) // 10)
    assert waits == [30, 60, 120, 240, 480, 600, 600]
    driven(load, [CALM] * 13_000, step)
    step += 13_000
    driven(load, [LATE] * 31, step)
    assert driven(load, [CALM] * 301, step + 31) == [(step + 31 + 300, Level.WHOLE)]


def test_time_before_a_level_is_in_force_does_not_count() -> None:
    load = Load()
    driven(load, [LATE] * 31)
    load.wait()
    assert driven(load, [LATE] * 300, 100) == [(100 + 200 + 30, Level.PAUSED)]


def test_the_only_rung_is_halved_at_most() -> None:
    assert driven(Load((Level.WHOLE, Level.HALVED)), [LATE] * 500) == [(30, Level.HALVED)]


@given(st.lists(st.tuples(st.integers(0, 3 * NANO), st.integers(1, 100)), max_size=20))
def test_levels_change_by_one_and_never_sooner_than_told(runs: list[tuple[int, int]]) -> None:
    load, before, last = Load(), Level.WHOLE, -1000
    values = [behind for behind, count in runs for _ in range(count)]
    for step, level in driven(load, values):
        assert abs(level - before) == 1
        assert step - last >= 30
        before, last = level, step


class Source:
    """Frames of the top rung from a segment's start on."""

    def __init__(self, start: int = 100) -> None:
        self._start = Grid(D).start(start, 90_000)
        self._image = black(64, 48)

    def frame(self, place: int) -> RungFrame:
        picture = reference(self._image)
        return RungFrame(0, picture, self._start + place * SLOT, SLOT, place % 24 == 0)


def admitted(shed: Shed, levels: Iterable[Level], rung: int = 0) -> list[tuple[int, int] | int | None]:
    """What comes of frames: (place, length in slots), a segment's number less 100 for Absent, or nothing."""
    source, made = Source(), []
    for place, level in enumerate(levels):
        item = shed.admit(source.frame(place)._replace(rung=rung), level)
        if isinstance(item, Absent):
            made.append(Grid(D).number_at(item.until, 90_000) - 100)
        else:
            made.append(item and (place, item.duration // SLOT))
    return made


def test_halving_begins_and_ends_with_a_group_of_pictures() -> None:
    shed = Shed(LADDER)
    made = admitted(shed, [Level.WHOLE] * 5 + [Level.HALVED] * 40 + [Level.WHOLE] * 27)
    assert made[:24] == [(place, 1) for place in range(24)]
    assert made[24:48] == [(place, 2) if place % 2 == 0 else None for place in range(24, 48)]
    assert made[48:] == [(place, 1) for place in range(48, 72)]
    assert shed.dropped == 12


def test_a_group_of_an_odd_number_of_frames_has_no_hole_when_halved() -> None:
    ladder = replace(LADDER, video=(replace(LADDER.video[0], key_frames=3),))
    shed, source = Shed(ladder), Source()
    made = [shed.admit(source.frame(place)._replace(key=place % 3 == 0), Level.HALVED) for place in range(6)]
    assert [frame.duration // SLOT for frame in made if isinstance(frame, RungFrame)] == [2, 1, 2, 1]


def test_a_pause_begins_and_ends_with_a_segment() -> None:
    """A segment has two groups of pictures here; each one that is left out is told at its start."""
    made = admitted(Shed(LADDER), [Level.WHOLE] * 10 + [Level.PAUSED] * 105 + [Level.WHOLE] * 40)
    assert made[:48] == [(place, 1) for place in range(48)]
    assert made[48:144] == [2, *[None] * 47, 3, *[None] * 47]
    assert made[144:] == [(place, 1) for place in range(144, 155)]


def test_the_other_rungs_lose_nothing() -> None:
    assert admitted(Shed(LADDER), [Level.PAUSED] * 60, rung=1) == [(place, 1) for place in range(60)]


def encoded(levels: list[Level]) -> tuple[RungEncoder, list[EncodedPacket | Absent]]:
    shed, source = Shed(LADDER), Source()
    rung = RungEncoder(LADDER.video[0])
    packets: list[EncodedPacket | Absent] = []
    for place, level in enumerate(levels):
        frame = source.frame(place)
        item = shed.admit(frame, level)
        if item is not None:
            packets += rung.push(item, 0)
    return rung, packets + rung.flush()


def test_halved_pictures_come_in_order_and_every_sample_can_be_decoded_in_time() -> None:
    """Decode times are the sorted times less a constant: no sample may be shown before that."""
    rung, packets = encoded([Level.HALVED] * 96 + [Level.WHOLE] * 48)
    assert can_be_plain(rung.encoding, "libx264")
    media = [packet for packet in packets if isinstance(packet, EncodedPacket)]
    assert len(media) == 48 + 48
    times = [packet.pts for packet in media]
    assert times[:48] == sorted(times[:48])
    late = [time - place for time, place in zip(times, sorted(times), strict=True)]
    assert min(late) >= -rung.encoding.delay
    ends = sorted((packet.pts, packet.pts + packet.duration) for packet in media)
    assert all(end == begin for (_, end), (begin, _) in pairwise(ends))


def test_a_paused_rung_gives_out_everything_first_and_begins_again_with_a_key_frame() -> None:
    _, packets = encoded([Level.WHOLE] * 48 + [Level.PAUSED] * 48 + [Level.WHOLE] * 24)
    places = [place for place, packet in enumerate(packets) if isinstance(packet, Absent)]
    assert places == [48]
    start = Grid(D).start(102, 90_000)
    assert packets[48] == Absent(start)
    first = packets[49]
    assert isinstance(first, EncodedPacket)
    assert (first.pts, first.key) == (start, True)
    assert len(packets) == 48 + 1 + 24


@pytest.mark.parametrize(
    ("codec", "delay", "plain"), [("libx264", 2, True), ("h264_nvenc", 2, False), ("libsvtav1", 0, True)]
)
def test_which_encoders_can_be_halved(codec: str, delay: int, plain: bool) -> None:
    rung = RungEncoder(LADDER.video[0])
    assert can_be_plain(replace(rung.encoding, delay=delay), codec) is plain


def test_the_rules_are_what_the_documentation_says() -> None:
    assert Rules() == Rules(
        late=NANO // 2, patience=3 * NANO, drain=10, calm=NANO // 5, trust=30 * NANO, longest=600 * NANO
    )
