"""`overhead`: what share of the processor time of `abr vod` is not decoding, scaling and encoding.

Two lengths of one film are encoded and the shorter is taken from the longer, so that start-up drops out.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from .bench import Bench, abr_vod
from .measure import Cost, run
from .pairs import Spread, interleave
from .report import Figure, Report, absolutes

_PROFILE = "720p"
_SHORT, _LONG = 16, 48
"""Seconds: one clip of the film that is made, and three."""
_BOUND = 4.0


def measure(bench: Bench) -> Report:
    """Measure, on one core: two that share their caches would charge the side with more threads for it.

    The share is small beside what a busy machine adds to a run, so it is taken from the least that each side
    needed in any round; the single rounds stand beside it.
    """
    short, long = bench.pieces(_SHORT, _LONG)
    with one_core() as core:
        sides = {
            "abr, long": partial(bench.write, partial(abr_vod, long, _PROFILE)),
            "abr, short": partial(bench.write, partial(abr_vod, short, _PROFILE)),
            "bare, long": partial(_bare, long),
            "bare, short": partial(_bare, short),
        }
        costs = interleave(sides, bench.pairs, bench.told)
    rounds = [[cost.cpu for cost in round_] for round_ in zip(*costs.values(), strict=True)]
    shares = [share(*used) for used in rounds]
    least = share(*(min(used) for used in zip(*rounds, strict=True)))
    share_of_all = Figure(
        "CPU outside decode, scale, encode", Spread(least, min(shares), max(shares)), "%", _BOUND
    )
    facts = {"film": long.name, "seconds": [_SHORT, _LONG], "core": core}
    return Report("overhead", (share_of_all, *_absolutes(costs)), costs, facts)


def share(long: float, short: float, bare_long: float, bare_short: float) -> float:
    """Per cent of the processor time between the two lengths that the bare loop does not need."""
    return 100 * (1 - (bare_long - bare_short) / (long - short))


@contextmanager
def one_core() -> Iterator[int]:
    """Run this process and all that it starts on one core; which one."""
    before = os.sched_getaffinity(0)
    core = max(before)
    os.sched_setaffinity(0, {core})
    try:
        yield core
    finally:
        os.sched_setaffinity(0, before)


def _bare(film: Path) -> Cost:
    return run([sys.executable, "-m", f"{__package__}.bare", film, _PROFILE])


def _absolutes(costs: Mapping[str, Sequence[Cost]]) -> list[Figure]:
    return [figure for figure in absolutes(costs) if figure.unit == "s"]
