"""When a machine that is too slow for its ladder gives something up."""

from fractions import Fraction

from abr.config import units
from abr.errors import ConfigError

RELIEF_AFTER = Fraction(3)
"""Seconds, unless asked otherwise: less would take a short load of the machine for a lasting one."""

_SPAN = Fraction(1), Fraction(600)
"""Output that is behind for longer has left every player's buffer."""


def check_relief(after: Fraction) -> Fraction:
    """How long the output may be behind before the top rung gives way, seconds; 0: it never does. Raises ConfigError."""
    shortest, longest = _SPAN
    if after and not shortest <= after <= longest:
        low, high, own = (units.duration_text(seconds) for seconds in (shortest, longest, after))
        raise ConfigError("relief_after", f"{own} is out of range; {low} to {high}, or 0s for never")
    return after
