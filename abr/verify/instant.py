"""Dates and durations as text, to integers and exact fractions (RFC 3339, XML Schema part 2)."""

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from abr.errors import RemoteProtocolError
from abr.model.time import NANO

_DATE = re.compile(
    r"(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?(\d\d)(?:[.,](\d{1,18}))?(Z|[+-]\d\d(?::?\d\d)?)?\Z", re.ASCII
)
_DURATION = re.compile(
    r"(-)?P(?:(\d{1,9})Y)?(?:(\d{1,9})M)?(?:(\d{1,9})D)?"
    r"(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,12})(?:\.(\d{1,18}))?S)?)?\Z",
    re.ASCII,
)
_DECIMAL = re.compile(r"(\d{1,18})(?:\.(\d{1,18}))?\Z", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def parse_date(text: str) -> int:
    """Nanoseconds since 1970 of an ISO 8601 date; without a zone it is UTC. Raises RemoteProtocolError."""
    match = _DATE.match(text.strip())
    if match is None:
        raise RemoteProtocolError(f"{text[:60]!r} is not a date", hint="write 2026-08-29T18:15:00.000Z")
    try:
        whole = datetime(*(int(match[place]) for place in range(1, 7)), tzinfo=UTC) - _zone(match[8])  # type: ignore[arg-type,misc]  # six integers
    except (ValueError, OverflowError) as error:
        raise RemoteProtocolError(f"{text[:60]!r} is not a date: {error}") from error
    since = whole - _EPOCH
    fraction = int((match[7] or "0").ljust(9, "0")[:9])
    return (since.days * 86_400 + since.seconds) * NANO + fraction


def _zone(text: str | None) -> timedelta:
    if text in {None, "Z"}:
        return timedelta(0)
    assert text is not None
    digits = text[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -offset if text[0] == "-" else offset


def parse_duration(text: str) -> Fraction:
    """Seconds of an xs:duration; a month is 30 days and a year 365. Raises RemoteProtocolError."""
    match = _DURATION.match(text.strip())
    if match is None or text.strip()[-1:] in {"P", "T"}:
        raise RemoteProtocolError(f"{text[:60]!r} is not a duration", hint="write PT1.92S")
    years, months, days, hours, minutes, whole = (int(match[place] or 0) for place in range(2, 8))
    part = Fraction(int(match[8]), 10 ** len(match[8])) if match[8] else Fraction(0)
    days += 365 * years + 30 * months
    length = ((days * 24 + hours) * 60 + minutes) * 60 + whole + part
    return -length if match[1] else length


def parse_decimal(text: str) -> Fraction:
    """A decimal number without sign and exponent, exactly. Raises RemoteProtocolError."""
    match = _DECIMAL.match(text)
    if match is None:
        raise RemoteProtocolError(
            f"{text[:60]!r} is not a decimal number", hint="digits, and a point at most"
        )
    if match[2] is None:
        return Fraction(int(match[1]))
    return Fraction(int(match[1] + match[2]), 10 ** len(match[2]))


def show(length: Fraction) -> str:
    """Seconds for a person: three decimals, trailing zeros dropped.

    >>> show(Fraction(192, 100)), show(Fraction(6))
    ('1.92 s', '6 s')
    """
    text = f"{float(length):.3f}".rstrip("0").rstrip(".")
    return f"{text} s"


def show_date(instant: int) -> str:
    """Nanoseconds since 1970 as a date in UTC, with milliseconds."""
    date = _EPOCH + timedelta(microseconds=instant // 1000)
    return date.isoformat(timespec="milliseconds").replace("+00:00", "Z")
