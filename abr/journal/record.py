"""What the journal keeps beside the model's records, and sessions as text."""

import json
from collections.abc import Mapping
from dataclasses import fields
from enum import Enum
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple, get_type_hints

from abr.errors import JournalNewer
from abr.model.media import Kind
from abr.model.segment import Part, Release, Rendition, SegmentRow, Session


class InitRow(NamedTuple):
    """What the journal knows of one init segment."""

    sha256: str
    size: int


class EventRow(NamedTuple):
    """One event. Wall-clock times, nanoseconds since the epoch; `ended` is None while it runs."""

    id: str
    channel: str
    started: int
    ended: int | None


class Delivery(Enum):
    """What became of an object at an origin."""

    CONFIRMED = 1
    """The origin said it has it."""
    LOST = 2
    """It will never be there: its file went before the origin came back. A gap in that origin's playlists."""


class Confirmation(NamedTuple):
    """What an origin said of an object; `number` is None for an init, `wall` nanoseconds since the epoch."""

    session: str
    rendition: str
    number: int | None
    size: int
    etag: str
    wall: int = 0
    state: Delivery = Delivery.CONFIRMED


class PendingInit(NamedTuple):
    """An init that an origin has not confirmed."""

    session: str
    rendition: str
    row: InitRow


class Backlog(NamedTuple):
    """What an origin has not confirmed, oldest first. The rows of a release are only those that are missing."""

    inits: tuple[PendingInit, ...]
    releases: tuple[Release, ...]


def session_text(session: Session) -> str:
    """A session as JSON; fractions as "48/25"."""
    return json.dumps(_plain(session), separators=(",", ":"))


def session_of(text: str) -> Session:
    """The session of such a text, exactly. Raises JournalNewer for a field that this abr does not know."""
    values = json.loads(text)
    renditions = tuple(Rendition(**_typed(Rendition, item)) for item in values.pop("renditions"))
    return Session(renditions=renditions, **_typed(Session, values))


def segment_values(row: SegmentRow) -> tuple[Any, ...]:
    """The columns of a segment after its key: start to shed."""
    return (
        row.start,
        row.duration,
        row.size,
        row.sha256,
        row.moof_offset,
        row.first_sample_end,
        f"[{','.join([f'[{part.duration},{part.size},{part.independent:d}]' for part in row.parts])}]",
        row.gap,
        row.slate,
        row.key_id,
        row.shed,
    )


def segment_row(session: str, rendition: str, number: int, values: tuple[Any, ...]) -> SegmentRow:
    """The row of such columns."""
    start, duration, size, sha256, moof_offset, first_sample_end, parts, gap, slate, key_id, shed = values
    return SegmentRow(
        session,
        rendition,
        number,
        start,
        duration,
        size,
        sha256,
        moof_offset,
        first_sample_end,
        tuple(Part(length, bytes_, bool(key)) for length, bytes_, key in json.loads(parts)),
        bool(gap),
        bool(slate),
        key_id,
        shed,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Session | Rendition):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, Fraction) else value


def _typed(record: type, values: Mapping[str, Any]) -> dict[str, Any]:
    hints = _hints(record)
    unknown = sorted(set(values) - set(hints))
    if unknown:
        raise JournalNewer(
            f"a newer abr wrote this {record.__name__.lower()}: unknown field {unknown[0]!r}",
            hint="start the newer abr",
        )
    return {name: _value(hints[name], value) for name, value in values.items()}


@cache
def _hints(record: type) -> dict[str, Any]:
    return get_type_hints(record)


def _value(hint: Any, value: Any) -> Any:
    if value is not None and hint in (Fraction, Fraction | None):
        return Fraction(value)
    return Kind(value) if hint is Kind else value
