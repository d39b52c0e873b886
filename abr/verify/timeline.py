"""The segments that a DASH template lists (ISO/IEC 23009-1 5.3.9.4, 5.3.9.6)."""

import re
from fractions import Fraction
from typing import NamedTuple

from abr.errors import RemoteProtocolError
from abr.verify.manifest import Period, Representation, Template
from abr.verify.source import resolve

_IDENTIFIER = re.compile(r"\$(RepresentationID|Number|Time|Bandwidth|SubNumber)?(%0\d{1,2}d)?\$")
_MOST = 200_000
"""Segments of one Representation; four days of 2 s."""


class Listed(NamedTuple):
    """One segment; time and duration in ticks of the template."""

    number: int
    time: int
    duration: int


def listed(template: Template, period: Period, elapsed: Fraction | None) -> list[Listed]:
    """The segments of a template, oldest first.

    `elapsed` is the time since the Period's start, seconds, and limits what has no end; None for static ones.
    Raises RemoteProtocolError for more segments than a stream can have.
    """
    length = None if period.end is None else period.end - period.start
    if template.stretches:
        return _from_timeline(template, length, elapsed)
    if template.duration:
        return _from_duration(template, template.duration, length, elapsed)
    return []


def _from_timeline(template: Template, length: Fraction | None, elapsed: Fraction | None) -> list[Listed]:
    found: list[Listed] = []
    time, number = 0, template.first_number
    for place, item in enumerate(template.stretches):
        time = time if item.t is None else item.t
        following = template.stretches[place + 1].t if place + 1 < len(template.stretches) else None
        count = item.r + 1 if item.r >= 0 else _fill(template, time, item.d, following, length or elapsed)
        if len(found) + count > _MOST:
            raise RemoteProtocolError(f"the timeline lists more than {_MOST} segments")
        for _ in range(count):
            found.append(Listed(number, time, item.d))
            time, number = time + item.d, number + 1
    return found


def _fill(template: Template, time: int, step: int, following: int | None, until: Fraction | None) -> int:
    """How many repeats S@r = −1 means: up to the next S@t or the end of the Period."""
    end = (
        following
        if following is not None
        else int((until or Fraction(0)) * template.timescale) + template.offset
    )
    return max(0, -(-(end - time) // step))


def _from_duration(
    template: Template, step: int, length: Fraction | None, elapsed: Fraction | None
) -> list[Listed]:
    known = [value for value in (length, elapsed) if value is not None]
    ticks = min(known, default=Fraction(0)) * template.timescale
    closed = length is not None and (elapsed is None or elapsed >= length)
    count = int(-(-ticks // step)) if closed else int(ticks // step)
    if count > _MOST:
        raise RemoteProtocolError(f"the template lists more than {_MOST} segments")
    return [
        Listed(template.first_number + place, template.offset + place * step, step)
        for place in range(max(0, count))
    ]


def expand(pattern: str, representation: Representation, item: Listed | None) -> str:
    """The address of a segment, or of the init (`item` None). Raises RemoteProtocolError for unknown identifiers."""

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if name is None:
            return "$"
        if name == "RepresentationID":
            return representation.id
        value = {"Bandwidth": representation.bandwidth or 0}
        if item is not None:
            value |= {"Number": item.number, "Time": item.time}
        if name not in value:
            raise RemoteProtocolError(f"${name}$ has no meaning in {pattern[:80]!r}")
        width = int(match[2][2:-1]) if match[2] else 1
        return f"{value[name]:0{width}d}"

    text = _IDENTIFIER.sub(replace, pattern)
    if pattern.count("$") % 2 or "$" in _IDENTIFIER.sub("", pattern):
        raise RemoteProtocolError(f"{pattern[:80]!r} has an unknown identifier")
    return resolve(representation.base, text)
