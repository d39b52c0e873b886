"""Counters and gauges of one worker, as plain numbers. `status` renders them; nothing here knows how."""

import threading
from dataclasses import dataclass, field

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading. `kind` is "counter" or "gauge"; the name is without the `abr_` prefix."""

    name: str
    kind: str
    help: str
    labels: Labels
    value: float


@dataclass(slots=True)
class Metrics:
    """A set of readings that threads add to and one reader collects."""

    _values: dict[tuple[str, Labels], Sample] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, name: str, amount: float = 1, *, help: str = "", **labels: str) -> None:  # noqa: A002
        """Add to a counter."""
        self._put(name, "counter", help, labels, amount, add=True)

    def set(self, name: str, value: float, *, help: str = "", **labels: str) -> None:  # noqa: A002
        """Set a gauge."""
        self._put(name, "gauge", help, labels, value, add=False)

    def value(self, name: str, **labels: str) -> float:
        """The reading now; 0 for one that was never written."""
        with self._lock:
            sample = self._values.get((name, tuple(sorted(labels.items()))))
        return sample.value if sample else 0.0

    def samples(self) -> list[Sample]:
        """All readings, by name and labels."""
        with self._lock:
            return [self._values[key] for key in sorted(self._values)]

    def _put(
        self, name: str, kind: str, text: str, labels: dict[str, str], value: float, *, add: bool
    ) -> None:
        key = (name, tuple(sorted(labels.items())))
        with self._lock:
            old = self._values.get(key)
            total = value + (old.value if add and old else 0)
            self._values[key] = Sample(name, kind, text or (old.help if old else ""), key[1], total)
