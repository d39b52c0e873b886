"""What a channel shows when its feed, or its feed's picture, is gone."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from abr.config import units
from abr.errors import ConfigError

HOLD_PICTURE = Fraction(2)
"""Seconds that the last picture stays unless asked otherwise."""

_HOLDS = Fraction(1, 2), Fraction(3600)
"""A single picture that is lost must not bring the slate."""

_ON_LOSS = ("end", "slate")


@dataclass(frozen=True, slots=True)
class Loss:
    """The last picture stays for `hold` seconds, then the slate is shown, with silence where there is no sound."""

    ends: bool = True
    """Whether the event ends when the feed has been away for the grace; else the slate stays until one comes."""
    hold: Fraction = HOLD_PICTURE
    slate: Path | None = None
    """A picture file; None for a made one with the channel's name."""


def make_loss(on_loss: str, hold: Fraction, slate: Path | None) -> Loss:
    """The checked settings. Raises ConfigError."""
    if on_loss not in _ON_LOSS:
        raise ConfigError("on_loss", f"{on_loss!r} is neither 'end' nor 'slate'")
    shortest, longest = _HOLDS
    if not shortest <= hold <= longest:
        low, high, own = (units.duration_text(seconds) for seconds in (shortest, longest, hold))
        raise ConfigError("hold_picture", f"{own} is out of range; {low} to {high}")
    if slate is not None and not slate.is_file():
        raise ConfigError("slate", f"there is no file {str(slate)!r}")
    return Loss(on_loss == "end", hold, slate)
