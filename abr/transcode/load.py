"""When encoding falls behind real time: what the top rung gives up, and when it gets it back. Arithmetic only."""

from dataclasses import dataclass
from enum import IntEnum

from abr.model.ladder import Ladder
from abr.model.media import Absent
from abr.model.time import NANO, Grid
from abr.transcode.ladder import RungFrame

_REMEMBERED = 64
"""Spans below WHOLE: what is encoded and not packaged yet is a few segments."""


class Level(IntEnum):
    """How the top rung is encoded."""

    WHOLE = 0
    HALVED = 1
    """Of each two frames one."""
    PAUSED = 2
    """Not at all: its segments are gaps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When a level changes, nanoseconds."""

    late: int = NANO // 2
    """Further behind than this is too far."""
    patience: int = 3 * NANO
    """How long it may be too far behind, and not catching up; 0: nothing is ever given up."""
    drain: int = 10
    """After a step it may be behind for so many times as long as it was then: by that time a machine that works nine
    tenths of the time has made up for it. If it falls further behind this does not count."""
    calm: int = NANO // 5
    """No further behind than this is in time."""
    trust: int = 30 * NANO
    """How long it must be in time before more is asked of it."""
    longest: int = 600 * NANO
    """The same after several relapses: each one doubles it."""


class Load:
    """The level, from how far behind the output is. `levels` are those that the ladder can take."""

    def __init__(self, levels: tuple[Level, ...] = tuple(Level), rules: Rules = Rules()) -> None:
        self._levels, self._rules = levels, rules
        self._place = 0
        self._trust = rules.trust
        self._changed: int | None = None
        """When it last went down, for relapses."""
        self._late: tuple[int, int] | None = None
        """Since when it is too far behind, and how far it was then."""
        self._calm: int | None = None
        """Since when it is in time."""
        self._stepped = False
        """Whether a step down was not seen in force yet."""
        self._draining = 0, 0
        """Until when what waited at the latest step may take to drain, and how far behind it was then."""
        self.helpless = False
        """Whether it is too far behind although everything was given up."""

    @property
    def level(self) -> Level:
        """The level that is wanted now."""
        return self._levels[self._place]

    def see(self, behind: int, now: int) -> bool:
        """How far the output is behind at `now`, ns; whether the level changed."""
        rules = self._rules
        if self._stepped:
            self._stepped, self._draining = False, (now + rules.drain * behind, behind)
        self._calm = (now if self._calm is None else self._calm) if behind <= rules.calm else None
        if behind <= rules.late:
            self._late, self._draining = None, (0, 0)
            return self._relieved(now)
        return rules.patience > 0 and self._is_strained(behind, now) and self._strained(now)

    def _is_strained(self, behind: int, now: int) -> bool:
        """Whether it is too far behind for too long, and not catching up."""
        until, most = self._draining
        if now < until and behind <= most:
            self._late = None
            return False
        since, then = self._late = self._late or (now, behind)
        if now - since < self._rules.patience:
            return False
        self._late = now, behind
        return behind > then * 3 // 4

    def wait(self) -> None:
        """The level is not in force yet: what is seen meanwhile says nothing of it."""
        self._late = self._calm = None

    def _strained(self, now: int) -> bool:
        """Give up more, if there is more."""
        if self._place + 1 == len(self._levels):
            self.helpless = True
            return False
        relapse = self._changed is not None and now - self._changed < 2 * self._trust
        self._trust = min(self._rules.longest, 2 * self._trust) if relapse else self._rules.trust
        self._place, self._changed, self._stepped = self._place + 1, None, True
        return True

    def _relieved(self, now: int) -> bool:
        self.helpless &= self._calm is None or now - self._calm < self._rules.patience
        if not self._place or self._calm is None or now - self._calm < self._trust:
            return False
        self._place, self._changed, self._calm = self._place - 1, now, now
        return True


class Shed:
    """Takes frames away from the top rung, so that all that is left stays lawful.

    Halving begins and ends with a group of pictures, a pause with a segment.
    """

    def __init__(self, ladder: Ladder) -> None:
        top = ladder.video[0]
        self._grid, self._scale, self._group = Grid(ladder.duration), top.timescale, top.key_frames
        self.level = Level.WHOLE
        """What is in force."""
        self._place = 0
        """Of the next frame in its group."""
        self.dropped = 0
        """Frames that the top rung has lost."""
        self._spans: tuple[tuple[int, int, Level], ...] = ()
        """The first and the last segment of each time below WHOLE, the latest ones."""

    def admit(self, frame: RungFrame, wanted: Level) -> RungFrame | Absent | None:
        """What the rung's encoder gets for a frame: it, or nothing, or the word that nothing comes for a while."""
        if frame.rung:
            return frame
        border = frame.key and self._begins_segment(frame.pts)
        if frame.key:
            self._place = 0
            self._turn(wanted, border=border)
        place, self._place = self._place, self._place + 1
        if self.level is Level.WHOLE:
            return frame
        if frame.key:
            self._note(self._grid.number_at(frame.pts, self._scale))
        if self.level is Level.HALVED and place % 2 == 0:
            count = min(2, max(1, self._group - place))
            return frame._replace(duration=frame.duration * count, plain=True)
        self.dropped += 1
        if self.level is Level.PAUSED and border:
            number = self._grid.number_at(frame.pts, self._scale)
            return Absent(self._grid.start(number + 1, self._scale))
        return None

    def of(self, number: int) -> Level:
        """The level in force in a segment, lately; the lower one where it changed within. Any thread may ask."""
        return next((level for first, last, level in self._spans if first <= number <= last), Level.WHOLE)

    def _note(self, number: int) -> None:
        spans, level = self._spans, self.level
        if spans and spans[-1][2] is level and number - spans[-1][1] <= 1:
            self._spans = (*spans[:-1], (spans[-1][0], number, level))
        else:
            self._spans = (*spans[1 - _REMEMBERED :], (number, number, level))

    def _turn(self, wanted: Level, *, border: bool) -> None:
        if border or Level.PAUSED not in {wanted, self.level}:
            self.level = wanted

    def _begins_segment(self, pts: int) -> bool:
        return self._grid.start(self._grid.number_at(pts, self._scale), self._scale) == pts
