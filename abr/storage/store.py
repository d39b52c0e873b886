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

    **Atomic**: a reader sees the old object or the new one, whole, never a part; a failed `put` leaves what was
    there. **Repeatable**: every method may be called again with the same arguments after any failure.
    **Durable**: when `put` returns, the store has said that it holds the object ("confirmed").
    **Threads**: all methods may be called from several threads at once; the latest `put` of a key to *start*
    is not promised to win, callers keep the order of a mutable key themselves.

    Errors are those of `abr.errors.StoreError`: `StoreUnavailable` may be retried, the others not. No method
    retries by itself: `storage.retrying` is the one place for that. No error text holds a secret.
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
