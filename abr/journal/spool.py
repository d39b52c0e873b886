"""Segment files that wait on disk until every origin has them."""

import errno
import hashlib
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from abr import files
from abr.errors import SpoolError, SpoolFull
from abr.journal.record import InitRow
from abr.model.segment import Segment, SegmentRow

SpoolKey = tuple[str, str, int | None]
"""Session, rendition, number; None for the init."""

_INIT = "init.mp4"
_SUFFIX = ".m4s"
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Spool:
    """The files `{folder}/{session}/{rendition}/{number}.m4s` and `init.mp4`.

    Only this class writes or removes them. A file is written once: an origin's folder may hold it by a second
    name. `durable` files survive a power cut from the moment `write` returns; a film that can be packaged again
    does without. All methods raise SpoolError, SpoolFull; all may be called from any thread.
    """

    def __init__(self, folder: Path, *, durable: bool) -> None:
        self._folder = folder
        self._durable = durable

    def write_init(self, session: str, rendition: str, data: bytes) -> InitRow:
        """Write an init; answer its row."""
        self._write(self._name(session, rendition, None), data)
        return InitRow(hashlib.sha256(data).hexdigest(), len(data))

    def write(self, session: str, segment: Segment, *, slate: bool = False, shed: int = 0) -> SegmentRow:
        """Write a segment; answer the row that makes it exist once it is in the journal."""
        self._write(self._name(session, segment.rendition, segment.number), segment.data)
        return SegmentRow(
            session=session,
            rendition=segment.rendition,
            number=segment.number,
            start=segment.start,
            duration=segment.duration,
            size=len(segment.data),
            sha256=hashlib.sha256(segment.data).hexdigest(),
            moof_offset=segment.moof_offset,
            first_sample_end=segment.first_sample_end,
            parts=segment.parts,
            slate=slate,
            shed=shed,
        )

    def path(self, session: str, rendition: str, number: int | None) -> Path:
        """Where a segment is, or an init (`number` None); nothing is looked up."""
        return Path(self._name(session, rendition, number))

    def remove(self, session: str, rendition: str, number: int) -> None:
        """Remove a segment; one that is gone already is fine."""
        self.discard([self._name(session, rendition, number)])

    def remove_session(self, session: str) -> None:
        """Remove all that is left of a session, inits and folders included."""
        with self._told():
            for folder in _folders(self._folder / session):
                files.remove(path for path in folder.iterdir() if not path.is_dir())
                folder.rmdir()

    def orphans(self, known: Container[SpoolKey]) -> list[Path]:
        """Files that no row names, by path: written by a worker that died before its commit."""
        with self._told():
            return sorted(path for path, key in self._files() if key is None or key not in known)

    def discard(self, paths: Iterable[Path | str]) -> None:
        """Remove files of this spool; those that are gone already are fine."""
        with self._told():
            files.remove(paths)

    def size(self) -> int:
        """Bytes that wait here."""
        with self._told():
            return sum(_size(path) for path, _ in self._files())

    def _name(self, session: str, rendition: str, number: int | None) -> str:
        """A path as text: to take a Path apart and to put it together costs as much as to write a small file."""
        file = _INIT if number is None else f"{number}{_SUFFIX}"
        return f"{self._folder}/{session}/{rendition}/{file}"

    def _write(self, path: str, data: bytes) -> None:
        with self._told():
            try:
                self._write_new(path, data)
                if self._durable:
                    files.sync_folder(Path(path).parent)
            except OSError:
                files.remove([path])
                raise

    def _write_new(self, path: str, data: bytes) -> None:
        try:
            files.write_new(path, data, durable=self._durable)
        except FileNotFoundError:
            self._make_folders(Path(path).parent)
            files.write_new(path, data, durable=self._durable)

    def _make_folders(self, folder: Path) -> None:
        files.make_folder(folder)
        if self._durable:
            for above in (folder.parent, self._folder, self._folder.parent):
                files.sync_folder(above)

    def _files(self) -> Iterator[tuple[Path, SpoolKey | None]]:
        for path in self._folder.glob("*/*/*"):
            session, rendition, name = path.parts[-3:]
            if name == _INIT:
                yield path, (session, rendition, None)
            else:
                stem = name.removesuffix(_SUFFIX)
                plain = name.endswith(_SUFFIX) and stem.isascii() and stem.isdigit()
                yield path, (session, rendition, int(stem)) if plain else None

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What the disk says, as one of our errors."""
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                raise SpoolFull(
                    f"{self._folder}: no space is left for segments",
                    hint="free space on this disk or its quota",
                ) from error
            raise SpoolError(
                f"{self._folder}: the spool cannot be used: {error.strerror or error}",
                hint="see that the --state folder is on a local disk and can be written",
            ) from error


def _folders(root: Path) -> list[Path]:
    """A folder and those below it, the deepest first; none if it is not there."""
    if not root.is_dir():
        return []
    return [*(path for path in sorted(root.glob("**/*"), reverse=True) if path.is_dir()), root]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # removed since it was listed
        return 0
