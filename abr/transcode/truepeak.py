"""True peaks (ITU-R BS.1770-4, Annex 2): how high sound rises between its samples."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from abr.transcode.frame import Samples

REACH = 8
"""Samples on each side of an interval that its curve depends on."""
_PHASES = 4
"""Points that each interval is looked at: the standard's fourfold rate."""
_SHAPE = 4.5
"""Of the Kaiser window: flat within 0.1 dB up to 18 kHz."""

Floats = NDArray[np.float32]


def interval_peaks(samples: Samples) -> Floats:
    """The highest level of any channel in each interval between two samples, its first sample included.

    Of the first and the last `REACH` samples only the reach is used: n samples have n - 2 · REACH + 1 intervals.
    """
    count = samples.shape[1] - 2 * REACH + 1
    peaks: Floats = np.abs(samples[:, REACH - 1 : REACH - 1 + count]).max(axis=0)
    for channel in samples:
        step = channel.strides[0]
        shifted = np.lib.stride_tricks.as_strided(channel, (2 * REACH, count), (step, step), writeable=False)
        for between in np.abs(_filters() @ np.ascontiguousarray(shifted)):
            np.maximum(peaks, between, out=peaks)
    return peaks


def highest(samples: Samples) -> float:
    """The highest sample of any channel."""
    return float(np.abs(samples).max(initial=0.0))


@cache
def overshoot() -> float:
    """How many times higher than its highest sample a curve can rise at most."""
    return max(1.0, float(np.abs(_filters()).sum(axis=1).max()))


@cache
def _filters() -> Floats:
    """Taps of the points inside an interval, one row each: a windowed sinc."""
    offsets = np.arange(2 * REACH)[:, None] - (REACH - 1) - np.arange(1, _PHASES)[None, :] / _PHASES
    window = np.i0(_SHAPE * np.sqrt(np.clip(1 - (offsets / REACH) ** 2, 0, 1))) / np.i0(_SHAPE)
    taps = np.sinc(offsets) * window
    rows: Floats = np.ascontiguousarray((taps / taps.sum(axis=0)).T, dtype=np.float32)
    return rows
