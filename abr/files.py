"""Every file that abr writes is written here: whole or not at all."""

import os
import secrets
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Space(NamedTuple):
    """Bytes of a file system: those that we may still use, and all."""

    free: int
    total: int


class Growing:
    """A new file that is written piece by piece; a reader sees what was written so far. One thread writes it.

    Nothing is synced: a power cut takes the last half minute. Raises OSError, FileExistsError for a path that is
    taken.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)

    def write(self, data: bytes) -> None:
        """Append; all of it or OSError."""
        view = memoryview(data)
        while view:
            written = os.write(self._descriptor, view)
            self.size += written
            view = view[written:]

    def close(self) -> None:
        """No more is written. Closing twice is fine."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


def space(path: Path) -> Space:
    """The file system that a path lies on. Raises OSError."""
    found = os.statvfs(path)
    return Space(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)


def stamp(path: Path) -> tuple[int, ...]:
    """What differs once a file was replaced or written to; () for a file that is not there."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def make_folder(path: Path) -> None:
    """Make a folder and those above it. An existing folder is fine; raises OSError for anything else."""
    path.mkdir(parents=True, exist_ok=True)


def write_atomic(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a file so that a reader sees the old bytes or the new ones, never a part.

    Temporary name beside the target → write → fsync → rename → fsync of the folder. `durable=False` leaves
    out both fsyncs (for views that can be made again). Raises OSError; the temporary file is then gone.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        _write(temporary, data, durable=durable)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    if durable:
        sync_folder(path.parent)


def write_new(path: Path | str, data: bytes, *, durable: bool = True) -> None:
    """Write a file that nobody looks for until a record names it: no temporary name, no rename.

    A file of an earlier run is replaced and never written into: it may have a second name. The folder is *not*
    synced: one `sync_folder` serves many files. Raises OSError.
    """
    try:
        _write(path, data, durable=durable)
    except FileExistsError:
        remove([path])
        _write(path, data, durable=durable)


def link_or_copy(source: Path, target: Path, *, durable: bool = False) -> None:
    """Give `source` a second name, atomically; copy it where the file system cannot. Raises OSError.

    `durable` makes a copy and the new name survive a power cut; of `source` itself nothing is synced.
    """
    try:
        _link(source, target)
    except OSError:
        write_atomic(target, source.read_bytes(), durable=durable)
        return
    if durable:
        sync_folder(target.parent)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except FileExistsError:
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
        os.link(source, temporary)
        try:
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)  # rename(2) does nothing when both names are one file already


def remove(paths: Iterable[Path | str]) -> None:
    """Remove files; those that are gone already are fine."""
    for path in paths:
        with suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108 - once a segment: half the price


def sync_folder(path: Path) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_regular(path: Path) -> bool:
    """Whether the path is a plain file (not a pipe or a device)."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False


def _write(path: Path | str, data: bytes, *, durable: bool) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
