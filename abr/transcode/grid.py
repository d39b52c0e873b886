"""The live grid: whatever a feed sends, and when, becomes one picture per slot and sound without a hole."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import av

from abr.model.ladder import Ladder
from abr.model.media import Track
from abr.model.time import NANO
from abr.transcode.anchor import Anchor, Pace, Verdict
from abr.transcode.desk import SoundDesk
from abr.transcode.frame import Decoded, DecodedPicture, DecodedSound, Picture, Placed
from abr.transcode.picture import black
from abr.transcode.rhythm import Rhythm
from abr.transcode.slot import Slots
from abr.transcode.source import Source

_BURST = 2 * NANO
"""At most so much output in one call: a stage that slept must still see what waits in its queue."""

_ROOM = 3 * NANO
"""Pictures further ahead than this (beyond the hold) are not kept."""

_COUNTED = ("repeated", "idle", "dropped", "surplus", "unused", "anchored", "moved")


class _Waiting(NamedTuple):
    """A decoded item that came before the feed's offset was known; `time` in ns of the feed."""

    time: int
    item: Decoded


class LiveGrid:
    """A stage: Decoded in, Placed out, on the clock that `now` says (ns since the epoch), `hold` ns behind it.

    Output begins at a segment start and never breaks: without a feed it goes on with the last picture (after
    `slate_after` ns with `slate`, if one is given) and silence. A repeated picture brings the same frame object
    again: whoever encodes needs one of his own for each. Tell it of a feed by `begin_feed`, `end_feed`.
    """

    def __init__(
        self,
        ladder: Ladder,
        *,
        hold: int,
        slate: av.VideoFrame | None = None,
        slate_after: int = 10 * NANO,
    ) -> None:
        self._ladder = ladder
        self._hold = hold
        self._slots = Slots(ladder)
        self._desk = SoundDesk(ladder)
        self._anchor = Anchor(max(0, hold - self._slots.length))  # its first picture must still be in time
        self._pace, self._rhythm = Pace(hold), Rhythm(self._slots)
        self._slate, self._slate_slots = slate, int(slate_after * self._slots.rate / NANO)
        self._room = int((hold + _ROOM) * self._slots.rate / NANO)
        self._burst = int(_BURST * self._slots.rate / NANO)
        self._source: Source | None = None
        self._offset: int | None = None
        """From the feed's time to ours, ns; None until it is known."""
        self._waiting: list[_Waiting] = []
        self._ready: dict[int, av.VideoFrame] = {}
        self._last: av.VideoFrame | None = None
        self._last_slot = 0
        self._missed = 0
        """Slots since the last picture of a feed."""
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
        source = self._source
        if source is not None and source.uses(item.track):
            time = source.to_ns(item.track, item.pts)
            if self._offset is None:
                self._wait(_Waiting(time, item), source, now)
            elif isinstance(item, DecodedPicture):
                self._place_picture(time, item, now)
            else:
                self._place_sound(time, item, source, now)
        return self.tick(now)

    def tick(self, now: int) -> list[Placed]:
        """Give out the slots whose time has come; at most two seconds of them."""
        due = self._anchor.due() if self._offset is None else None
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
        due = self._anchor.due() if self._offset is None else None
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
        taken), unused (before the start, or in the burst of a new feed). anchored: how often an offset was chosen;
        moved: by one slot, for drift. Samples: silence, late, cut, stretched. Frames that were refused.
        """
        return {name: self._counts[name] for name in _COUNTED} | dict(self._desk.counts())

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
        self._offset = self._anchor.offset
        self._counts["anchored"] += 1
        self._pace.reset()
        self._rhythm.reset()
        self._desk.restart()
        for time, item in sorted(waiting, key=_pictures_first):
            if isinstance(item, DecodedPicture):
                self._put_picture(time, item.frame, late="unused")
            else:
                self._desk.put(source.sounds[item.track], time + self._offset, item.frame)

    def _forget(self) -> None:
        """The offset is of no use any more."""
        self._offset, self._waiting = None, []
        self._anchor.reset()

    def _place_picture(self, time: int, item: DecodedPicture, now: int) -> None:
        place = self._put_picture(time, item.frame, late="dropped")
        self._follow(self._pace.see(place + self._hold - now, now, picture=True))

    def _place_sound(self, time: int, item: DecodedSound, source: Source, now: int) -> None:
        place = time + (self._offset or 0)
        self._desk.put(source.sounds[item.track], place, item.frame)
        if not self._anchor.sound_lost:
            self._follow(self._pace.see(place + self._hold - now, now, picture=False))

    def _put_picture(self, time: int, frame: av.VideoFrame, *, late: str) -> int:
        """Put a picture in its slot; answers the instant at which that begins."""
        assert self._offset is not None
        self._move(self._rhythm.correction(time, self._offset))
        slot = self._rhythm.slot(time + self._offset)
        begin = self._slots.start_ns(slot)
        if self._slot is None or slot < self._slot:
            self._counts[late if slot >= self._begin else "unused"] += 1
            self._keep(frame, slot)
        elif slot in self._ready or len(self._ready) > self._room:
            self._counts["surplus"] += 1
        else:
            self._ready[slot] = frame
        return begin

    def _keep(self, frame: av.VideoFrame, slot: int) -> None:
        """A picture whose slot was given out is still better than an older one, should the next one be missing."""
        if slot > self._last_slot:
            self._last, self._last_slot, self._missed = frame, slot, 0

    def _move(self, by: int) -> None:
        """Move all later times of the feed; the sound follows softly."""
        if by and self._offset is not None:
            self._offset += by
            self._desk.shift(by)

    def _follow(self, verdict: Verdict) -> None:
        """Do what the pace asks for."""
        if verdict is Verdict.STAY:
            return
        if verdict is Verdict.LOST:
            self._forget()
            return
        self._counts["moved"] += 1
        self._move(verdict.value * self._slots.length)

    def _emit(self, placed: list[Placed]) -> None:
        """Give out one slot, and the sound before it."""
        slot = self._slot
        assert slot is not None
        if self._ladder.video:
            placed.append(self._picture(slot))
        placed += self._desk.take(self._slots.start_ns(slot))
        self._slot = slot + 1

    def _picture(self, slot: int) -> Picture:
        frame = self._ready.pop(slot, None)
        if frame is not None:
            self._last, self._last_slot, self._missed = frame, slot, 0
        else:
            self._missed += 1
            self._counts["repeated" if self._source else "idle"] += 1
            frame = self._last or self._first_black()
        slate = self._slate if self._missed > self._slate_slots else None
        slots = self._slots
        return Picture(slot * slots.step, slots.step, slots.is_key(slot), slate or frame, slate is not None)

    def _first_black(self) -> av.VideoFrame:
        """The picture before there was any."""
        rung = self._ladder.video[0]
        self._last = black(rung.width, rung.height)
        return self._last


def _pictures_first(waiting: _Waiting) -> bool:
    """Pictures move the offset a little; sound is placed when that is done."""
    return not isinstance(waiting.item, DecodedPicture)
