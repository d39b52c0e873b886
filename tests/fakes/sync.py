"""A feed whose pictures and sound say when they were made, and a judge of what comes out of the grid.

Sound is a slow turn in its two channels, so that any sample tells its own time; no media is coded.
"""

import heapq
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from abr.model.time import NANO
from abr.transcode.frame import Decoded, DecodedPicture, DecodedSound, Picture, Placed, Sound
from tests.fakes.decoded import FRAMES, RATE

TURN = 9_600
"""Samples in which the sound turns once: 200 ms."""

_COUNT = 60
"""Pictures that differ; at 25, 30, 50 and 60 fps they are whole turns."""


@cache
def _piece(first: int, length: int) -> av.AudioFrame:
    angle = 2 * np.pi * (np.arange(first, first + length) % TURN) / TURN
    both = np.stack((np.cos(angle), np.sin(angle))).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(both, format="fltp", layout="stereo")
    frame.sample_rate = RATE
    return frame


_NUMBERS = {id(frame): number for number, frame in enumerate(FRAMES[:_COUNT])}


class Made(NamedTuple):
    """An item and the feed's own time at which it was made, ns."""

    time: int
    item: Decoded


def feed(fps: int, seconds: int, *, base: int = 90_000, piece: int = 4_800) -> Iterator[Made]:
    """Pictures, and sound in pieces of so many samples, as an encoder sends them; times in ticks of 1/`base` s."""
    pictures = (
        Made(place * NANO // fps, DecodedPicture(0, _round(place * base, fps), FRAMES[place % _COUNT]))
        for place in range(fps * seconds)
    )
    sounds = (
        Made(
            first * NANO // RATE,
            DecodedSound(1, _round(first * base, RATE), _piece(first % TURN, piece)),
        )
        for first in range(0, RATE * seconds, piece)
    )
    return heapq.merge(pictures, sounds, key=lambda made: made.time)


def _round(ticks: int, divisor: int) -> int:
    return (2 * ticks + divisor) // (2 * divisor)


class Judge:
    """For each picture that is given out: how much later than its sound it is shown (ns)."""

    def __init__(self, fps: int) -> None:
        self._fps = fps
        self._waiting: list[tuple[int, int]] = []
        self.errors: list[int] = []
        self.slips: list[int] = []
        """Places in `errors` at which the next picture was not the next one of the feed."""
        self._last: int | None = None

    def see(self, placed: list[Placed]) -> None:
        """Take what the grid gave out."""
        for item in placed:
            if isinstance(item, Picture):
                number = _NUMBERS.get(id(item.frame))
                if number is not None:
                    self._waiting.append((item.pts * NANO // 90_000, number))
            else:
                self._hear(item)

    def _hear(self, sound: Sound) -> None:
        begin, end = sound.pts, sound.pts + sound.samples.shape[1]
        rest = []
        for at, number in self._waiting:
            place = at * RATE // NANO
            if place < end:
                if place >= begin:
                    self._compare(number, sound.samples[:, place - begin])
            else:
                rest.append((at, number))
        self._waiting = rest

    def _compare(self, number: int, sample: NDArray[np.float32]) -> None:
        if np.hypot(*sample) < 0.99:
            return  # silence, or coming up from it
        turn = TURN * NANO // RATE
        heard = float(np.arctan2(sample[1], sample[0])) / (2 * np.pi) * turn
        behind = (heard - number * NANO / self._fps + turn / 2) % turn - turn / 2
        if self._last is not None and number != (self._last + 1) % _COUNT:
            self.slips.append(len(self.errors))
        self._last = number
        self.errors.append(round(behind))
