"""Ticks, timescales and the segment grid: integers and exact fractions, never float seconds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

NANO = 1_000_000_000
"""Nanoseconds in a second: the timescale of both clocks."""

AAC_FRAME = 1024
"""Samples in a frame of AAC-LC (ISO/IEC 14496-3)."""

_LONGEST_COMMON = Fraction(4)
"""A common grid of audio and video longer than this (seconds) is no use for segments of some seconds."""


def rescale(ticks: int, source: int, target: int) -> int:
    """Ticks of timescale `source` as ticks of timescale `target`, to the nearest, ties up."""
    return (2 * ticks * target + source) // (2 * source)


def seconds(ticks: int, timescale: int) -> Fraction:
    """Ticks as exact seconds."""
    return Fraction(ticks, timescale)


def video_timescale(rate: Fraction) -> int:
    """A timescale in which a frame of `rate` (frames a second) lasts a whole number of ticks.

    90000 where that holds (24, 25, 30, 29.97, 50, 60), else the smallest multiple of the rate's numerator
    that is at least 24000 (23.976 → 24000, 59.94 → 60000).
    """
    if (90_000 / rate).denominator == 1:
        return 90_000
    return rate.numerator * -(-24_000 // rate.numerator)


def segment_duration(target: Fraction, rates: Sequence[Fraction], audio_rates: Sequence[int]) -> Fraction:
    """D in seconds: the multiple of the common frame grid nearest to `target` (DESIGN 3.5).

    `rates` are the frame rates of all rungs, `audio_rates` the sample rates of the audio renditions (AAC).
    Lengths of whole milliseconds are preferred, ties go to the shorter. Where the common grid of audio and
    video is impractical (29.97), the video's alone counts and audio segments alternate.
    """
    frames = [1 / rate for rate in rates]
    sounds = [Fraction(AAC_FRAME, rate) for rate in audio_rates]
    common = _common_multiple([*frames, *sounds])
    if frames and common > _LONGEST_COMMON:
        common = _common_multiple(frames)
    if common > target:
        return common
    below = target // common
    candidates = [common * count for count in range(max(1, below - 1), below + 3)]
    near = [length for length in candidates if abs(length - target) <= target / 4]
    whole = [length for length in near if (length * 1000).denominator == 1]
    return min(whole or near or candidates, key=lambda length: (abs(length - target), length))


def key_interval(duration: Fraction, rates: Sequence[Fraction]) -> Fraction:
    """Seconds between key frames: the longest divisor of D ≤ 2 s that is whole frames on every rung."""
    for count in range(1, 1000):
        interval = duration / count
        if interval <= 2 and all((interval * rate).denominator == 1 for rate in rates):
            return interval
    return duration


def _common_multiple(lengths: Sequence[Fraction]) -> Fraction:
    """The least common multiple of fractions in lowest terms."""
    return Fraction(
        math.lcm(*(length.numerator for length in lengths)),
        math.gcd(*(length.denominator for length in lengths)),
    )


@dataclass(frozen=True, slots=True)
class Grid:
    """Segment n covers [n·D, (n+1)·D); `duration` is D in seconds."""

    duration: Fraction

    def number_at(self, ticks: int, timescale: int) -> int:
        """The number of the segment that this instant lies in."""
        return ticks * self.duration.denominator // (self.duration.numerator * timescale)

    def start(self, number: int, timescale: int) -> int:
        """The first tick that lies in segment `number`."""
        return -(-number * self.duration.numerator * timescale // self.duration.denominator)

    def start_ns(self, number: int) -> int:
        """Start of segment `number` in nanoseconds of media time."""
        return self.start(number, NANO)
