"""Runs of several sides in turn, and what their ratios are."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Spread(NamedTuple):
    """A median and how far the rounds lay apart."""

    median: float
    low: float
    high: float


def interleave(
    sides: Mapping[str, Callable[[], T]], rounds: int, told: Callable[[str], None] = lambda _: None
) -> dict[str, list[T]]:
    """Run each side once a round; who begins moves on by one, so that no side is always first.

    A machine that is busy for a while so hits all sides alike. `told` hears what runs next.
    """
    results: dict[str, list[T]] = {name: [] for name in sides}
    names = list(sides)
    for place in range(rounds):
        shift = place % len(names)
        for name in names[shift:] + names[:shift]:
            told(f"{place + 1}/{rounds} {name}")
            results[name].append(sides[name]())
    return results


def spread(values: Sequence[float]) -> Spread:
    """The median of some values, the least and the greatest."""
    return Spread(statistics.median(values), min(values), max(values))


def ratios(over: Sequence[float], under: Sequence[float]) -> Spread:
    """One ratio a round: what was measured next to each other is divided by each other."""
    return spread([one / other for one, other in zip(over, under, strict=True)])


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that at least `percent` of 100 of all values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
