"""Measured rates of a rendition: the peak and the average that playlists of a finished stream state."""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from abr.formats.hls import MICRO


class Weight(NamedTuple):
    """One segment: its duration in microseconds and its bytes. A gap has no bytes."""

    duration: int
    size: int
    gap: bool = False


def average_rate(weights: Sequence[Weight]) -> int:
    """Bits/s over all that is there, rounded up."""
    present = [weight for weight in weights if not weight.gap]
    return _rate(sum(weight.size for weight in present), sum(weight.duration for weight in present))


def peak_rate(weights: Sequence[Weight], target_duration: int) -> int:
    """The largest rate of any run of segments lasting 0.5 to 1.5 target durations, bits/s, rounded up.

    RFC 8216bis §4.1, "peak segment bit rate". A gap ends a run. Where no run lasts that long, the largest
    rate of one segment.
    """
    shortest, longest = target_duration * MICRO // 2, 3 * target_duration * MICRO // 2
    peaks = [_peak_of_run(run, shortest, longest) for run in _runs(weights)]
    single = [_rate(weight.size, weight.duration) for weight in weights if not weight.gap]
    return max(peaks, default=0) or max(single, default=0)


def _runs(weights: Sequence[Weight]) -> Iterator[list[Weight]]:
    run: list[Weight] = []
    for weight in weights:
        if not weight.gap:
            run.append(weight)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _peak_of_run(run: Sequence[Weight], shortest: int, longest: int) -> int:
    times = [0, *accumulate(weight.duration for weight in run)]
    sizes = [0, *accumulate(weight.size for weight in run)]
    peak = 0
    for first, time in enumerate(times):
        for last in range(first + 1, len(times)):
            duration = times[last] - time
            if duration > longest:
                break
            if duration >= shortest:
                peak = max(peak, _rate(sizes[last] - sizes[first], duration))
    return peak


def _rate(size: int, duration: int) -> int:
    return -(-8 * size * MICRO // duration) if duration else 0
