"""Lip sync of a test picture: white flashes against beeps (C-16)."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from abr.verify.decode import tape
from abr.verify.rendition import Rendition
from abr.verify.source import Source

_FLASH = 40
"""By how much the mean luma of a flash (0 to 255) is above that of the frame before."""
_BEEP = 0.1
"""Amplitude (full scale 1) at which a beep has begun."""
_SILENCE = Fraction(1, 10)
"""Seconds of silence before a beep."""
_REACH = Fraction(1, 2)
"""A beep farther from its flash than this belongs to another one."""


class Frame(NamedTuple):
    """A decoded picture: presentation time in seconds and mean luma."""

    time: Fraction
    luma: float


def flashes(frames: Sequence[Frame]) -> list[Fraction]:
    """Times of the first frame of each flash."""
    return [after.time for before, after in pairwise(frames) if after.luma - before.luma > _FLASH]


def beeps(samples: NDArray[np.float32], rate: int, start: Fraction) -> list[Fraction]:
    """Times at which sound follows silence; `start` is the time of the first sample, seconds."""
    loud = np.flatnonzero(np.abs(samples) > _BEEP)
    if not len(loud):
        return []
    quiet = int(_SILENCE * rate)
    gaps = np.diff(loud, prepend=loud[0] - quiet - 1 if loud[0] > quiet else loud[0])
    return [start + Fraction(int(place), rate) for place in loud[gaps > quiet]]


def offset(flash: Sequence[Fraction], beep: Sequence[Fraction]) -> Fraction | None:
    """Seconds by which sound follows picture (negative: it leads), the median of all pairs; None without pairs."""
    pairs = []
    for instant in flash:
        nearest = min(beep, key=lambda other: abs(other - instant), default=None)
        if nearest is not None and abs(nearest - instant) < _REACH:
            pairs.append(nearest - instant)
    return median(pairs) if pairs else None


def av_offset(source: Source, video: Rendition, audio: Rendition) -> int | None:
    """Milliseconds by which sound follows picture in a stream with flashes and beeps, None without any.

    Edit lists are applied, as a player does. Raises av.error.FFmpegError if it cannot be decoded.
    """
    late = offset(flashes(_frames(source, video)), _sounds(source, audio))
    return None if late is None else round(late * 1000)


def _frames(source: Source, rendition: Rendition) -> list[Frame]:
    frames = []
    with av.open(tape(source, rendition.media), mode="r", format="mp4") as container:
        for frame in container.decode(video=0):
            if frame.pts is not None and frame.time_base is not None:
                luma = frame.reformat(width=32, height=18, format="gray").to_ndarray()
                frames.append(Frame(frame.pts * frame.time_base, float(luma.mean())))
    return frames


def _sounds(source: Source, rendition: Rendition) -> list[Fraction]:
    start, rate, blocks = None, 48_000, []
    with av.open(tape(source, rendition.media), mode="r", format="mp4") as container:
        resampler = av.AudioResampler(format="flt", layout="mono")
        for frame in container.decode(audio=0):
            if start is None and frame.pts is not None and frame.time_base is not None:
                start, rate = frame.pts * frame.time_base, frame.sample_rate
            blocks += [block.to_ndarray()[0] for block in resampler.resample(frame)]
    if start is None or not blocks:
        return []
    return beeps(np.concatenate(blocks).astype(np.float32), rate, start)
