"""Relief for a machine that is too slow: watches how far the output is behind, and takes work from the top rung."""

from collections.abc import Callable
from dataclasses import dataclass

from abr.log import Logger
from abr.model.ladder import Ladder
from abr.model.media import Absent
from abr.model.state import LoadState
from abr.model.time import NANO
from abr.transcode.ladder import RungFrame
from abr.transcode.load import Level, Load, Rules, Shed
from abr.transcode.video import can_be_plain
from abr.worker.pipeline import Encoders

_REMEMBERED = 4
"""A rung's cost is that of about so many frames lately."""


@dataclass(slots=True)
class _Cost:
    """What a frame of a rung costs, and how long it is shown, nanoseconds."""

    work: int = 0
    length: int = 1

    @property
    def share(self) -> float:
        """Of real time; above 1 the rung alone is too much."""
        return self.work / self.length


class Relief:
    """One event's. `admit` and `see` are called by the thread that scales, `worked` by that of each rung.

    `clock` is the event's media clock (ns).
    """

    def __init__(
        self,
        ladder: Ladder,
        levels: tuple[Level, ...],
        clock: Callable[[], int],
        log: Logger,
        rules: Rules = Rules(),  # noqa: B008 - frozen
    ) -> None:
        self._names = [rung.name for rung in ladder.video]
        self._scale = ladder.video[0].timescale
        self._load, self._shed = Load(levels, rules), Shed(ladder)
        self.clock, self._log = clock, log
        self._costs = [_Cost() for _ in ladder.video]
        self._behind = 0
        self._since: int | None = None

    def admit(self, frame: RungFrame) -> RungFrame | Absent | None:
        """What a rung's encoder gets for a frame."""
        before = self._shed.level
        admitted = self._shed.admit(frame, self._load.level)
        if self._shed.level is not before:
            self._tell(before, self._shed.level)
        return admitted

    def see(self, due: int | None) -> None:
        """The next output is due at this instant, and all before it has been handed on."""
        now = self.clock()
        self._behind = 0 if due is None else max(0, now - due)
        helpless = self._load.helpless
        if self._shed.level is self._load.level:
            self._load.see(self._behind, now)
        else:
            self._load.wait()
        if self._load.helpless is not helpless:
            self._tell_helpless()

    def worked(self, frame: RungFrame, work: int) -> None:
        """A rung has encoded a frame; it took `work` nanoseconds."""
        cost, length = self._costs[frame.rung], frame.duration * NANO // self._scale
        cost.work += (work - cost.work) // _REMEMBERED
        cost.length += (length - cost.length) // _REMEMBERED

    def shed(self, rendition: str, number: int) -> int:
        """What a rendition's segment has lost (`SegmentRow.shed`). Any thread may ask."""
        return int(self._shed.of(number)) if rendition == self._names[0] else 0

    def state(self) -> LoadState:
        """Where it stands."""
        level, since = self._shed.level, self._since
        short = level or self._load.helpless
        return LoadState(
            level=level.name.lower(),
            rung=self._names[0] if level else "",
            reason=self._reason() if short else "",
            since=since if level else None,
            behind=round(self._behind / NANO, 1),
            dropped=self._shed.dropped,
        )

    def _reason(self) -> str:
        helpless = self._load.helpless
        idle = helpless and self._shed.level is Level.PAUSED
        place = max(range(int(idle), len(self._costs)), key=lambda rung: self._costs[rung].share)
        cost = self._costs[place]
        work, length = cost.work / 1_000_000, cost.length / 1_000_000
        reason = f"{self._names[place]} takes {work:.0f} ms for {length:.0f} ms of picture"
        return reason + "; nothing more can be given up" * helpless

    def _tell_helpless(self) -> None:
        if self._load.helpless:
            behind = round(self._behind / NANO, 1)
            self._log.warning("still too slow", behind=behind, reason=self._reason())
        else:
            self._log.info("in time again")

    def _tell(self, before: Level, level: Level) -> None:
        self._since = self.clock()
        behind = round(self._behind / NANO, 1)
        if level > before:
            what = "frames dropped" if level is Level.HALVED else "rung paused"
            self._log.warning(what, rung=self._names[0], behind=behind, reason=self._reason())
        else:
            what = "rung back" if before is Level.PAUSED else "frames no longer dropped"
            self._log.info(what, rung=self._names[0], dropped=self._shed.dropped)


def relief_levels(ladder: Ladder, encoders: Encoders) -> tuple[Level, ...]:
    """What the top rung of a ladder can give up. The only rung is never paused."""
    top = ladder.video[0]
    halved = can_be_plain(encoders.rungs[0].encoding, top.codec)
    levels = (Level.WHOLE, *([Level.HALVED] if halved else []))
    return (*levels, Level.PAUSED) if len(ladder.video) > 1 else levels
