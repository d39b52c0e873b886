"""The test sound: a beep at the start of each second over a soft hum."""

import numpy as np
from numpy.typing import NDArray

RATE = 48_000
_BEEP = RATE // 20
"""Samples of a beep: 50 ms."""


def samples(first: int, count: int) -> NDArray[np.float32]:
    """Samples `first` … `first + count` of the endless sound, stereo planar, shape [2, count]."""
    place = np.arange(first, first + count)
    second = place % RATE
    beep = np.where(second < _BEEP, 0.5 * np.sin(2 * np.pi * 1000 * second / RATE), 0.0)
    hum = 0.01 * np.sin(2 * np.pi * 220 * place / RATE)
    line = (beep + hum).astype(np.float32)
    return np.stack([line, line])
