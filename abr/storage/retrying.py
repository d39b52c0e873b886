"""The one place where a store's call is repeated: how often, how long, and who is told."""

import random
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from abr.clock import Clock
from abr.errors import StoreError, StoreMissing, StoreUnavailable
from abr.log import Logger
from abr.model.object import ObjectKind, StoredObject
from abr.storage.put import Put
from abr.storage.store import Found, Held, Store

if TYPE_CHECKING:
    from tenacity import RetryCallState

T = TypeVar("T")

_log = Logger("storage")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to repeat. Durations in nanoseconds; a deadline of None repeats until somebody stops it."""

    first: int = 200_000_000
    """The first pause is between 0 and this; each further one may be twice as long ("full jitter")."""
    longest: int = 10_000_000_000
    longest_asked: int = 60_000_000_000
    """A store that asks for a longer pause (Retry-After) gets this."""
    deadline: int | None = 30_000_000_000
    """For reading, listing, deleting, and puts of kinds that `deadlines` does not name."""
    deadlines: Mapping[ObjectKind, int | None] = field(
        default_factory=lambda: {
            ObjectKind.INIT: None,
            ObjectKind.SEGMENT: None,
            ObjectKind.PLAYLIST: 10_000_000_000,
            ObjectKind.MANIFEST: 10_000_000_000,
        }
    )
    """Nothing encoded is given up; a live playlist is soon, for a newer one waits to take its place."""

    def pause(self, attempt: int, asked: float | None, chance: float) -> int:
        """Nanoseconds before the next attempt; `attempt` counts from 1, `chance` is in [0, 1)."""
        ceiling = min(self.longest, self.first << min(attempt - 1, 32))
        wanted = min(self.longest_asked, int((asked or 0) * 1_000_000_000))
        return wanted + int(ceiling * chance)


@dataclass(frozen=True, slots=True)
class Outage:
    """A store that does not answer: since when (monotonic nanoseconds), how many calls failed, the last reason."""

    since: int
    failures: int
    reason: str


class Retrying:
    """A store whose calls are repeated while the error says that it can help, within a deadline.

    A put whose answer was lost is settled by looking before the object is sent again (`storage.put`). A pause that
    the store asked for counts for the calls of all threads; who begins a call looks at `rest` first.

    `wait(seconds)` pauses and answers whether to stop: pass `threading.Event.wait`. A stopped call and one
    whose deadline would pass raise the last error. Errors that last are raised at once. Keeps Store's contract.
    """

    def __init__(
        self,
        store: Store,
        *,
        wait: Callable[[float], bool],
        clock: Clock,
        patience: Patience | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.name = store.name
        self._store = store
        self._wait = wait
        self._clock = clock
        self._patience = patience or Patience()
        self._chance = chance
        self._outage: Outage | None = None
        self._rest_until = 0
        self._lock = threading.Lock()

    @property
    def outage(self) -> Outage | None:
        """The outage now, None while the store answers."""
        return self._outage

    @property
    def rest(self) -> int:
        """Nanoseconds until the store wants to be asked again; 0 unless it asked for a pause."""
        return max(0, self._rest_until - self._clock.monotonic())

    def put_object(
        self, stored: StoredObject, body: bytes | Path, slowed: Callable[[], None] = lambda: None
    ) -> str:
        """Put with the deadline of the object's kind; answer the ETag.

        `slowed` is called when the store asks for fewer requests.
        """
        deadline = self._patience.deadlines.get(stored.kind, self._patience.deadline)
        put = Put(self._store, stored.key, body, stored.content_type, stored.cache_control)
        return self._repeat(_telling(put, slowed), deadline)

    def put(self, key: str, body: bytes | Path, content_type: str, cache_control: str) -> str:
        """Put with the common deadline; answer the ETag."""
        return self._repeat(Put(self._store, key, body, content_type, cache_control), self._patience.deadline)

    def get(self, key: str) -> Held:
        """The object with its body. Raises StoreMissing."""
        return self._repeat(lambda: self._store.get(key), self._patience.deadline)

    def head(self, key: str) -> Held:
        """The object without its body. Raises StoreMissing."""
        return self._repeat(lambda: self._store.head(key), self._patience.deadline)

    def list(self, prefix: str) -> Iterator[Found]:
        """All objects whose key begins with `prefix`; a listing that breaks off begins again, unseen."""
        return iter(self._repeat(lambda: list(self._store.list(prefix)), self._patience.deadline))

    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects; those that are gone already are fine."""
        self._repeat(lambda: self._store.delete(keys), self._patience.deadline)

    def check(self) -> None:
        """Find out at the start whether objects can be put at all."""
        self._repeat(self._store.check, self._patience.deadline)

    def close(self) -> None:
        """Give back connections. May be called twice."""
        self._store.close()

    def _repeat(self, call: Callable[[], T], deadline: int | None) -> T:
        began = self._clock.monotonic()
        try:
            result = call()
        except StoreError as error:
            result = self._go_on(call, error, began, deadline)
        self._answered()
        return result

    def _go_on(self, call: Callable[[], T], error: StoreError, began: int, deadline: int | None) -> T:
        """Repeat a call whose first attempt failed with `error`."""
        from tenacity import Retrying as Attempts  # noqa: PLC0415 - most runs never need it

        first = [error]

        def attempt() -> T:
            if first:
                raise first.pop()
            return call()

        def may_repeat(state: "RetryCallState") -> bool:
            error = _error(state)
            if isinstance(error, StoreError) and error.retry:
                self._failed(error)
                return True
            if isinstance(error, StoreMissing):  # also an answer
                self._answered()
            return False

        def stop(state: "RetryCallState") -> bool:
            spent = self._clock.monotonic() - began + int(state.upcoming_sleep * 1_000_000_000)
            return deadline is not None and spent > deadline

        def pause(state: "RetryCallState") -> float:
            asked = self.rest / 1_000_000_000
            return self._patience.pause(state.attempt_number, asked, self._chance()) / 1_000_000_000

        def rest(state: "RetryCallState") -> None:
            error = _error(state)
            if self._wait(state.upcoming_sleep) and error is not None:
                raise error

        return Attempts(
            retry=may_repeat, stop=stop, wait=pause, before_sleep=rest, sleep=_no_sleep, reraise=True
        )(attempt)

    def _failed(self, error: StoreError) -> None:
        after = error.after if isinstance(error, StoreUnavailable) else None
        rest = min(self._patience.longest_asked, int((after or 0) * 1_000_000_000))
        with self._lock:
            self._rest_until = max(self._rest_until, self._clock.monotonic() + rest)
            before = self._outage
            if before is None:
                self._outage = Outage(self._clock.monotonic(), 1, str(error))
            else:
                self._outage = replace(before, failures=before.failures + 1, reason=str(error))
        if before is None:
            _log.warning("origin lost", origin=self.name, error=error)

    def _answered(self) -> None:
        if self._outage is None:
            return
        with self._lock:
            outage, self._outage = self._outage, None
        if outage is not None:
            after = (self._clock.monotonic() - outage.since) / 1_000_000_000
            _log.info("origin back", origin=self.name, after_s=round(after, 1), failures=outage.failures)


def _telling(put: Put, slowed: Callable[[], None]) -> Callable[[], str]:
    """The put, which tells when the store asks for fewer requests."""

    def attempt() -> str:
        try:
            return put()
        except StoreUnavailable as error:
            if error.slow:
                slowed()
            raise

    return attempt


def _error(state: "RetryCallState") -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None


def _no_sleep(_: float) -> None:
    """The pause is made in `before_sleep`, where the error is at hand for whoever stops it."""
