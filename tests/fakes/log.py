"""A logger that keeps its lines."""

import threading
from typing import Any

from abr.log import Logger


class KeptLines(Logger):
    """Lines as (event, values), in order; `wait_for` waits until one with this event and these values is there."""

    def __init__(self, kept: list[tuple[str, dict[str, Any]]] | None = None, **bound: object) -> None:
        super().__init__("test", **bound)
        self.lines = kept if kept is not None else []
        self._changed = threading.Condition()

    def bind(self, **values: object) -> "KeptLines":
        child = KeptLines(self.lines, **{**self._bound, **values})
        child._changed = self._changed
        return child

    def wait_for(self, event: str, timeout: float = 20, **values: object) -> dict[str, Any]:
        """The first such line's values. Raises AssertionError with all lines after `timeout` seconds."""

        def find() -> dict[str, Any] | None:
            return next(
                (found for name, found in self.lines if name == event and values.items() <= found.items()),
                None,
            )

        with self._changed:
            found = self._changed.wait_for(find, timeout)
        assert found is not None, self.lines
        return found

    def _write(self, level: str, event: str, values: dict[str, object]) -> None:
        with self._changed:
            self.lines.append((event, {"level": level, **self._bound, **values}))
            self._changed.notify_all()
