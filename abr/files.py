"""Every file that abr writes is written here: whole or not at all."""

import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path


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


def write_new(path: Path, data: bytes, *, durable: bool = True) -> None:
    """Write a file that nobody looks for until a record names it: no temporary name, no rename.

    An unfinished file of an earlier run is overwritten. The folder is *not* synced: one `sync_folder` serves
    many files. Raises OSError.
    """
    _write(path, data, durable=durable)


def link_or_copy(source: Path, target: Path, *, durable: bool = False) -> None:
    """Give `source` a second name, atomically; copy it where the file system cannot. Raises OSError.

    `durable` makes a copy and the new name survive a power cut; of `source` itself nothing is synced.
    """
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
    try:
        os.link(source, temporary)
    except OSError:
        write_atomic(target, source.read_bytes(), durable=durable)
        return
    try:
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)  # rename(2) does nothing when both names are one file already
    if durable:
        sync_folder(target.parent)


def remove(paths: Iterable[Path]) -> None:
    """Remove files; those that are gone already are fine."""
    for path in paths:
        path.unlink(missing_ok=True)


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


def _write(path: Path, data: bytes, *, durable: bool) -> None:
    with path.open("wb", buffering=0) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]
        if durable:
            os.fsync(file.fileno())
