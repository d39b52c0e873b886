"""A store that is gone with the process: for tests and for what never leaves the machine."""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from abr.errors import SpoolError, StoreMissing
from abr.storage.key import check_key
from abr.storage.store import Found, Held


class MemoryStore:
    """Objects in a dictionary; the same contract as a bucket."""

    def __init__(self, name: str = "memory") -> None:
        self.name = name
        self._objects: dict[str, Held] = {}
        self._lock = threading.Lock()

    def put(self, key: str, body: bytes | Path, content_type: str, cache_control: str) -> str:
        """Store an object; answer the MD5 of its bytes, as S3 does."""
        check_key(self.name, key)
        data = read_body(body) if isinstance(body, Path) else bytes(body)
        etag = hashlib.md5(data, usedforsecurity=False).hexdigest()
        with self._lock:
            self._objects[key] = Held(key, len(data), etag, content_type, cache_control, data)
        return etag

    def get(self, key: str) -> Held:
        """The object with its body. Raises StoreMissing."""
        with self._lock:
            held = self._objects.get(key)
        if held is None:
            raise StoreMissing(f"{self.name}: there is no {key}")
        return held

    def head(self, key: str) -> Held:
        """The object without its body. Raises StoreMissing."""
        held = self.get(key)
        return Held(held.key, held.size, held.etag, held.content_type, held.cache_control)

    def list(self, prefix: str) -> Iterator[Found]:
        """All objects whose key begins with `prefix`, by key, as they were when the listing began."""
        with self._lock:
            found = [Found(key, held.size, held.etag) for key, held in self._objects.items()]
        return iter(sorted(item for item in found if item.key.startswith(prefix)))

    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; those that are gone already are fine."""
        with self._lock:
            for key in keys:
                self._objects.pop(key, None)

    def check(self) -> None:
        """Nothing can be wrong."""

    def close(self) -> None:
        """Nothing to give back."""


def read_body(path: Path) -> bytes:
    """The bytes of a body that is a file. Raises SpoolError: the fault is on this side, not the store's."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SpoolError(f"{path}: the file to be put cannot be read: {error.strerror}") from error
