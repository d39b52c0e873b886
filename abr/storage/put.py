"""One object on its way: put, and after a lost answer looked for before it is put again."""

import hashlib
from pathlib import Path

from abr.errors import SpoolError, StoreError, StoreUnavailable
from abr.storage.store import Held, Store


class Put:
    """A put that may be called again and again, by one thread, until it answers the ETag.

    Once an answer was lost, every second attempt asks first: an object that is there with this size, these headers and
    the MD5 of this body as its ETag is confirmed without being sent again. An ETag that is no MD5 (a folder's, one
    of a server that encrypts with its own keys) proves nothing, and the object is sent again: that is lawful too.
    """

    def __init__(
        self, store: Store, key: str, body: bytes | Path, content_type: str, cache_control: str
    ) -> None:
        self._store = store
        self._key = key
        self._body = body
        self._headers = content_type, cache_control
        self._doubtful = False
        self._look = False

    def __call__(self) -> str:
        """One attempt; answers the ETag. Raises StoreError, SpoolError."""
        looks, self._look = self._look, False  # a look that fails must not keep the object from being put
        etag = self._found() if looks else ""
        if etag:
            return etag
        try:
            return self._store.put(self._key, self._body, *self._headers)
        except StoreUnavailable as error:
            self._doubtful = self._look = self._doubtful or error.lost
            raise

    def _found(self) -> str:
        """The ETag of the object if it is there as it should be."""
        try:
            held = self._store.head(self._key)
        except StoreError as error:
            if error.retry:
                raise
            return ""  # it is not there, or we may put and not look
        return held.etag if self._is_ours(held) else ""

    def _is_ours(self, held: Held) -> bool:
        if (held.content_type, held.cache_control) != self._headers:
            return False
        try:
            return (held.size, held.etag.lower()) == (_size(self._body), _md5(self._body))
        except OSError as error:
            raise SpoolError(
                f"{self._body!s}: the file to be put cannot be read: {error.strerror}"
            ) from error


def _size(body: bytes | Path) -> int:
    return body.stat().st_size if isinstance(body, Path) else len(body)


def _md5(body: bytes | Path) -> str:
    if not isinstance(body, Path):
        return hashlib.md5(body, usedforsecurity=False).hexdigest()
    with body.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
