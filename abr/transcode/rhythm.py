"""The rhythm of a feed's pictures: where each belongs, and small breaks of it that nobody should see."""

from abr.transcode.slot import Slots

_JITTER = 2_000_000
"""Times in milliseconds are up to one off; a rhythm whose steps differ by more is none."""

_BREAK = 3_000_000
"""A step that is off by more breaks the rhythm."""

_STEADY = 16
"""So many equal steps are a rhythm."""

_STICK = 1_500_000
"""A rhythm changes its slots when its pictures are so much further away than half a slot: rounded times do not."""

_AVERAGE = 8
"""Pictures over which that is averaged."""

_LONGEST = 8
"""A pause of more steps than this is no break: the rhythm begins anew."""


class Rhythm:
    """Chooses the slot of each picture of one feed, in the order in which they are shown."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._near, self._far = slots.length // 2 + _STICK, slots.length * 3 // 4
        self.reset()

    def reset(self) -> None:
        """A new feed, or a new time line."""
        self._time: int | None = None
        self._slot = 0
        self._usual = 0
        self._count = 0
        self._stepped = False
        self._seam = 0
        """By how much the step before was off the rhythm, ns."""
        self._away = 0
        """How far the pictures are behind their slots on average, ns."""

    def correction(self, time: int, offset: int) -> int:
        """What to add to the offset (ns) so that the picture of feed time `time` fits in.

        The first picture, and one after a pause, is put exactly on a slot. A steady feed whose times make a small
        extra step (where a looped file joins) keeps its rhythm: sound follows softly, no picture is repeated. Two such
        steps in a row are another rhythm: the source has changed its rate.
        """
        before, self._time = self._time, time
        step = 0 if before is None else time - before
        usual = self._usual
        if step <= 0 or step > _LONGEST * max(usual, self._slots.length):
            self._count, self._usual, self._seam, self._stepped = 0, 0, 0, False
            place = time + offset
            return self._slots.start_ns(self._slots.nearest(place)) - place
        self._stepped = abs(step - self._slots.length) * 4 < self._slots.length
        if self._count < _STEADY or abs(step - usual) <= _BREAK:
            self._count = self._count + 1 if abs(step - usual) <= _JITTER else 0
            self._usual, self._seam = step, 0
            return 0
        times = max(1, (step + usual // 2) // usual)
        rest = step - times * usual
        seam, self._seam = self._seam, rest if abs(rest) > _BREAK else 0
        if seam and self._seam:
            self._count, self._usual, self._seam = 0, step, 0
            return seam
        return -self._seam

    def slot(self, place: int) -> int:
        """The slot of a picture that belongs at `place` (ns): the nearest; the next one as long as that is near."""
        nearest, following = self._slots.nearest(place), self._slot + 1
        away = place - self._slots.start_ns(following)
        self._away += (away - self._away) // _AVERAGE
        if not (self._stepped and abs(self._away) <= self._near and abs(away) < self._far):
            following = nearest
            self._away = place - self._slots.start_ns(nearest)
        self._slot = following
        return following
