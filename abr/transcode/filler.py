"""What fills a slot for which no picture came: the last one for a while, then the slate; and when that was."""

from collections.abc import Callable
from typing import NamedTuple

import av

from abr.model.time import NANO
from abr.transcode.picture import black
from abr.transcode.slot import Slots

_SMALL = 16, 16
"""Black before the first picture, where there is no slate; it is as good in any size."""


class OnSlate(NamedTuple):
    """The slate, now."""

    since: int | None
    """Where it began on the output clock, ns; None while it is not shown."""
    total: int
    """How long it was shown since the event began, ns, this time included."""


class Filler:
    """Holds the last picture for `after` ns, then shows `slate`; before the first picture the slate at once.

    Without a slate the last picture stays. `changed` is told when the slate comes and goes. One thread fills;
    `now` and `holds` may be asked from any.
    """

    def __init__(
        self,
        slots: Slots,
        slate: av.VideoFrame | None,
        after: int,
        changed: Callable[[OnSlate], None] | None = None,
    ) -> None:
        self._slots, self._slate, self._changed = slots, slate, changed
        self._patience = int(after * slots.rate / NANO)
        """Slots."""
        self._last: av.VideoFrame = black(*_SMALL)
        self._last_slot: int | None = None
        self._missed = 0
        """Slots since the last picture."""
        self._began: int | None = None
        """The first slot of the slate that is shown now."""
        self._shown = 0
        """Slots of slate so far."""
        self._spans: list[tuple[int, int]] = []
        """The first and the last segment of each time that the slate was shown."""

    def keep(self, frame: av.VideoFrame, slot: int) -> None:
        """A picture for this slot. One whose slot was given out is still better than an older one."""
        if self._last_slot is None or slot > self._last_slot:
            self._last, self._last_slot, self._missed = frame, slot, 0

    def show(self, slot: int, frame: av.VideoFrame) -> av.VideoFrame:
        """The slot has a picture of its own; slots come in order."""
        self.keep(frame, slot)
        self._take_down()
        return frame

    def fill(self, slot: int) -> tuple[av.VideoFrame, bool]:
        """The slot has none: what is shown in it, and whether that is the slate."""
        self._missed += 1
        if self._slate is None or (self._last_slot is not None and self._missed <= self._patience):
            self._take_down()
            return self._last, False
        self._put_up(slot)
        return self._slate, True

    def now(self) -> OnSlate:
        """Whether the slate is shown, and for how long it was."""
        began, slots = self._began, self._slots
        total = slots.start_ns(self._shown)
        return OnSlate(None if began is None else slots.start_ns(began), total)

    def holds(self, number: int) -> bool:
        """Whether a picture of this segment is the slate."""
        for first, last in reversed(self._spans):
            if first <= number:
                return number <= last
        return False

    def _put_up(self, slot: int) -> None:
        number = self._slots.number_of(slot)
        self._shown += 1
        if self._began is not None:
            self._spans[-1] = self._spans[-1][0], number
            return
        self._began = slot
        self._spans.append((number, number))
        self._tell()

    def _take_down(self) -> None:
        if self._began is not None:
            self._began = None
            self._tell()

    def _tell(self) -> None:
        if self._changed is not None:
            self._changed(self.now())
