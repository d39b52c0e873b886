"""The contract of a place for objects."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol


class Found(NamedTuple):
    """An object as a listing names it."""

    key: str
    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class Held:
    """An object as the store describes it, body included where it was asked for."""

    key: str
    size: int
    etag: str
    content_type: str
    cache_control: str
    body: bytes = b""


class Store(Protocol):
    """A place for objects. Keys are relative, with `/`, of `[A-Za-z0-9._-]` and never `..`.

    **Atomic**: a `put` takes effect whole or not at all. A reader sees the old object or the new one, never a part and,
    while one is replaced, never none; a `put` that failed leaves what was there, or the whole new object when only
    the answer was lost. (S3 promises it. Of the servers that were tried, rclone's does not while an object is
    replaced, and Swift's may say for a moment that there is none; nothing here relies on it but their readers.)
    `delete` of several is not atomic: after a failure some are gone.

    **Repeatable**: every method may be called again with the same arguments, after any failure and after success, and
    then has the effect of one call. `list` that broke off begins again from the start.

    **Durable**: when `put` returns, the store holds the object for good, as far as it can promise that
    ("confirmed"): a folder has synced file and name to its disk (not with `durable=False`), a bucket has answered
    200, memory lasts as long as the process. What `put`, `get`, `head` and `list` tell of an object from then on is the
    same: size, ETag and, but for a folder, both headers. The ETag changes with the bytes; where it is an MD5 it
    proves them.

    **Errors** are those of `abr.errors`. StoreUnavailable alone may be retried (`error.retry`): the store did not
    answer or asks for patience; `after` says how long, `slow` that it wants fewer requests at once, `lost` that the
    call may have been done. The others say the same however often one asks: StoreDenied (credentials, rights),
    StoreMisconfigured (no such bucket or folder, wrong region, certificate), StoreMissing (get and head), StoreConflict,
    any other StoreError (a key that cannot be one). SpoolError: the file that was to be put is gone. No text holds a
    secret. No method retries by itself: `storage.retrying` is the one place for that.

    **Threads**: all methods may be called from several threads at once; the latest `put` of a key to *start* is not
    promised to win, callers keep the order of a mutable key themselves.
    """

    name: str
    """How logs and the journal call it; the same at every start, without secrets."""

    def put(self, key: str, body: bytes | Path, content_type: str, cache_control: str) -> str:
        """Store an object (a `Path` is a file that does not change meanwhile); answer its ETag, unquoted."""
        ...

    def get(self, key: str) -> Held:
        """The object with its body. Raises StoreMissing."""
        ...

    def head(self, key: str) -> Held:
        """The object without its body. Raises StoreMissing."""
        ...

    def list(self, prefix: str) -> Iterator[Found]:
        """All objects whose key begins with `prefix`, by key."""
        ...

    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; those that are gone already are fine."""
        ...

    def check(self) -> None:
        """Find out at the start whether objects can be put at all. Raises StoreError."""
        ...

    def close(self) -> None:
        """Give back connections. May be called twice."""
        ...
