"""The sound of one rendition on its sample clock: no hole, no overlap, blocks on the grid of the encoder's frames."""

from collections import Counter

from abr.model.ladder import AudioTarget
from abr.transcode.frame import Samples, Sound
from abr.transcode.samples import SampleRow, faded_in
from abr.transcode.stretch import Stretch

_HOLE_MS = 20
"""A step in the times of more than this is a hole or an overlap of the source; less is jitter or drift."""

_FAR_MS = 200
"""An error that is too large to be stretched away."""

_DRIFT_US = 1500
"""From this mean error on, sound is stretched or squeezed."""

_MOST = 0.001
"""By this part of its length at most: not heard."""

_CALM = 1
"""Seconds over which the error is averaged; an error that stays is made up for within twice that time."""

_FADE_MS = 9
"""How long sound fades in after silence."""

_LARGEST = 32
"""Frames in one Sound, at most."""


class SoundLine:
    """Takes pieces of sound with their places, gives out a row of blocks without a hole.

    Places and lengths are samples of the output clock. What is missing is silence; sound that comes for a time
    that was given out is lost. Small errors of the source's clock are removed by stretching.
    """

    def __init__(self, target: AudioTarget) -> None:
        rate = target.sample_rate
        self._name, self._channels, self._frame = target.name, target.channels, target.frame
        self._hole, self._far = rate * _HOLE_MS // 1000, rate * _FAR_MS // 1000
        self._drift, self._fade = rate * _DRIFT_US // 1_000_000, rate * _FADE_MS // 1000
        self._calm = rate * _CALM
        self._row: SampleRow | None = None
        self._start: int | None = None
        self._open = False
        self._dry = False
        """Whether the row ends in silence that stands for what did not come in time."""
        self._expected: int | None = None
        """Where the next piece would join the last one without a step."""
        self._mean = 0.0
        """Mean error, samples."""
        self._stretch = Stretch(target.channels)
        self._stretching = False
        self._stretched = 0.0
        self.counts: Counter[str] = Counter()
        """Samples: silence put in, late (their time was over), cut (overlapped), stretched (in or out)."""

    @property
    def tail(self) -> int | None:
        """Where the sound that came so far ends; None before there was any."""
        return self._row.tail if self._row else None

    def begin(self, start: int) -> None:
        """The first block begins at `start` (a frame border), or one frame earlier where there is sound."""
        self._start = start

    def restart(self) -> None:
        """The next piece stands where its place says, whatever came before."""
        self._expected = None

    def shift(self, samples: int) -> None:
        """The places of all later pieces are moved by so much; the sound follows softly."""
        if self._expected is not None:
            self._expected += samples

    def put(self, place: int, samples: Samples) -> None:
        """Add a piece whose first sample belongs at `place`."""
        if self._row is None:
            self._row = SampleRow(self._channels, place)
        error, length = place - self._row.tail - self._stretch.held, samples.shape[1]
        step = 0 if self._expected is None else place - self._expected
        hole = abs(step) > self._hole and abs(error) > self._hole
        broken = self._expected is None or hole or abs(error) > self._far
        self._expected = place + length
        if not broken:
            self._row.append(self._stretch.push(samples, self._slow(error, length)))
        elif length <= -error:
            self._lose(length)
        else:
            self._join(self._row, place, samples)
        if not self._open and self._start is not None:
            self._row.drop_before(self._start - self._frame)

    def take(self, until: int) -> list[Sound]:
        """Blocks up to the last frame border at or before `until`; silence where nothing came.

        Nothing before `until` is past the start.
        """
        end = until - until % self._frame
        if self._start is None or (not self._open and end <= self._start):
            return []
        row = self._row if self._open and self._row else self._opened(self._start)
        if end > row.tail:
            self._fill(row, end)
        made = []
        while row.base < end:
            place = row.base
            made.append(Sound(self._name, place, row.read(min(end - place, _LARGEST * self._frame))))
        return made

    def end(self, until: int) -> list[Sound]:
        """The last blocks: up to the first frame border at or after `until`, silence from `until` on."""
        if self._row:
            self._row.append(self._stretch.flush())
            self.counts["cut"] += max(0, self._row.tail - until)
            self._row.cut_after(max(until, self._row.base))
        return self.take(until + -until % self._frame)

    def _opened(self, start: int) -> SampleRow:
        """The row from the first block on: the encoder wants one block of real sound before the start."""
        self._open = True
        row, early = self._row, start - self._frame
        if row is None or row.tail <= start:
            row = self._row = SampleRow(self._channels, start)
        elif row.base <= early:
            row.drop_before(early)
        elif row.base < start:
            row.drop_before(start)
            row.fade_in(self._fade)
        else:
            self.counts["silence"] += row.base - start
            row.prepend_silence(row.base - start)
        return row

    def _fill(self, row: SampleRow, end: int) -> None:
        """Silence up to `end`, where sound should be."""
        row.append(self._stretch.flush())
        missing = end - row.tail
        if missing > 0:
            self.counts["silence"] += missing
            row.fade_out(self._fade)
            row.append_silence(missing)
        self.restart()
        self._dry = True

    def _lose(self, length: int) -> None:
        """A piece that lies wholly where others are already; the next one may fit."""
        self.counts["late" if self._dry else "cut"] += length
        self.restart()

    def _join(self, row: SampleRow, place: int, samples: Samples) -> None:
        """Put a piece where it belongs, after silence, or without what overlaps; it fades in."""
        row.append(self._stretch.flush())
        self._mean, self._stretching = 0.0, False
        error = place - row.tail
        if error < 0:
            cut = min(-error, samples.shape[1])
            self.counts["late" if self._dry else "cut"] += cut
            samples = samples[:, cut:]
        elif error > 0:
            self.counts["silence"] += error
            row.fade_out(self._fade)
            row.append_silence(error)
        row.append(self._stretch.push(faded_in(samples, self._fade), 0.0))
        self._dry = False

    def _slow(self, error: int, length: int) -> float:
        """How much longer a piece must be, as a part of its length.

        Once sound was off its place it is followed without a pause: a clock that drifts goes on drifting.
        """
        self._mean += (error - self._mean) * length / (self._calm + length)
        self._stretching = self._stretching or abs(self._mean) > self._drift
        if not self._stretching:
            return 0.0
        slow = max(-_MOST, min(_MOST, self._mean / (2 * self._calm)))
        self._stretched += abs(slow) * length
        self.counts["stretched"] = int(self._stretched)
        return slow
