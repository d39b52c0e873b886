"""The loudness meter of a rendition: EBU R128 (Tech 3341, ITU-R BS.1770-4), in memory that does not grow."""

import math
from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from abr.transcode.frame import Samples
from abr.transcode.kweight import STEP, KWeighting
from abr.transcode.truepeak import REACH, highest, interval_peaks, overshoot

_MOMENTARY, _SHORT = 4, 30
"""Steps of 100 ms."""
_OFFSET = -0.691
"""LUFS of a weighted mean square of 1 (BS.1770-4 (2))."""
_SURROUND = 1.41
_WEIGHTS = {6: (1.0, 1.0, 1.0, 0.0, _SURROUND, _SURROUND)}
"""FL FR FC LFE BL BR (table 3: the low-frequency channel does not count)."""

ABSOLUTE = -70.0
"""LUFS below which a block counts as silence."""
RELATIVE = 10.0
"""LU under the mean below which a block does not count."""
_LOUDEST = 20.0
_BINS_A_LU = 100


class Reading(NamedTuple):
    """LUFS and dBTP; None is silence, or nothing yet."""

    momentary: float | None
    """The last 400 ms."""
    short_term: float | None
    """The last 3 s."""
    integrated: float | None
    """All since the start, gated."""
    true_peak: float | None
    """The highest since the start."""


class Gate:
    """Mean loudness of all blocks that are neither silent nor far below the others (BS.1770-4, Annex 1, 5).

    Blocks are kept as counts by loudness, a hundredth of a LU each; their energies are summed exactly.
    """

    def __init__(self) -> None:
        bins = int((_LOUDEST - ABSOLUTE) * _BINS_A_LU) + 1
        self._counts: NDArray[np.int64] = np.zeros(bins, np.int64)
        self._energies: NDArray[np.float64] = np.zeros(bins)

    def add(self, energy: float) -> None:
        """A block's weighted energy."""
        loudness = lufs(energy)
        if loudness is not None and loudness >= ABSOLUTE:
            place = self._bin(loudness)
            self._counts[place] += 1
            self._energies[place] += energy

    def loudness(self) -> float | None:
        """LUFS; None before the first block that counts."""
        count = self._counts.sum()
        if not count:
            return None
        mean = lufs(float(self._energies.sum() / count))
        assert mean is not None
        least = self._bin(max(ABSOLUTE, mean - RELATIVE))
        return lufs(float(self._energies[least:].sum() / self._counts[least:].sum()))

    def _bin(self, loudness: float) -> int:
        return min(len(self._counts) - 1, int((loudness - ABSOLUTE) * _BINS_A_LU))


class Meter:
    """Measures 48 kHz sound as it goes by, its `peaks` too. One thread pushes, any may read."""

    def __init__(self, channels: int, *, peaks: bool = True) -> None:
        self._peaks = peaks
        self._weighting = KWeighting(channels)
        self._weights = np.array(_WEIGHTS.get(channels, (1.0,) * channels))
        self._rest: Samples = np.zeros((channels, 0), np.float32)
        self._before: Samples = np.zeros((channels, 2 * REACH - 1), np.float32)
        self._steps: deque[float] = deque(maxlen=_SHORT)
        self._gate = Gate()
        self._peak = 0.0
        self.count = 0
        """Steps of 100 ms so far."""

    def push(self, samples: Samples) -> None:
        """Sound that follows the last; it is measured when a whole step is here."""
        waiting = np.concatenate((self._rest, samples), axis=1)
        whole = waiting.shape[1] - waiting.shape[1] % STEP
        for place in range(0, whole, STEP):
            self._measure(waiting[:, place : place + STEP])
        self._rest = waiting[:, whole:].copy()

    def read(self) -> Reading:
        """What it shows now."""
        steps = list(self._steps)
        return Reading(
            _mean(steps, _MOMENTARY), _mean(steps, _SHORT), self._gate.loudness(), decibels(self._peak)
        )

    @property
    def block(self) -> float:
        """Energy of the last 400 ms; 0 before they are here."""
        steps = list(self._steps)[-_MOMENTARY:]
        return sum(steps) / _MOMENTARY if len(steps) == _MOMENTARY else 0.0

    def _measure(self, step: Samples) -> None:
        self._steps.append(float(self._weighting.energies(step) @ self._weights))
        self.count += 1
        if len(self._steps) >= _MOMENTARY:
            self._gate.add(self.block)
        if self._peaks:
            self._see_peaks(step)

    def _see_peaks(self, samples: Samples) -> None:
        """The curve between samples is looked at only where it could be higher than ever."""
        near = np.concatenate((self._before, samples), axis=1)
        if highest(near) * overshoot() > self._peak:
            self._peak = max(self._peak, float(interval_peaks(near).max(initial=0.0)))
        self._before = near[:, 1 - 2 * REACH :]


def lufs(energy: float) -> float | None:
    """Loudness of a weighted mean square; None for silence."""
    return _OFFSET + 10 * math.log10(energy) if energy > 0 else None


def decibels(level: float) -> float | None:
    """A level below full scale as decibels; None for silence."""
    return 20 * math.log10(level) if level > 0 else None


def _mean(steps: list[float], count: int) -> float | None:
    """Loudness of the last steps, once there are so many."""
    return lufs(sum(steps[-count:]) / count) if len(steps) >= count else None
