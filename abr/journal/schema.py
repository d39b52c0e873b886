"""The tables of the journal, and how a file of an older abr becomes one of this."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from abr.errors import JournalCorrupt, JournalNewer

APPLICATION = 0x61627221
"""SQLite's application_id of a journal: "abr!"."""

_FIRST = (
    # The counters outlive the rows they were counted from: a sealed recording takes its rows away.
    """CREATE TABLE channels (
        name TEXT PRIMARY KEY,
        next_sequence INTEGER NOT NULL DEFAULT 0,
        sessions INTEGER NOT NULL DEFAULT 0,
        last_end INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE events (
        id TEXT PRIMARY KEY,
        channel TEXT NOT NULL,
        started INTEGER NOT NULL,
        ended INTEGER
    ) STRICT, WITHOUT ROWID""",
    # `discontinuity` is NULL until the first release: a session that released nothing is not counted.
    """CREATE TABLE sessions (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        channel TEXT NOT NULL,
        event TEXT NOT NULL,
        record TEXT NOT NULL,
        discontinuity INTEGER,
        last_number INTEGER,
        ended INTEGER NOT NULL DEFAULT 0
    ) STRICT""",
    "CREATE INDEX sessions_of_event ON sessions (event)",
    """CREATE TABLE inits (
        session INTEGER NOT NULL,
        rendition INTEGER NOT NULL,
        size INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        PRIMARY KEY (session, rendition)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE releases (
        channel TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        session INTEGER NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (channel, sequence)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE segments (
        session INTEGER NOT NULL,
        number INTEGER NOT NULL,
        rendition INTEGER NOT NULL,
        start INTEGER NOT NULL,
        duration INTEGER NOT NULL,
        size INTEGER NOT NULL,
        sha256 TEXT NOT NULL,
        moof_offset INTEGER NOT NULL,
        first_sample_end INTEGER NOT NULL,
        parts TEXT NOT NULL,
        gap INTEGER NOT NULL,
        slate INTEGER NOT NULL,
        key_id TEXT NOT NULL,
        PRIMARY KEY (session, number, rendition)
    ) STRICT, WITHOUT ROWID""",
    "CREATE TABLE origins (key INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT",
    # An init's number is -1: a segment's is never negative.
    """CREATE TABLE deliveries (
        origin INTEGER NOT NULL,
        session INTEGER NOT NULL,
        number INTEGER NOT NULL,
        rendition INTEGER NOT NULL,
        state INTEGER NOT NULL,
        size INTEGER NOT NULL,
        etag TEXT NOT NULL,
        wall INTEGER NOT NULL,
        PRIMARY KEY (origin, session, number, rendition)
    ) STRICT, WITHOUT ROWID""",
)

_SHED = ("ALTER TABLE segments ADD COLUMN shed INTEGER NOT NULL DEFAULT 0",)

STEPS: tuple[tuple[str, ...], ...] = (_FIRST, _SHED)
"""Step n brings a file of format n to format n + 1. A step that was released never changes."""


def check_format(connection: sqlite3.Connection, path: Path, newest: int = len(STEPS)) -> None:
    """See that the file is a journal and not of a newer abr. Raises JournalCorrupt, JournalNewer."""
    version = _pragma(connection, "user_version")
    application = _pragma(connection, "application_id")
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application != APPLICATION and (tables or version or application):
        raise JournalCorrupt(
            f"{path}: this is a database of some other program, not a journal",
            hint="choose another --state folder",
        )
    if version > newest:
        raise JournalNewer(
            f"{path}: a newer abr wrote this journal (format {version}, this one knows {newest})",
            hint="start the newer abr, or choose another --state folder",
        )


def migrate(connection: sqlite3.Connection, steps: Sequence[Sequence[str]] = STEPS) -> None:
    """Bring the file to the newest format, each step whole or not at all."""
    for number, statements in enumerate(steps):
        connection.execute("BEGIN IMMEDIATE")
        try:
            if _pragma(connection, "user_version") == number:  # else done, by us or by another process
                for statement in statements:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION}")
                connection.execute(f"PRAGMA user_version = {number + 1}")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"PRAGMA {name}").fetchone()[0])
