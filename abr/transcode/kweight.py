"""K-weighting (ITU-R BS.1770-4, Annex 1): how loud each tenth of a second is, as the ear hears it."""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from abr.transcode.frame import Samples

RATE = 48_000
"""The only rate whose coefficients the standard gives, and the one of all our sound."""
STEP = RATE // 10
"""Samples of a step: gating blocks begin every 100 ms."""

Floats = NDArray[np.float64]

_HEAD = (1.53512485958697, -2.69169618940638, 1.19839281085285), (-1.69065929318241, 0.73248077421585)
"""The head's effect, a shelf: b0 b1 b2, a1 a2 (table 1)."""
_LOWS = (1.0, -2.0, 1.0), (-1.99004745483398, 0.99007225036621)
"""The high-pass (table 2)."""

_RUN = 96
"""Samples that are filtered by one multiplication; divides a step."""
_RUNS = STEP // _RUN


class _Blocks(NamedTuple):
    """The cascade of both filters as matrices over runs of samples: exact, and no loop over samples."""

    direct: NDArray[np.float32]
    """What a run's samples give in the same run."""
    later: Floats
    """What the state before a run gives in it."""
    into: Floats
    """What a run's samples leave in the state."""
    spread: Floats
    """From what all runs of a step leave to the state before each run, and after the last."""
    begin: Floats
    """The same from the state before the step."""


class KWeighting:
    """The filter of all channels of a rendition."""

    def __init__(self, channels: int) -> None:
        self._blocks = _blocks()
        self._state: Floats = np.zeros((channels, 4))

    def energies(self, samples: Samples) -> Floats:
        """Mean square of each channel, weighted, over one step that follows the last."""
        blocks, channels = self._blocks, len(samples)
        runs = samples.astype(np.float64).reshape(channels * _RUNS, _RUN)
        left = (runs @ blocks.into).reshape(channels, _RUNS * 4)
        states = (left @ blocks.spread + self._state @ blocks.begin).reshape(channels, _RUNS + 1, 4)
        self._state = states[:, -1]
        heard = samples.reshape(channels * _RUNS, _RUN) @ blocks.direct
        heard += (states[:, :-1].reshape(channels * _RUNS, 4) @ blocks.later).astype(np.float32)
        heard = heard.reshape(channels, STEP)
        mean: Floats = np.einsum("cs,cs->c", heard, heard, dtype=np.float64) / STEP
        return mean


@cache
def _blocks() -> _Blocks:
    step, into, out, through = _cascade(_section(*_HEAD), _section(*_LOWS))
    powers = [np.eye(4)]
    for _ in range(_RUN):
        powers.append(powers[-1] @ step)
    answer = np.array([through, *(out @ powers[place] @ into for place in range(_RUN - 1))])
    direct = np.zeros((_RUN, _RUN))
    for place in range(_RUN):
        direct[place, place:] = answer[: _RUN - place]
    later = np.array([out @ powers[place] for place in range(_RUN)])
    left = np.array([powers[_RUN - 1 - place] @ into for place in range(_RUN)])
    jumps = [np.eye(4)]
    for _ in range(_RUNS):
        jumps.append(jumps[-1] @ powers[_RUN])
    spread = np.zeros((_RUNS, 4, _RUNS + 1, 4))
    for run in range(_RUNS):
        for target in range(run + 1, _RUNS + 1):
            spread[run, :, target] = jumps[target - 1 - run].T
    begin = np.concatenate([jump.T for jump in jumps], axis=1)
    return _Blocks(direct.astype(np.float32), later.T, left, spread.reshape(_RUNS * 4, -1), begin)


_Section = tuple[Floats, Floats, Floats, float]
"""A filter as a state space: next state, what a sample adds to it, output, what a sample adds to that."""


def _section(b: tuple[float, float, float], a: tuple[float, float]) -> _Section:
    """A second-order filter in transposed direct form II."""
    step = np.array([[-a[0], 1.0], [-a[1], 0.0]])
    into = np.array([b[1] - a[0] * b[0], b[2] - a[1] * b[0]])
    return step, into, np.array([1.0, 0.0]), b[0]


def _cascade(first: _Section, second: _Section) -> _Section:
    """One filter behind the other."""
    step = np.zeros((4, 4))
    step[:2, :2], step[2:, 2:] = first[0], second[0]
    step[2:, :2] = np.outer(second[1], first[2])
    into = np.concatenate((first[1], second[1] * first[3]))
    out = np.concatenate((first[2] * second[3], second[2]))
    return step, into, out, first[3] * second[3]
