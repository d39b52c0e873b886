"""A store that is a folder on this machine: a web server's root, or a disk."""

import errno
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from abr import files
from abr.errors import SpoolError, StoreDenied, StoreError, StoreMisconfigured, StoreMissing, StoreUnavailable
from abr.storage.key import check_key, type_of
from abr.storage.store import Found, Held

T = TypeVar("T")

_PROBE = "abr-check.txt"
_ATTEMPTS = 5

_FULL = (errno.ENOSPC, errno.EDQUOT)
_DENIED = (errno.EACCES, errno.EPERM)
_WRONG = (errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.ENODEV)


class DirectoryStore:
    """Objects as files below a root; a segment of the spool becomes a second name of its file where it can.

    A folder keeps no headers: the content type is told from the key's ending, there is no Cache-Control.
    The root is made by `check` and never again: a root that was deleted, or a disk that is no longer mounted,
    is StoreMisconfigured, not an empty new folder. `durable=False` leaves out every fsync.
    """

    def __init__(self, root: Path, *, name: str = "", durable: bool = True) -> None:
        self.name = name or str(root)
        self._root = root
        self._durable = durable
        self._identity: tuple[int, int] | None = None

    def put(self, key: str, body: bytes | Path, content_type: str, cache_control: str) -> str:  # noqa: ARG002
        """Store an object; answer its ETag: inode, size and time of the file."""
        target = self._target(key)

        def write() -> str:
            if isinstance(body, Path):
                if not files.is_regular(body):
                    raise SpoolError(f"{body}: the file to be put is gone")
                files.link_or_copy(body, target, durable=self._durable)
            else:
                files.write_atomic(target, body, durable=self._durable)
            return _etag(target.stat())

        return self._told(f"put {key}", lambda: self._in_folder(target, write))

    def get(self, key: str) -> Held:
        """The object with its body. Raises StoreMissing."""
        target = self._target(key)

        def read() -> Held:
            with target.open("rb") as file:
                found = os.fstat(file.fileno())
                return self._held(key, found, file.read())

        return self._told(f"get {key}", read, missing=key)

    def head(self, key: str) -> Held:
        """The object without its body. Raises StoreMissing."""
        target = self._target(key)

        def look() -> Held:
            found = target.stat()
            if not stat.S_ISREG(found.st_mode):
                raise FileNotFoundError(errno.ENOENT, "not a file")
            return self._held(key, found)

        return self._told(f"look at {key}", look, missing=key)

    def list(self, prefix: str) -> Iterator[Found]:
        """All objects whose key begins with `prefix`, by key."""
        folder = prefix.rpartition("/")[0]
        if folder:
            check_key(self.name, folder)
        return self._walk(folder, prefix)

    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects, and the folders that are empty then; those that are gone already are fine."""
        for key in keys:
            target = self._target(key)
            self._told(f"delete {key}", lambda target=target: self._remove(target))  # type: ignore[misc]

    def check(self) -> None:
        """Make the root where there is none, and write and remove a small file in it."""
        self._told("make the folder", self._make_root)
        self.put(_PROBE, b"abr was here\n", "text/plain", "no-store")
        self.delete([_PROBE])

    def close(self) -> None:
        """Nothing to give back."""

    def _make_root(self) -> None:
        if not self._root.is_dir():
            if self._root.exists():
                raise StoreMisconfigured(f"{self.name}: {self._root} is a file", hint="name a folder")
            if self._identity is not None:
                self._see_root()
            try:
                files.make_folder(self._root)
            except FileNotFoundError as error:  # with all folders above it: a place that takes none, as /proc
                raise self._wrong("make the folder", error) from error
        self._see_root()

    def _see_root(self) -> None:
        """See that the root is the folder that it was. Raises StoreMisconfigured."""
        try:
            found = self._root.stat()
        except FileNotFoundError:
            raise StoreMisconfigured(
                f"{self.name}: the folder {self._root} is gone",
                hint="make or mount it again, then start again",
            ) from None
        if self._identity not in (None, (found.st_dev, found.st_ino)):
            raise StoreMisconfigured(
                f"{self.name}: {self._root} is not the folder that it was at the start", hint="mount it again"
            )
        self._identity = (found.st_dev, found.st_ino)

    def _target(self, key: str) -> Path:
        check_key(self.name, key)
        return self._root / key

    def _in_folder(self, target: Path, write: Callable[[], T]) -> T:
        """Write below a folder that `delete` in another thread may just have removed because it was empty."""
        for _ in range(_ATTEMPTS):
            self._see_root()
            try:
                return write()
            except FileNotFoundError:
                with suppress(FileNotFoundError):
                    files.make_folder(target.parent)
        return write()

    def _held(self, key: str, found: os.stat_result, body: bytes = b"") -> Held:
        return Held(key, found.st_size, _etag(found), type_of(key), "", body)

    def _remove(self, target: Path) -> None:
        self._see_root()
        try:
            files.remove([target])
        except (NotADirectoryError, IsADirectoryError):
            return  # no object is called so
        folder = target.parent
        while folder != self._root:
            try:
                folder.rmdir()
            except FileNotFoundError:
                pass  # another thread was first
            except OSError:
                return  # not empty
            folder = folder.parent

    def _walk(self, folder: str, prefix: str) -> Iterator[Found]:
        """The files below a folder by key: a folder sorts as its name with the slash."""
        for name, is_folder in self._told(f"list {folder or 'it'}", lambda: self._names(folder)):
            key = f"{folder}/{name}" if folder else name
            if is_folder and (key.startswith(prefix) or prefix.startswith(key)):
                yield from self._walk(key.removesuffix("/"), prefix)
            elif key.startswith(prefix) and not is_folder:
                found = self._told(f"look at {key}", lambda key=key: _stat(self._root / key))  # type: ignore[misc]
                if found is not None:
                    yield Found(key, found.st_size, _etag(found))

    def _names(self, folder: str) -> Sequence[tuple[str, bool]]:
        self._see_root()
        try:
            with os.scandir(self._root / folder) as entries:
                names = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
        except (FileNotFoundError, NotADirectoryError):
            return []
        shown = [(f"{name}/" if folder else name, folder) for name, folder in names if name[0] != "."]
        return sorted(shown)

    def _told(self, doing: str, call: Callable[[], T], missing: str = "") -> T:
        """What the disk says, as one of our errors."""
        try:
            return call()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            if missing:
                self._see_root()
                raise StoreMissing(f"{self.name}: there is no {missing}") from error
            raise self._error(doing, error) from error
        except OSError as error:
            raise self._error(doing, error) from error

    def _error(self, doing: str, error: OSError) -> StoreError:
        sentence = self._sentence(doing, error)
        if error.errno in _FULL:
            return StoreUnavailable(sentence, hint=f"free space where {self._root} lies")
        if error.errno in _DENIED:
            return StoreDenied(sentence, hint=f"let this user write to {self._root}")
        if error.errno in _WRONG:
            return self._wrong(doing, error)
        return StoreUnavailable(sentence)

    def _wrong(self, doing: str, error: OSError) -> StoreMisconfigured:
        hint = f"name another folder, or make {self._root} one that can be written to"
        return StoreMisconfigured(self._sentence(doing, error), hint=hint)

    def _sentence(self, doing: str, error: OSError) -> str:
        return f"{self.name}: cannot {doing}: {error.strerror or error}"


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:  # deleted since it was listed
        return None


def _etag(found: os.stat_result) -> str:
    return f"{found.st_ino:x}-{found.st_size:x}-{found.st_mtime_ns:x}"
