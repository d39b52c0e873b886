"""The worker's role in a channel: one process at a time, until it closes the lock or dies."""

import errno
import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from abr import files
from abr.errors import ChannelBusy, StateUnusable

_ATTEMPTS = 10


class ChannelLock:
    """A flock(2) on `{folder}/lock`; the folder is `{state}/{channel}`. The kernel gives it up with the process.

    It is not the database's lock: archive commands work beside it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the role at once, or raise ChannelBusy; StateUnusable where the folder cannot be locked."""
        try:
            files.make_folder(self._folder)
            self._descriptor = self._lock()
        except OSError as error:
            raise StateUnusable(
                f"{self._folder}: the channel's folder cannot be locked: {error.strerror}",
                hint="choose a --state folder on a local disk that can be written",
            ) from error

    def release(self) -> None:
        """Give the role back. May be called twice."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _lock(self) -> int:
        path = self._folder / "lock"
        for _ in range(_ATTEMPTS):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            self._take(descriptor)
            if _names(path, descriptor):
                return descriptor
            os.close(descriptor)  # somebody removed the file between opening and locking it
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    def _take(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise ChannelBusy(
                f"channel {self._folder.name}: another worker runs it from {self._folder}",
                hint="stop that worker, or choose another --channel or --state",
            ) from error
        except OSError:
            os.close(descriptor)
            raise


def _names(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
