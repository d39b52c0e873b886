"""Relief: what it says of a machine that is too slow, and what it takes from the top rung."""

from dataclasses import replace
from fractions import Fraction

from abr.model.ladder import Ladder, VideoTarget
from abr.model.media import Absent
from abr.model.state import LoadState
from abr.model.time import Grid
from abr.transcode.ladder import RungFrame
from abr.transcode.load import Level
from abr.transcode.picture import black
from abr.worker.pipeline import Encoders
from abr.worker.relief import Relief, relief_levels
from tests.fakes.log import KeptLines

NANO = 1_000_000_000
TOP = VideoTarget("720p", 64, 48, Fraction(25), 90_000, "libx264", 100_000, 120_000, 120_000, key_frames=48)
D = Fraction(48, 25)
LADDER = Ladder((TOP, replace(TOP, name="360p", width=32, height=24)), (), D, D * 6)


class Machine:
    """A relief whose clock and output a test drives, one frame of each rung every 40 ms."""

    def __init__(self, levels: tuple[Level, ...] = tuple(Level)) -> None:
        self.now, self.place, self.log = 1_788_027_300 * NANO, 0, KeptLines()
        self.start = Grid(D).start(Grid(D).number_at(self.now // NANO * 90_000, 90_000) + 1, 90_000)
        self.relief = Relief(LADDER, levels, lambda: self.now, self.log)
        self._image = black(64, 48)

    def run(self, frames: int, behind: int) -> list[RungFrame | Absent | None]:
        """The top rung's frames, while the output is so far behind (ns)."""
        made = []
        for _ in range(frames):
            self.relief.see(self.now - behind)
            frame = RungFrame(0, self._image, self.start + self.place * 3600, 3600, self.place % 48 == 0)
            made.append(self.relief.admit(frame))
            self.relief.worked(frame, 55_000_000)
            self.relief.worked(frame._replace(rung=1), 5_000_000)
            self.now, self.place = self.now + NANO // 25, self.place + 1
        return made


def test_a_machine_that_keeps_up_is_left_alone() -> None:
    machine = Machine()
    assert all(isinstance(item, RungFrame) for item in machine.run(500, 0))
    assert machine.relief.state() == LoadState("whole", "", "", None, 0.0, 0)
    assert machine.log.lines == []


def test_each_level_is_told_with_its_reason_and_shown() -> None:
    machine = Machine()
    machine.run(624, 2 * NANO)
    made = machine.run(96, 2 * NANO)
    absent = next(item for item in made if isinstance(item, Absent))
    assert absent.until > machine.start
    state = machine.relief.state()
    assert (state.level, state.rung, state.behind) == ("paused", "720p", 2.0)
    assert state.reason == "720p takes 55 ms for 40 ms of picture"
    assert state.dropped > 48
    (halved, _), (paused, values) = machine.log.lines
    assert (halved, paused) == ("frames dropped", "rung paused")
    assert values == {
        "level": "warning", "rung": "720p", "behind": 2.0, "reason": "720p takes 55 ms for 40 ms of picture"
    }  # fmt: skip
    machine.run(2000, 0)
    assert [event for event, _ in machine.log.lines[2:]] == ["rung back", "frames no longer dropped"]
    assert machine.relief.state().level == "whole"


def test_behind_for_good_although_all_was_given_up_is_told_once_and_shown() -> None:
    """2 s behind all the time: halved after 3 s, paused 23 s later, helpless after 23 s more."""
    machine = Machine()
    machine.run(25 * 60, 2 * NANO)
    assert [event for event, _ in machine.log.lines] == ["frames dropped", "rung paused", "still too slow"]
    values = machine.log.lines[2][1]
    assert values == {
        "level": "warning", "behind": 2.0,
        "reason": "360p takes 5 ms for 40 ms of picture; nothing more can be given up",
    }  # fmt: skip
    state = machine.relief.state()
    assert (state.level, state.reason) == ("paused", values["reason"])
    machine.run(25 * 4, 0)
    assert machine.log.lines[3][0] == "in time again"
    assert "nothing more" not in machine.relief.state().reason


def test_a_ladder_that_can_give_up_nothing_says_so() -> None:
    machine = Machine((Level.WHOLE,))
    machine.run(25 * 10, 2 * NANO)
    state = machine.relief.state()
    assert (state.level, state.rung, state.since) == ("whole", "", None)
    assert state.reason == "720p takes 55 ms for 40 ms of picture; nothing more can be given up"


def test_what_each_segment_has_lost_is_known() -> None:
    machine = Machine()
    made = machine.run(25 * 32, 2 * NANO)
    first = Grid(D).number_at(machine.start, 90_000)
    marks = [machine.relief.shed("720p", first + place) for place in range(len(made) // 48)]
    assert marks == sorted(marks)
    assert set(marks) == {0, 1, 2}
    for place, mark in enumerate(marks):
        frames = [item for item in made[place * 48 : place * 48 + 48] if isinstance(item, RungFrame)]
        assert len(frames) == {0: 48, 1: 24, 2: 0}[mark]
    assert {machine.relief.shed("360p", first + place) for place in range(len(marks))} == {0}


def test_before_anything_is_due_nothing_is_late() -> None:
    machine = Machine()
    machine.relief.see(None)
    machine.relief.see(machine.now + NANO)
    assert machine.relief.state().behind == 0.0


def test_what_a_ladder_can_give_up() -> None:
    encoders = Encoders.open(LADDER, steady=True)
    assert relief_levels(LADDER, encoders) == (Level.WHOLE, Level.HALVED, Level.PAUSED)
    alone = replace(LADDER, video=LADDER.video[:1])
    assert relief_levels(alone, encoders) == (Level.WHOLE, Level.HALVED)
    other = replace(LADDER, video=(replace(TOP, codec="h264_nvenc"), LADDER.video[1]))
    expected = (Level.WHOLE, Level.PAUSED) if encoders.rungs[0].encoding.delay else tuple(Level)
    assert relief_levels(other, encoders) == expected
