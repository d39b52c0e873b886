"""A value made of files, and made again when these have changed."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from abr.errors import AbrError
from abr.files import stamp
from abr.log import Logger

T = TypeVar("T")


class Watched(Generic[T]):
    """Looks at its files whenever the value is asked for: that costs microseconds, and needs no thread.

    Files that cannot be read, or not any more, leave the value as it was, with one warning for each change. So
    a certificate may be replaced before its key.
    """

    def __init__(self, what: str, paths: tuple[Path, ...], load: Callable[[], T], log: Logger) -> None:
        """`what` names it in log lines. Raises what `load` raises."""
        self._what, self._paths, self._load, self._log = what, paths, load, log
        self._lock = threading.Lock()
        self._stamps = self._look()
        self._value = load()

    def get(self) -> T:
        """The value as the files say it now. Called in any thread."""
        with self._lock:
            stamps = self._look()
            if stamps != self._stamps:
                self._stamps = stamps
                self._renew()
            return self._value

    def _renew(self) -> None:
        try:
            self._value = self._load()
        except AbrError as error:
            self._log.warning(
                f"{self._what} not read again", reason=str(error), hint="the old one stays in use"
            )
        else:
            self._log.info(f"{self._what} read again")

    def _look(self) -> tuple[tuple[int, ...], ...]:
        return tuple(stamp(path) for path in self._paths)
