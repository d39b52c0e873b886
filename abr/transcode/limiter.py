"""A look-ahead limiter: no true peak above a ceiling, and nothing else is touched."""

import numpy as np
from numpy.typing import NDArray

from abr.transcode.frame import Samples
from abr.transcode.truepeak import REACH, Floats, highest, interval_peaks, overshoot

_AHEAD = 240
"""Samples over which the level goes down before a peak: 5 ms at 48 kHz."""
DELAY = _AHEAD + REACH - 1
"""Samples that go out later than they came in."""
_RELEASE = 1 / 24_000
"""How fast the level comes back: from nothing to full in half a second."""


class Limiter:
    """Gives out as many samples as it takes, `DELAY` later; the first `DELAY` are nothing.

    The gain of a sample is the mean, over the last `_AHEAD` samples, of the least gain that any of the `_AHEAD`
    samples from there on needs. So it never exceeds what the sample itself needs, and has no steps.
    """

    def __init__(self, channels: int, ceiling: float) -> None:
        """`ceiling` is a level, full scale 1."""
        self._ceiling = ceiling
        self._raw: Samples = np.zeros((channels, DELAY + REACH), np.float32)
        """The last samples that came."""
        self._needed: Floats = np.ones(_AHEAD, np.float32)
        """What the intervals before need, the newest last."""
        self._held = np.ones(_AHEAD - 1)
        """The least gains before, with their release."""
        self._calm = True
        """Whether every gain that is remembered is 1."""
        self.reduction = 1.0
        """The least gain of the last call."""

    def push(self, samples: Samples) -> Samples:
        """Sound that follows the last."""
        count = samples.shape[1]
        raw = np.concatenate((self._raw, samples), axis=1)
        out = raw[:, REACH : REACH + count]
        self._raw = raw[:, count:]
        recent = raw[:, raw.shape[1] - count - 2 * REACH + 1 :]
        if self._calm and highest(recent) * overshoot() <= self._ceiling:
            self.reduction = 1.0
            return out
        gains = self._gains(interval_peaks(recent))
        self.reduction = float(gains.min(initial=1.0))
        return out * gains

    def flush(self) -> Samples:
        """The last samples; then it is as new."""
        return self.push(np.zeros((len(self._raw), DELAY), np.float32))

    def _gains(self, peaks: Floats) -> Floats:
        """The gains of as many samples, from the peaks of the newest intervals."""
        needs = np.minimum(1, self._ceiling / np.maximum(peaks, self._ceiling))
        intervals = np.concatenate((self._needed, needs))
        samples = np.minimum(intervals[:-1], intervals[1:])  # a sample ends one interval and begins the next
        self._needed = intervals[-_AHEAD:]
        held = self._released(_least(samples, _AHEAD))
        recent = np.concatenate((self._held, held))
        self._held = recent[1 - _AHEAD :]
        sums = np.concatenate(([0.0], np.cumsum(recent)))
        gains: Floats = ((sums[_AHEAD:] - sums[:-_AHEAD]) / _AHEAD).astype(np.float32)
        self._calm = bool(self._needed.min() == 1 and self._held.min() == 1)
        return gains

    def _released(self, least: Floats) -> NDArray[np.float64]:
        """Gains that fall at once and rise slowly."""
        slope = np.arange(1, len(least) + 1) * _RELEASE
        lowest = np.minimum(np.minimum.accumulate(least - slope), self._held[-1]) + slope
        held: NDArray[np.float64] = np.minimum(lowest, 1)
        return held


def _least(values: Floats, count: int) -> Floats:
    """The least of each `count` neighbours, in as many steps as `count` has bits."""
    width = 1
    while width < count:
        step = min(width, count - width)
        values = np.minimum(values[:-step], values[step:])
        width += step
    return values
