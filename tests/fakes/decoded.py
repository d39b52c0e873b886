"""Decoded pictures and sound with chosen times; the frames themselves are few and are used again."""

from collections.abc import Iterator
from fractions import Fraction
from functools import cache

import av
import numpy as np

from abr.model.media import Kind, Track
from abr.transcode.frame import Decoded, DecodedPicture, DecodedSound
from tests.fakes.clip import beeps, picture

TS = Fraction(1, 90_000)
RATE = 48_000
TRACKS = (
    Track(0, Kind.VIDEO, "h264", TS, width=64, height=32),
    Track(1, Kind.AUDIO, "aac", TS, sample_rate=RATE, channels=2),
)

FRAMES = [picture(number, (64, 32)) for number in range(64)]


def shown(number: int, pts: int, *, track: int = 0) -> DecodedPicture:
    """A picture; its frame is one of `FRAMES` (number modulo 64)."""
    return DecodedPicture(track, pts, FRAMES[number % 64])


def heard(
    pts: int,
    samples: np.ndarray,
    *,
    rate: int = RATE,
    layout: str = "stereo",
    base: Fraction = TS,
    track: int = 1,
) -> DecodedSound:
    """Sound of one channel's samples, the same in all of `layout`'s."""
    frame = _frame(samples, rate, layout)
    frame.pts, frame.time_base = pts, base
    return DecodedSound(track, pts, frame)


def _frame(samples: np.ndarray, rate: int, layout: str) -> av.AudioFrame:
    channels = len(av.AudioLayout(layout).channels)
    frame = av.AudioFrame.from_ndarray(np.tile(samples, (channels, 1)), format="fltp", layout=layout)
    frame.sample_rate = rate
    return frame


def beeping(start: int, count: int, *, skip: int = 0, rate: int = RATE) -> Iterator[tuple[int, Decoded]]:
    """`count` sound frames of 1024 samples with a beep each second, with the sample at which each begins.

    Times are ticks of 90 kHz from `start` on.
    """
    for place in range(skip, skip + count):
        first = place * 1024
        yield first, DecodedSound(1, start + first * 90_000 // rate, _beeps(first % rate, rate))


@cache
def _beeps(first: int, rate: int) -> av.AudioFrame:
    """1024 samples from `first` on: the same ones come again every second, or after some."""
    return _frame(beeps(first, 1024, rate), rate, "stereo")
