"""Several inputs of a channel: their addresses in order of preference, and when to go from one to another."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from abr.config import units
from abr.config.address import ListenAddress, parse_listen
from abr.config.port import check_apart
from abr.config.pull import PullAddress, parse_pull
from abr.config.secret import Secret
from abr.config.srt import SrtAddress
from abr.errors import ConfigError

InputAddress = ListenAddress | SrtAddress | PullAddress
Written = str | tuple[str, ...] | None
"""One address, or several."""

MOST_INPUTS = 8
"""Each decodes all the time."""

BLACK_AFTER, FREEZE_AFTER, RETURN_AFTER = Fraction(10), Fraction(30), Fraction(30)
"""Seconds, unless asked otherwise. A lecture's slide stands still for longer than black lasts."""

_SPAN = Fraction(1), Fraction(3600)


@dataclass(frozen=True, slots=True)
class Backup:
    """When another input is taken; seconds."""

    black: Fraction = BLACK_AFTER
    """An input that is black and silent for so long is left; 0: it is not."""
    frozen: Fraction = FREEZE_AFTER
    """An input whose picture stands still for so long is left; 0: it is not."""
    back: Fraction = RETURN_AFTER
    """A preferred input is gone back to when it has been good for so long."""
    token: Secret | None = None
    """What a request that chooses an input must show; None: such requests come from this machine alone."""


def make_backup(black: Fraction, frozen: Fraction, back: Fraction, token: str | None) -> Backup:
    """The checked settings. Raises ConfigError."""
    for key, value in (("black_after", black), ("freeze_after", frozen), ("return_after", back)):
        shortest, longest = _SPAN
        if not (shortest <= value <= longest or (value == 0 and key != "return_after")):
            low, high, own = (units.duration_text(seconds) for seconds in (shortest, longest, value))
            never = "" if key == "return_after" else ", or 0s for never"
            raise ConfigError(key, f"{own} is out of range; {low} to {high}{never}")
    if token and not (token.isascii() and token.isprintable() and " " not in token and len(token) >= 8):
        raise ConfigError("input_token", "is no usable token; at least 8 letters without spaces")
    return Backup(black, frozen, back, Secret(token) if token else None)


def read_inputs(order: Sequence[str], listen: Written, pull: Written, base: Path) -> tuple[InputAddress, ...]:
    """All inputs, the preferred one first. `order` says which of the keys was written first. Raises ConfigError."""
    awaited = [(key, parse_listen(text, key)) for key, text in _each("listen", listen)]
    listens = [address for _, address in awaited]
    pulls = [parse_pull(text, base, key) for key, text in _each("pull", pull)]
    for (key, _), address in zip(_each("pull", pull), pulls, strict=True):
        if address.path and not address.path.exists():
            raise ConfigError(key, f"there is no file {str(address.path)!r}")
    inputs = (*pulls, *listens) if list(order)[:1] == ["pull"] else (*listens, *pulls)
    if not inputs:
        raise ConfigError(
            "listen", "is missing; say where the feed comes from: listen (RTMP, SRT) or pull (a file or URL)"
        )
    if len(inputs) > MOST_INPUTS:
        raise ConfigError(order[-1], f"makes {len(inputs)} inputs; at most {MOST_INPUTS}")
    check_apart(awaited)
    return inputs


def _each(key: str, written: Written) -> list[tuple[str, str]]:
    """Each address with the path of its key: `listen`, or `listen[2]` of several."""
    texts = (written,) if isinstance(written, str) else written or ()
    return [
        (f"{key}[{place}]" if len(texts) > 1 else key, text) for place, text in enumerate(texts, 1) if text
    ]
