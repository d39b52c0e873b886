"""The slots of the output clock: slot i begins i / rate seconds after the Unix epoch."""

from fractions import Fraction

from abr.errors import MediaError
from abr.model.ladder import Ladder
from abr.model.time import NANO, Grid


class Slots:
    """The places of pictures: those of the first rung; in a ladder without video, of its sound's frames.

    Raises MediaError when a segment is not a whole number of slots.
    """

    def __init__(self, ladder: Ladder) -> None:
        self.rate: Fraction
        if ladder.video:
            first = ladder.video[0]
            self.rate, self._per_key, timescale = first.rate, first.key_frames, first.timescale
        else:
            sound = ladder.audio[0]
            self.rate, self._per_key, timescale = (
                Fraction(sound.sample_rate, sound.frame),
                1,
                sound.sample_rate,
            )
        step, per_segment = timescale / self.rate, ladder.duration * self.rate
        if step.denominator != 1 or per_segment.denominator != 1:
            raise MediaError(
                f"segments of {ladder.duration} s are no whole number of frames of 1/{self.rate} s"
                f" in ticks of 1/{timescale} s"
            )
        self.step = int(step)
        """Ticks of a slot."""
        self.length = int(NANO / self.rate)
        """Nanoseconds of a slot, rounded down."""
        self._grid = Grid(ladder.duration)
        self._per_segment = int(per_segment)
        self._multiply, self._divide = self.rate.denominator * NANO, self.rate.numerator

    def start_ns(self, slot: int) -> int:
        """When a slot begins, in nanoseconds, rounded down."""
        return slot * self._multiply // self._divide

    def nearest(self, time: int) -> int:
        """The slot whose beginning is nearest to this instant (ns)."""
        return (2 * time * self._divide + self._multiply) // (2 * self._multiply)

    def next_segment(self, now: int) -> int:
        """The number of the first segment that begins at this instant (ns) or later."""
        number = self._grid.number_at(now, NANO)
        return number if self._grid.start_ns(number) >= now else number + 1

    def number_of(self, slot: int) -> int:
        """The number of the segment that a slot lies in."""
        return slot // self._per_segment

    def first_of(self, number: int) -> int:
        """The first slot of a segment."""
        return number * self._per_segment

    def is_key(self, slot: int) -> bool:
        """Whether a segment or a key interval begins here."""
        return slot % self._per_segment % self._per_key == 0
