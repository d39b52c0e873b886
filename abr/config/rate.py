"""The frame rate that a rung asks for: a number, the source's, or a whole part of the source's."""

from dataclasses import dataclass
from fractions import Fraction

from abr.config import units

UNKNOWN = Fraction(25)
"""Frames a second where the source does not say."""

_PLAUSIBLE = Fraction(240)
"""Above it a container's rate is a clock (RTMP's 1000, MPEG-TS's 90000), not a frame rate."""

_STANDARD = (
    *(Fraction(whole) for whole in (5, 6, 8, 10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 100, 120)),
    *(Fraction(whole * 1000, 1001) for whole in (24, 30, 48, 60, 120)),
    Fraction(25, 2),
)


@dataclass(frozen=True, slots=True)
class RungRate:
    """`fixed` frames a second, or the source's rate over `divisor` where `fixed` is None."""

    fixed: Fraction | None = None
    divisor: int = 1

    def of(self, source: Fraction) -> Fraction:
        """Frames a second for a source of this rate."""
        return self.fixed if self.fixed is not None else source / self.divisor

    def __str__(self) -> str:
        if self.fixed is not None:
            return units.rate_text(self.fixed)
        return "source" if self.divisor == 1 else f"source/{self.divisor}"


def parse_rate(value: object) -> RungRate:
    """A rung's `fps`: 25, "30000/1001", "source" or "source/2". Raises ValueError."""
    if not isinstance(value, str) or not value.startswith("source"):
        return RungRate(fixed=units.rate(value))
    if value == "source":
        return RungRate()
    divisor = value.removeprefix("source/")
    if divisor not in {"2", "3", "4", "5", "6"}:
        raise ValueError(f"{value!r} is not a frame rate; write 25, source, or source/2 to source/6")
    return RungRate(divisor=int(divisor))


def known_rate(declared: Fraction | None) -> Fraction | None:
    """What a container declares, or None where it is missing or cannot be a frame rate."""
    return declared if declared is not None and 1 <= declared <= _PLAUSIBLE else None


def standard_rate(rate: Fraction) -> Fraction:
    """The rate that a declared one means: 29.967 → 30000/1001, 25.002 → 25, 18.02 → 18.

    A container's rate is often an average over a few frames. The nearest standard rate within 2 % is taken,
    else the nearest whole number.
    """
    whole = Fraction(max(1, round(rate)))
    for candidate in (rate, whole):
        nearest = min(_STANDARD, key=lambda standard: abs(standard - candidate))
        if abs(nearest - candidate) * 50 <= candidate:
            return nearest
    return whole
