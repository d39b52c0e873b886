"""The journal's file: one connection that writes, one that reads, each behind its lock."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from abr import files
from abr.errors import AbrError, JournalCorrupt, JournalError, SpoolFull
from abr.journal import schema

_PATIENCE = 10_000
"""Milliseconds to wait for another process that writes."""


class Database:
    """An open file in WAL mode with `synchronous = FULL`: a commit that returned survives a power cut."""

    def __init__(self, path: Path) -> None:
        """Open the file, make it where there is none, bring it to this format. Raises JournalError."""
        self.path = path
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        with _translated(path):
            files.make_folder(path.parent)
            self._writer = _connect(path)
            try:
                self._prepare()
                self._reader = _connect(path)
            except BaseException:
                self._writer.close()
                raise
            self._reader.execute("PRAGMA query_only = ON")

    def _prepare(self) -> None:
        schema.check_format(self._writer, self.path)
        mode = self._writer.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise JournalError(
                f"{self.path}: this file system cannot hold a journal (no shared memory)",
                hint="choose a --state folder on a local disk",
            )
        self._writer.execute("PRAGMA synchronous = FULL")
        schema.migrate(self._writer)
        files.sync_folder(self.path.parent)

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed when the block ends, undone when it raises.

        Raises JournalError, SpoolFull.
        """
        with self._writing, _translated(self.path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:  # SQLite has undone it already when the disk is full
                    self._writer.execute("ROLLBACK")
                raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """The connection for queries; it sees what was committed before each. Raises JournalError."""
        with self._reading, _translated(self.path):
            yield self._reader

    def close(self) -> None:
        """Close the file. May be called twice."""
        with self._writing, self._reading:
            self._reader.close()
            self._writer.close()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=_PATIENCE / 1000
    )
    connection.execute(f"PRAGMA busy_timeout = {_PATIENCE}")
    return connection


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """What SQLite and the disk say, as one of our errors."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise _journal_error(path, error) from error


def _journal_error(path: Path, error: sqlite3.Error | OSError) -> AbrError:
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF  # the primary code, without its detail
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return JournalCorrupt(
            f"{path}: the journal cannot be read: {error}",
            hint="move the file away; the channel goes on from what its origin says",
        )
    if code == sqlite3.SQLITE_FULL:
        return SpoolFull(f"{path}: no space is left for the journal", hint="free space on this disk")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return JournalError(
            f"{path}: another process has been writing to the journal for {_PATIENCE // 1000} s"
        )
    if code == sqlite3.SQLITE_CONSTRAINT:
        return JournalError(f"{path}: this is recorded already: {error}")
    return JournalError(
        f"{path}: the journal cannot be used: {error}", hint="see that the folder can be written"
    )
