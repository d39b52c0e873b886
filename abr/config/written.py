"""Types of values that people write and TOML has not: rates, durations, sizes, names made of digits."""

from collections.abc import Callable
from fractions import Fraction

from abr.config import units
from abr.config.rate import parse_rate
from abr.log import redact


class Bitrate(int):
    """Bits/s, written as `units.bitrate` reads them."""


class Volume(int):
    """Bytes, written as `units.volume` reads them."""


class Loudness(float):
    """LUFS, written as `units.loudness` reads them."""


class SizeText(str):
    """A size that `units.size` reads."""

    __slots__ = ()


class RateText(str):
    """A frame rate that `parse_rate` reads."""

    __slots__ = ()


class Word(str):
    """A name that may be made of digits and so be written as a number, as those of `preset` and `level`."""

    __slots__ = ()


class Hidden(str):
    """A text that must not be seen, not even in what is said of a mistake in it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


Duration = Fraction
"""Seconds, written as `units.duration` reads them."""


def read(kind: type, value: object) -> object:
    """A value of one of the types above, as TOML holds it. Raises ValueError or TypeError with the user's sentence."""
    return value if isinstance(value, kind) else _READERS[kind](value)


def shown(value: object) -> str:
    """The value for an error: short, and without what is secret in an address."""
    text = redact(repr(value))
    return text if len(text) <= 40 else f"{text[:37]}…"


# A size and a rate stay text: msgspec would read a record (units.Size, RungRate) from a list or a table only.
def _size(value: object) -> SizeText:
    return SizeText(units.size(value))


def _rate(value: object) -> RateText:
    parse_rate(value)
    return RateText(value)


def _word(value: object) -> Word:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError(f"{shown(value)} is not text; put it in quotes")
    return Word(value)


def _hidden(value: object) -> Hidden:
    if not isinstance(value, str):
        raise TypeError("is not text; put it in quotes")
    return Hidden(value)


_READERS: dict[type, Callable[[object], object]] = {
    Bitrate: lambda value: Bitrate(units.bitrate(value)),
    Duration: units.duration,
    Loudness: lambda value: Loudness(units.loudness(value)),
    Volume: lambda value: Volume(units.volume(value)),
    SizeText: _size,
    RateText: _rate,
    Word: _word,
    Hidden: _hidden,
}
