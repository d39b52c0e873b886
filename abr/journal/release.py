"""How a number is released: the channel's counters, the order of numbers, the rows of one commit."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from abr.errors import JournalError
from abr.journal.record import segment_values
from abr.model.segment import Release, SegmentRow, Session
from abr.model.time import NANO

Numbered = tuple[int, Sequence[SegmentRow]]
"""A segment number and its rows, one a rendition."""


@dataclass(frozen=True, slots=True)
class Known:
    """A session and its place in the file; neither ever changes."""

    key: int
    session: Session
    places: Mapping[str, int]

    def name(self, place: int) -> str:
        """The rendition at this place."""
        return self.session.renditions[place].name

    def place(self, rendition: str) -> int:
        """The place of a rendition in the session. Raises JournalError."""
        try:
            return self.places[rendition]
        except KeyError:
            raise JournalError(f"session {self.session.id} has no rendition {rendition!r}") from None


class Counters(NamedTuple):
    """Where a channel stands."""

    next_sequence: int = 0
    sessions: int = 0
    last_end: int = 0


def insert_releases(connection: sqlite3.Connection, known: Known, batch: Sequence[Numbered]) -> list[Release]:
    """Within a transaction: give sequences to a batch and record it. Raises JournalError for a wrong order."""
    channel = counters(connection, known.session.channel)
    discontinuity, last = _place_in_channel(connection, known, channel)
    releases = _releases(known, batch, channel.next_sequence, discontinuity, last)
    if releases:
        _insert(connection, known, releases)
        _advance(connection, known, releases, channel)
    return releases


def counters(connection: sqlite3.Connection, channel: str) -> Counters:
    """Where a channel stands; zeros for a new one."""
    query = "SELECT next_sequence, sessions, last_end FROM channels WHERE name = ?"
    row = connection.execute(query, (channel,)).fetchone()
    return Counters(*row) if row else Counters()


def _place_in_channel(connection: sqlite3.Connection, known: Known, channel: Counters) -> tuple[int, int]:
    """The session's discontinuity count and the last number that it released (-1 for none)."""
    query = "SELECT discontinuity, last_number, ended FROM sessions WHERE key = ?"
    discontinuity, last, ended = connection.execute(query, (known.key,)).fetchone()
    if ended:
        raise JournalError(f"session {known.session.id} has ended and releases nothing more")
    if discontinuity is None:
        return channel.sessions, -1
    if discontinuity != channel.sessions - 1:
        raise JournalError(f"session {known.session.id} was followed by another and releases nothing more")
    return discontinuity, last


def _releases(
    known: Known, batch: Sequence[Numbered], sequence: int, discontinuity: int, last: int
) -> list[Release]:
    releases: list[Release] = []
    for number, rows in batch:
        if number <= last:
            raise JournalError(f"session {known.session.id}: number {number} comes after {last}")
        last = number
        ordered = tuple(sorted(rows, key=lambda row: known.place(row.rendition)))
        if not ordered or any(row.number != number or row.session != known.session.id for row in ordered):
            raise JournalError(f"session {known.session.id}: number {number} has no rows, or rows of another")
        releases.append(Release(sequence + len(releases), discontinuity, known.session.id, number, ordered))
    return releases


def _insert(connection: sqlite3.Connection, known: Known, releases: Sequence[Release]) -> None:
    channel, key = known.session.channel, known.key
    connection.executemany(
        "INSERT INTO releases VALUES (?, ?, ?, ?)",
        [(channel, item.sequence, key, item.number) for item in releases],
    )
    connection.executemany(
        "INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (key, item.number, known.places[row.rendition], *segment_values(row))
            for item in releases
            for row in item.rows
        ],
    )


def _advance(
    connection: sqlite3.Connection, known: Known, releases: Sequence[Release], channel: Counters
) -> None:
    last = releases[-1]
    end = _end(known.session, last) if known.session.live else 0
    connection.execute(
        "UPDATE channels SET next_sequence = ?, sessions = ?, last_end = ? WHERE name = ?",
        (last.sequence + 1, last.discontinuity + 1, max(end, channel.last_end), known.session.channel),
    )
    connection.execute(
        "UPDATE sessions SET discontinuity = ?, last_number = ? WHERE key = ?",
        (last.discontinuity, last.number, known.key),
    )


def _end(session: Session, release: Release) -> int:
    """Where the longest segment of a release ends, nanoseconds of media time, rounded up."""
    return max(
        -(-(row.start + row.duration) * NANO // session.rendition(row.rendition).timescale)
        for row in release.rows
    )
