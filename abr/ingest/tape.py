"""A feed as it was received, on disk: files by the hour in one folder, within a quota."""

import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from abr import files
from abr.files import Growing, Space
from abr.formats.piece import Piece
from abr.model.time import NANO

_HOUR = 3600 * NANO
_SHARE = 8
"""A file is at most about this part of the quota, so that little goes with the oldest one."""
_LEAST_FREE = 2 << 30
_FREE_PART = 20
"""Free space that is left to others: a twentieth of the disk, at most 2 GiB."""
_UNSEEN = 4 << 20
"""Bytes that are written between two looks at the disk."""

SUFFIXES = {"flv": ".flv", "mpegts": ".ts"}
"""Containers that can be kept, and how their files' names end."""


class Kept(NamedTuple):
    """A file of the folder; the oldest of all is the smallest."""

    began: str
    number: int
    path: Path
    size: int


class Look(NamedTuple):
    """What a look at the folder found and left."""

    removed: int
    """Files that were removed, the oldest."""
    files: int
    bytes: int
    room: bool
    """Whether the disk has room for more."""


class Shelf:
    """One channel's files `{channel}-{UTC}-{n}.flv|ts` in a folder that may hold other things too.

    `quota` in bytes for all of them; `space` looks at the file system. Methods raise OSError. One thread uses it.
    """

    def __init__(
        self, folder: Path, channel: str, quota: int, space: Callable[[Path], Space] = files.space
    ) -> None:
        self._folder, self._channel, self._quota, self._space = folder, channel, quota, space
        self._name = re.compile(rf"{re.escape(channel)}-(\d{{8}}T\d{{6}}Z)-(\d{{1,9}})\.(?:flv|ts)")
        self.longest = max(1, quota // _SHARE)
        """Bytes after which a file is long enough."""
        self._number = 0

    def open(self, container: str, wall: int) -> Growing:
        """A new file that begins at `wall` (ns since the epoch)."""
        began = datetime.fromtimestamp(wall // NANO, UTC).strftime("%Y%m%dT%H%M%SZ")
        files.make_folder(self._folder)
        while True:
            self._number += 1
            path = self._folder / f"{self._channel}-{began}-{self._number}{SUFFIXES[container]}"
            try:
                return Growing(path)
            except FileExistsError:  # by a worker before this one, in the same second
                continue

    def kept(self) -> list[Kept]:
        """All files of the channel, the oldest first."""
        found = []
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            match = self._name.fullmatch(path.name)
            if match and files.is_regular(path):
                found.append(Kept(match[1], int(match[2]), path, path.stat().st_size))
        return sorted(found)

    def trim(self, busy: Collection[Path]) -> Look:
        """Remove the oldest files that are not `busy` until the quota is kept and the disk has room."""
        kept = self.kept()
        left, count, removed = sum(item.size for item in kept), len(kept), 0
        for item in kept:
            if left <= self._quota and self.has_room():
                break
            if item.path not in busy:
                files.remove([item.path])
                left, count, removed = left - item.size, count - 1, removed + 1
        return Look(removed, count, left, self.has_room())

    def has_room(self, *, twice: bool = False) -> bool:
        """Whether enough of the disk is left to others, or `twice` as much."""
        space = self._space(self._folder)
        return space.free >= min(_LEAST_FREE, space.total // _FREE_PART) * (2 if twice else 1)


class Tape:
    """The files of one feed, one after another. Each can be played without the others."""

    def __init__(self, shelf: Shelf, container: str) -> None:
        self._shelf, self._container = shelf, container
        self._file: Growing | None = None
        self._hour = 0
        self._unseen = 0

    @property
    def path(self) -> Path | None:
        """The file that is written now."""
        return self._file.path if self._file else None

    def write(self, piece: Piece, wall: int, *, holed: bool = False) -> int:
        """Write a piece that came at `wall`; answers how many bytes were written. Raises OSError.

        `holed` says that something is missing before it: no file has a hole. What comes before the first place
        where a file may begin is passed over.
        """
        if piece.start and (holed or self._is_over(wall)):
            self.close()
        before = 0
        if self._file is None:
            if not piece.start:
                return 0
            self._file, self._hour = self._shelf.open(self._container, wall), wall // _HOUR
            self._file.write(piece.opening)
            self._unseen = _UNSEEN
        else:
            before = self._file.size
        self._file.write(piece.data)
        self._unseen += len(piece.data)
        return self._file.size - before

    def wants_look(self) -> bool:
        """Whether so much was written that somebody should look at the disk; then not for a while."""
        wants = self._unseen >= _UNSEEN
        self._unseen = 0 if wants else self._unseen
        return wants

    def close(self) -> None:
        """End the file; the next piece that may begin one does."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _is_over(self, wall: int) -> bool:
        file = self._file
        return file is not None and (wall // _HOUR != self._hour or file.size >= self._shelf.longest)
