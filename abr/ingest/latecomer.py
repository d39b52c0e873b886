"""Tracks that begin after FFmpeg has opened an MPEG-TS: it would read them, and never give them out."""

from collections.abc import Callable, Collection
from typing import Protocol

from abr.errors import ProtocolError
from abr.formats.mpegts import SYNC, TsWriter
from abr.model.media import Kind


class Readable(Protocol):
    """A file that FFmpeg reads from its beginning to its end."""

    def read(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


class Latecomers:
    """Sees what one multiplex brings, in as many files as it is cut into. Of other containers it knows nothing."""

    def __init__(self) -> None:
        self._writer = TsWriter()
        self._is_broken = False

    @property
    def came(self) -> bool:
        """Whether a track has come that the reader does not know, and the others have come to a point of access."""
        return self._writer.reopen

    def settle(self, kinds: Collection[Kind]) -> None:
        """The reader is open, and has found these kinds of tracks among those that have come."""
        self._writer.settle(kinds)

    def through(self, file: Readable) -> Readable:
        """The file, whose bytes are seen as they are read."""
        return _Seen(file, self._see)

    def _see(self, data: bytes) -> None:
        if self._is_broken or self.came:
            return
        try:
            self._writer.push(data)
        except ProtocolError:
            self._is_broken = True
        while self._writer.take() is not None:
            pass


class _Seen:
    """A file that is shown to somebody else too, if it is MPEG-TS."""

    def __init__(self, file: Readable, show: Callable[[bytes], None]) -> None:
        self._file, self._show = file, show
        self._fits: bool | None = None

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        if self._fits is None:
            self._fits = data[:1] == bytes([SYNC])
        if self._fits:
            self._show(data)
        return data

    def close(self) -> None:
        self._file.close()
