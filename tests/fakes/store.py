"""A store that does what a test wrote down: fails, loses its answer, or waits until it is let go."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from abr.storage.memory import MemoryStore
from abr.storage.store import Found, Held


class Call(NamedTuple):
    """One call: the method's name, and its key, prefix or number of keys."""

    method: str
    key: str


Rule = Callable[[Call], Exception | None]

_PATIENCE = 10.0
"""Seconds after which a held call gives up: a test that forgot to let go fails instead of hanging."""


class ScriptedStore:
    """MemoryStore behind a script. `calls` are all calls in order, `held` the objects that are really there.

    `fail(*errors)`: the next calls raise these. `rule`: asked for each call, its answer is raised.
    `lose(error)`: the next put is stored, then raises. `hold()`: puts wait until `let_go()`.
    """

    def __init__(self, name: str = "scripted") -> None:
        self.name = name
        self.held = MemoryStore(name)
        self.calls: list[Call] = []
        self.called = threading.Semaphore(0)
        """Released with each call."""
        self.rule: Rule = lambda _: None
        self.closed = 0
        self._errors: deque[Exception] = deque()
        self._lost: deque[Exception] = deque()
        self._open = threading.Event()
        self._open.set()
        self._lock = threading.Lock()

    def fail(self, *errors: Exception) -> None:
        self._errors.extend(errors)

    def lose(self, error: Exception) -> None:
        self._lost.append(error)

    def hold(self) -> None:
        self._open.clear()

    def let_go(self) -> None:
        self._open.set()

    def keys(self) -> list[str]:
        """The keys that are there, in order."""
        return [found.key for found in self.held.list("")]

    def body(self, key: str) -> bytes:
        return self.held.get(key).body

    def put(self, key: str, body: bytes | Path, content_type: str, cache_control: str) -> str:
        self._called("put", key)
        assert self._open.wait(_PATIENCE), "nobody let the store go"
        etag = self.held.put(key, body, content_type, cache_control)
        if self._lost:
            raise self._lost.popleft()
        return etag

    def get(self, key: str) -> Held:
        self._called("get", key)
        return self.held.get(key)

    def head(self, key: str) -> Held:
        self._called("head", key)
        return self.held.head(key)

    def list(self, prefix: str) -> Iterator[Found]:
        self._called("list", prefix)
        return self.held.list(prefix)

    def delete(self, keys: Sequence[str]) -> None:
        self._called("delete", str(len(keys)))
        self.held.delete(keys)

    def check(self) -> None:
        self._called("check", "")

    def close(self) -> None:
        self.closed += 1

    def _called(self, method: str, key: str) -> None:
        call = Call(method, key)
        with self._lock:
            self.calls.append(call)
            error = self._errors.popleft() if self._errors else self.rule(call)
        self.called.release()
        if error is not None:
            raise error
