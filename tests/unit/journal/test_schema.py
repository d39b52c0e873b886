"""Forward migrations: each step whole or not at all, none twice."""

import sqlite3
from pathlib import Path

import pytest

from abr.journal import schema

STEPS = (*schema.STEPS, ("ALTER TABLE events ADD COLUMN title TEXT NOT NULL DEFAULT ''",))


@pytest.fixture
def connection(tmp_path: Path) -> sqlite3.Connection:
    return sqlite3.connect(tmp_path / "journal.db", isolation_level=None)


def version(connection: sqlite3.Connection) -> int:
    return connection.execute("PRAGMA user_version").fetchone()[0]


def test_an_older_file_is_brought_forward_with_its_rows(connection: sqlite3.Connection) -> None:
    schema.migrate(connection)
    connection.execute("INSERT INTO events VALUES ('E1', 'news', 1, NULL)")
    assert version(connection) == len(schema.STEPS)
    schema.migrate(connection, STEPS)
    schema.migrate(connection, STEPS)
    assert version(connection) == len(STEPS)
    assert connection.execute("SELECT * FROM events").fetchall() == [("E1", "news", 1, None, "")]
    connection.close()


def test_a_step_that_fails_leaves_the_file_as_it_was(connection: sqlite3.Connection) -> None:
    schema.migrate(connection)
    broken = (*STEPS, ("CREATE TABLE clips (id TEXT)", "ALTER TABLE nothing ADD COLUMN x"))
    with pytest.raises(sqlite3.OperationalError):
        schema.migrate(connection, broken)
    assert version(connection) == len(STEPS)
    assert connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'clips'").fetchone() == (0,)
    connection.close()


def test_the_first_format_never_changes(connection: sqlite3.Connection) -> None:
    """Files of the first release exist: its tables and columns are these."""
    schema.migrate(connection, schema.STEPS[:1])
    tables = [
        row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")
    ]
    columns = {
        table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")] for table in tables
    }
    assert columns == {
        "channels": ["name", "next_sequence", "sessions", "last_end"],
        "deliveries": ["origin", "session", "number", "rendition", "state", "size", "etag", "wall"],
        "events": ["id", "channel", "started", "ended"],
        "inits": ["session", "rendition", "size", "sha256"],
        "origins": ["key", "name"],
        "releases": ["channel", "sequence", "session", "number"],
        "segments": [
            "session", "number", "rendition", "start", "duration", "size", "sha256", "moof_offset",
            "first_sample_end", "parts", "gap", "slate", "key_id",
        ],
        "sessions": ["key", "id", "channel", "event", "record", "discontinuity", "last_number", "ended"],
    }  # fmt: skip
    connection.close()
