"""The live grid: whatever a feed sends, and when, becomes one picture per slot and sound without a hole."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import av

from abr.model.ladder import Ladder
from abr.model.media import Track
from abr.model.time import NANO
from abr.transcode.anchor import Anchor, Pace
from abr.transcode.desk import SoundDesk
from abr.transcode.drift import Drift
from abr.transcode.filler import Filler, OnSlate
from abr.transcode.frame import Decoded, DecodedPicture, DecodedSound, Picture, Placed
from abr.transcode.rhythm import Rhythm
from abr.transcode.slot import Slots
from abr.transcode.source import Source

_BURST = 2 * NANO
"""At most so much output in one call: a stage that slept must still see what waits in its queue."""

_ROOM = 3 * NANO
"""Pictures and sound that come so long before their time are not kept."""

_COUNTED = ("repeated", "idle", "dropped", "surplus", "unused", "anchored")


class _Waiting(NamedTuple):
    """A decoded item that came before the feed's offset was known; `time` in ns of the feed."""

    time: int
    item: Decoded


class LiveGrid:
    """A stage: Decoded in, Placed out, on the clock that `now` says (ns since the epoch), `hold` ns behind it.

    Output begins at a segment start and never breaks: without pictures it goes on with the last one (after
    `slate_after` ns with `slate`, if one is given), without sound with silence. A repeated picture brings the same
    frame object again: whoever encodes needs one of his own for each. Tell it of a feed by `begin_feed`, `end_feed`;
    `slated` is told when the slate comes and goes.
    """

    def __init__(
        self,
        ladder: Ladder,
        *,
        hold: int,
        slate: av.VideoFrame | None = None,
        slate_after: int = 10 * NANO,
        slated: Callable[[OnSlate], None] | None = None,
    ) -> None:
        self._ladder = ladder
        self._hold = hold
        self._slots = Slots(ladder)
        self._desk = SoundDesk(ladder)
        self._anchor = Anchor(max(0, hold - self._slots.length))  # its first picture must still be in time
        self._pace, self._rhythm = Pace(hold), Rhythm(self._slots)
        self.filler = Filler(self._slots, slate, slate_after, slated)
        self._burst = int(_BURST * self._slots.rate / NANO)
        self._source: Source | None = None
        self._now = 0
        """The latest instant that we were told."""
        self._placed = False
        """Whether it is known how the feed's time lies on ours."""
        self._drift = Drift(hold)
        self._waiting: list[_Waiting] = []
        self._ready: dict[int, av.VideoFrame] = {}
        self._slot: int | None = None
        """The next one to be given out."""
        self._begin = 0
        """The first one."""
        self._counts: Counter[str] = Counter()
        self.start: int | None = None
        """Number of the first segment; None until something was decoded."""

    def begin_feed(self, tracks: Sequence[Track]) -> None:
        """A feed comes on air; its times have nothing to do with those of the one before."""
        self.end_feed()
        self._source = Source(tracks, self._ladder)
        self._desk.new_feed()

    def change_tracks(self, tracks: Sequence[Track]) -> None:
        """The feed on air goes on, on the same time line, with other tracks."""
        self._place_waiting()
        self._source = Source(tracks, self._ladder)
        self._desk.drain()
        self._desk.new_feed()

    def end_feed(self) -> None:
        """The feed on air is gone; what came of it is still shown."""
        if self._source is None:
            return
        self._place_waiting()
        self._desk.drain()
        self._forget()
        self._source = None

    def push(self, item: Decoded, now: int) -> list[Placed]:
        """Take a picture or sound of the feed on air."""
        source, self._now = self._source, now
        if source is not None and source.uses(item.track):
            time = source.to_ns(item.track, item.pts)
            if not self._placed:
                self._wait(_Waiting(time, item), source, now)
            elif isinstance(item, DecodedPicture):
                self._place_picture(time, item, now)
            else:
                self._place_sound(time, item, source, now)
        return self.tick(now)

    def tick(self, now: int) -> list[Placed]:
        """Give out the slots whose time has come; at most two seconds of them."""
        self._now = now
        due = self._anchor.due() if not self._placed else None
        if due is not None and due <= now:
            self._choose_start(now)
            self._place_waiting()
        placed: list[Placed] = []
        if self._slot is None:
            return placed
        last, reached = self._slot + self._burst, now - self._hold
        while self._slot < last and self._slots.start_ns(self._slot) <= reached:
            self._emit(placed)
        return placed

    def due(self) -> int | None:
        """When the next slot, or the offset of a new feed, is due."""
        due = self._anchor.due() if not self._placed else None
        if self._slot is None:
            return due
        slot = self._slots.start_ns(self._slot) + self._hold
        return slot if due is None else min(slot, due)

    def flush(self) -> list[Placed]:
        """The event is over: what came in time for later slots, and sound to the end of the last picture."""
        self.end_feed()
        placed: list[Placed] = []
        if self._slot is None:
            return placed
        end = max(self._ready, default=self._slot - 1)
        if not self._ladder.video:
            tails = [tail for tail in self._desk.tails if tail is not None]
            end = max(self._slot, self._slots.nearest(max(tails, default=0))) - 1
        while self._slot <= end:
            self._emit(placed)
        return placed + list(self._desk.end(self._slots.start_ns(self._slot)))

    def stats(self) -> dict[str, int]:
        """Counters since the start.

        Slots: repeated, and idle while no feed was on air. Pictures: dropped (late), surplus (their slot was
        taken, or too far ahead), unused (before the start, or in the burst of a new feed). anchored: how often an
        offset was chosen; moved: by how many slots, back and forth, for drift. Samples: early (too far ahead),
        silence, late, cut, stretched. Frames that were refused.
        """
        counts = {name: self._counts[name] for name in _COUNTED}
        return counts | {"moved": self._drift.moved // self._slots.length} | dict(self._desk.counts())

    @property
    def drift(self) -> int:
        """How much faster than the feed's our time is made to run now, billionths."""
        return self._drift.rate if self._placed else 0

    def _wait(self, waiting: _Waiting, source: Source, now: int) -> None:
        """Keep an item until the offset of its feed is known."""
        picture = isinstance(waiting.item, DecodedPicture)
        alone = source.picture is None
        self._waiting.append(waiting)
        self._anchor.see(waiting.time, now, picture=picture, last_kind=alone)
        if picture or alone:
            self._choose_start(now)

    def _choose_start(self, now: int) -> None:
        """The first segment begins at or after the first item."""
        if self._slot is None:
            self.start = self._slots.next_segment(now)
            self._slot = self._begin = self._slots.first_of(self.start)
            self._desk.begin(self._slots.start_ns(self._slot))

    def _place_waiting(self) -> None:
        """Choose the offset, and put what waited for it in its place."""
        waiting, source = self._waiting, self._source
        if not waiting or source is None:
            return
        self._waiting = []
        self._drift.begin(self._anchor.offset)
        self._placed = True
        self._counts["anchored"] += 1
        self._pace.reset()
        self._rhythm.reset()
        self._desk.restart()
        for time, item in sorted(waiting, key=_pictures_first):
            if isinstance(item, DecodedPicture):
                self._put_picture(time, item.frame, late="unused")
            else:
                self._put_sound(source.sounds[item.track], time + self._drift.at(time), item.frame)

    def _forget(self) -> None:
        """The offset is of no use any more."""
        self._placed, self._waiting = False, []
        self._anchor.reset()

    def _place_picture(self, time: int, item: DecodedPicture, now: int) -> None:
        self._follow(time, self._put_picture(time, item.frame, late="dropped"), now, picture=True)

    def _place_sound(self, time: int, item: DecodedSound, source: Source, now: int) -> None:
        place = time + self._drift.at(time)
        self._put_sound(source.sounds[item.track], place, item.frame)
        if not self._anchor.sound_lost:
            self._follow(time, place, now, picture=False)

    def _put_picture(self, time: int, frame: av.VideoFrame, *, late: str) -> int:
        """Put a picture in its slot; answers the instant at which that begins."""
        self._move(self._rhythm.correction(time, self._drift.at(time)))
        slot = self._rhythm.slot(time + self._drift.at(time))
        begin = self._slots.start_ns(slot)
        if self._slot is None or slot < self._slot:
            self._counts[late if slot >= self._begin else "unused"] += 1
            self.filler.keep(frame, slot)
        elif slot in self._ready or self._is_early(begin):
            self._counts["surplus"] += 1
        else:
            self._ready[slot] = frame
        return begin

    def _put_sound(self, renditions: list[int], place: int, frame: av.AudioFrame) -> None:
        if self._is_early(place):
            self._desk.drop(renditions, frame)
        else:
            self._desk.put(renditions, place, frame)

    def _is_early(self, place: int) -> bool:
        """Whether what belongs at `place` comes so long before its time that it is not kept."""
        return place - self._now > _ROOM

    def _move(self, by: int) -> None:
        """Move all later times of the feed; the sound follows softly."""
        if by:
            self._drift.move(by)
            self._desk.shift(by)

    def _follow(self, time: int, place: int, now: int, *, picture: bool) -> None:
        """See how the feed's clock runs; begin anew when it has nothing to do with what it was."""
        if self._pace.is_lost(place + self._hold - now, now, picture=picture):
            self._forget()
        elif not self._is_early(place):
            self._drift.see(time, now, picture=picture)

    def _emit(self, placed: list[Placed]) -> None:
        """Give out one slot, and the sound before it."""
        slot = self._slot
        assert slot is not None
        if self._ladder.video:
            placed.append(self._picture(slot))
        placed += self._desk.take(self._slots.start_ns(slot))
        self._slot = slot + 1

    def _picture(self, slot: int) -> Picture:
        own, slate = self._ready.pop(slot, None), False
        if own is not None:
            frame = self.filler.show(slot, own)
        else:
            self._counts["repeated" if self._source else "idle"] += 1
            frame, slate = self.filler.fill(slot)
        slots = self._slots
        return Picture(slot * slots.step, slots.step, slots.is_key(slot), frame, slate)


def _pictures_first(waiting: _Waiting) -> bool:
    """Pictures move the offset a little; sound is placed when that is done."""
    return not isinstance(waiting.item, DecodedPicture)
