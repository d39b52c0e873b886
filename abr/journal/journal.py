"""The one record of what exists: events, sessions, released segments and what each origin confirmed."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from pathlib import Path
from typing import Any, Self

from abr.errors import JournalError
from abr.journal import query
from abr.journal.database import Database
from abr.journal.record import (
    Backlog,
    Confirmation,
    Delivery,
    EventRow,
    InitRow,
    PendingInit,
    segment_row,
    session_of,
    session_text,
)
from abr.journal.release import Counters, Known, Numbered, counters, insert_releases
from abr.model.segment import Release, SegmentRow, Session


class Journal:
    """An open journal. Every write is one commit that survives a power cut.

    All methods may be called from any thread; all raise JournalError (a full disk: SpoolFull). `on_commit` are called after each commit, in the thread
    that made it: short calls that wake somebody.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sessions: dict[str, Known] = {}
        self._keys: dict[int, Known] = {}
        self._cache = threading.Lock()
        self.on_commit: list[Callable[[], None]] = []

    @classmethod
    def open(cls, path: Path) -> "Journal":
        """Open the file or make a new one. Raises JournalNewer, JournalCorrupt, JournalError."""
        return cls(Database(path))

    def close(self) -> None:
        """Close the file. May be called twice."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # events and sessions

    def begin_event(self, event_id: str, channel: str, wall: int) -> None:
        """An event starts; `wall` in nanoseconds since the epoch."""
        self._write("INSERT INTO events (id, channel, started) VALUES (?, ?, ?)", (event_id, channel, wall))

    def end_event(self, event_id: str, wall: int) -> None:
        """The event is over. Ending it again changes nothing."""
        self._write("UPDATE events SET ended = ? WHERE id = ? AND ended IS NULL", (wall, event_id))

    def events(self, channel: str | None = None) -> list[EventRow]:
        """All events, or those of a channel, by start."""
        statement = """SELECT id, channel, started, ended FROM events
                   WHERE :channel IS NULL OR channel = :channel ORDER BY started, id"""
        return [EventRow(*row) for row in self._query(statement, {"channel": channel})]

    def begin_session(self, session: Session, inits: Mapping[str, InitRow]) -> int:
        """Record a session and the init of each rendition.

        Answers how many sessions of the channel have released something: the session's
        discontinuity count, unless an earlier session of the channel releases after this.
        """
        places = {rendition.name: place for place, rendition in enumerate(session.renditions)}
        unknown = sorted(set(inits) - set(places))
        if unknown:
            raise JournalError(f"session {session.id} has no rendition {unknown[0]!r}")
        with self._database.write() as connection:
            connection.execute("INSERT OR IGNORE INTO channels (name) VALUES (?)", (session.channel,))
            key = connection.execute(
                "INSERT INTO sessions (id, channel, event, record) VALUES (?, ?, ?, ?)",
                (session.id, session.channel, session.event, session_text(session)),
            ).lastrowid
            connection.executemany(
                "INSERT INTO inits (session, rendition, size, sha256) VALUES (?, ?, ?, ?)",
                [(key, places[name], row.size, row.sha256) for name, row in inits.items()],
            )
            count = counters(connection, session.channel).sessions
        self._notify()
        return count

    def end_session(self, session_id: str) -> None:
        """Nothing more will be released in it. Ending it again changes nothing."""
        self._write("UPDATE sessions SET ended = 1 WHERE id = ?", (session_id,))

    def session(self, session_id: str) -> Session:
        """The session of this id, exactly as it began."""
        return self._known(session_id).session

    def sessions(self, event: str | None = None) -> list[Session]:
        """All sessions, or those of an event, in the order in which they began."""
        statement = "SELECT id FROM sessions WHERE :event IS NULL OR event = :event ORDER BY key"
        return [self.session(row[0]) for row in self._query(statement, {"event": event})]

    def open_sessions(self, channel: str) -> list[Session]:
        """Sessions that were never ended: what a worker that was killed leaves behind."""
        rows = self._query("SELECT id FROM sessions WHERE channel = ? AND ended = 0 ORDER BY key", (channel,))
        return [self.session(row[0]) for row in rows]

    def inits(self, session_id: str) -> dict[str, InitRow]:
        """The inits of a session by rendition, in the session's order."""
        known = self._known(session_id)
        rows = self._query(
            "SELECT rendition, sha256, size FROM inits WHERE session = ? ORDER BY rendition", (known.key,)
        )
        return {known.name(place): InitRow(sha256, size) for place, sha256, size in rows}

    # releases

    def release(self, session_id: str, number: int, rows: Sequence[SegmentRow]) -> Release:
        """Give the channel's next sequence to a number and record its segments, all renditions in one commit."""
        return self.release_many(session_id, [(number, rows)])[0]

    def release_many(self, session_id: str, batch: Sequence[Numbered]) -> list[Release]:
        """Release several numbers of a session in one commit, in this order.

        Numbers rise within a session; an ended session, or one that a later session has followed, releases
        nothing more.
        """
        known = self._known(session_id)
        with self._database.write() as connection:
            releases = insert_releases(connection, known, batch)
        self._notify()
        return releases

    def releases(
        self, event: str | None = None, after: int = -1, *, channel: str | None = None
    ) -> Iterator[Release]:
        """Releases with a sequence above `after`, in order: of an event, of a channel, or of all, by channel."""
        for name in self._channels(channel):
            yield from self._releases_of(name, event, after)

    def next_sequence(self, channel: str) -> int:
        """The sequence of the channel's next release; 0 for a new channel."""
        return self._counters(channel).next_sequence

    def discontinuities(self, channel: str) -> int:
        """How many sessions of the channel have released something."""
        return self._counters(channel).sessions

    def last_end(self, channel: str) -> int:
        """Where the channel's latest live segment ends, nanoseconds of media time; 0 where there is none."""
        return self._counters(channel).last_end

    def resume(self, channel: str, sequence: int, discontinuities: int, last_end: int) -> None:
        """Go on from what an origin says of the channel: no counter falls back, each is at least this."""
        with self._database.write() as connection:
            connection.execute("INSERT OR IGNORE INTO channels (name) VALUES (?)", (channel,))
            connection.execute(
                """UPDATE channels SET next_sequence = max(next_sequence, ?), sessions = max(sessions, ?),
                   last_end = max(last_end, ?) WHERE name = ?""",
                (sequence, discontinuities, last_end, channel),
            )
        self._notify()

    # origins

    def confirm(self, origin: str, confirmations: Sequence[Confirmation]) -> None:
        """Record what an origin confirmed, or will never have, in one commit. The latest word counts."""
        known = {item.session: self._known(item.session) for item in confirmations}
        with self._database.write() as connection:
            connection.execute("INSERT OR IGNORE INTO origins (name) VALUES (?)", (origin,))
            key = connection.execute("SELECT key FROM origins WHERE name = ?", (origin,)).fetchone()[0]
            connection.executemany(
                "INSERT OR REPLACE INTO deliveries VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(key, *_delivery_values(known[item.session], item)) for item in confirmations],
            )
        self._notify()

    def unconfirmed(
        self,
        origin: str,
        *,
        channel: str | None = None,
        event: str | None = None,
        after: int = -1,
        limit: int | None = None,
    ) -> Backlog:
        """What an origin lacks: inits, and the first `limit` releases with a sequence above `after`; gaps aside."""
        inits: list[PendingInit] = []
        releases: list[Release] = []
        for name in self._channels(channel):
            values = {"origin": origin, "channel": name, "event": event, "after": after}
            for key, place, sha256, size in self._query(query.MISSING_INITS, values):
                known = self._known_key(key)
                inits.append(PendingInit(known.session.id, known.name(place), InitRow(sha256, size)))
            with self._database.read() as connection:
                groups = groupby(connection.execute(query.MISSING, values), key=lambda row: row[0])
                pages = [list(rows) for _, rows in islice(groups, limit)]
            releases.extend(self._release_of(rows) for rows in pages)
        return Backlog(tuple(inits), tuple(releases))

    def confirmed(self, origin: str, session_id: str | None = None) -> list[Confirmation]:
        """What an origin has said it holds, by session and number; inits first."""
        return self._deliveries(origin, session_id, Delivery.CONFIRMED)

    def lost(self, origin: str, session_id: str | None = None) -> list[Confirmation]:
        """What an origin will never hold: gaps in its playlists."""
        return self._deliveries(origin, session_id, Delivery.LOST)

    def data_version(self) -> int:
        """A number that changes whenever any connection, of this process or another, has committed."""
        return int(self._query("PRAGMA data_version")[0][0])

    # inside

    def _write(self, statement: str, values: tuple[Any, ...]) -> None:
        with self._database.write() as connection:
            connection.execute(statement, values)
        self._notify()

    def _query(self, statement: str, values: Any = ()) -> list[tuple[Any, ...]]:
        with self._database.read() as connection:
            return connection.execute(statement, values).fetchall()

    def _notify(self) -> None:
        for wake in list(self.on_commit):
            wake()

    def _counters(self, channel: str) -> Counters:
        with self._database.read() as connection:
            return counters(connection, channel)

    def _channels(self, channel: str | None) -> list[str]:
        if channel is not None:
            return [channel]
        return [row[0] for row in self._query("SELECT name FROM channels ORDER BY name")]

    def _releases_of(self, channel: str, event: str | None, after: int) -> Iterator[Release]:
        while True:
            rows = self._query(query.RELEASES, {"channel": channel, "event": event, "after": after})
            if not rows:
                return
            for _, group in groupby(rows, key=lambda row: row[0]):
                yield self._release_of(list(group))
            after = rows[-1][0]

    def _release_of(self, rows: Sequence[tuple[Any, ...]]) -> Release:
        sequence, discontinuity, key, number = rows[0][:4]
        known = self._known_key(key)
        session = known.session.id
        made = tuple(segment_row(session, known.name(row[4]), number, row[5:]) for row in rows)
        return Release(sequence, discontinuity, session, number, made)

    def _deliveries(self, origin: str, session_id: str | None, state: Delivery) -> list[Confirmation]:
        only = None if session_id is None else self._known(session_id).key
        found = []
        values = {"origin": origin, "state": state.value, "session": only}
        for key, place, stored, size, etag, wall in self._query(query.DELIVERIES, values):
            known = self._known_key(key)
            number = None if stored == query.INIT else stored
            found.append(Confirmation(known.session.id, known.name(place), number, size, etag, wall, state))
        return found

    def _known(self, session_id: str) -> Known:
        with self._cache:
            known = self._sessions.get(session_id)
        return known or self._load("id", session_id)

    def _known_key(self, key: int) -> Known:
        with self._cache:
            known = self._keys.get(key)
        return known or self._load("key", key)

    def _load(self, column: str, value: str | int) -> Known:
        rows = self._query(f"SELECT key, record FROM sessions WHERE {column} = ?", (value,))  # noqa: S608 - ours
        if not rows:
            raise JournalError(f"{self._database.path}: the journal knows no session {value}")
        key, record = rows[0]
        session = session_of(record)
        places = {rendition.name: place for place, rendition in enumerate(session.renditions)}
        known = Known(key, session, places)
        with self._cache:
            self._sessions[session.id] = self._keys[key] = known
        return known


def _delivery_values(known: Known, item: Confirmation) -> tuple[Any, ...]:
    number = query.INIT if item.number is None else item.number
    return known.key, number, known.place(item.rendition), item.state.value, item.size, item.etag, item.wall
