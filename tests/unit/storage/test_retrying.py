"""The one retry layer: how long, how often, who is told. No test waits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr import log
from abr.errors import StoreDenied, StoreMissing, StoreUnavailable
from abr.model.object import IMMUTABLE, ObjectKind, StoredObject
from abr.storage.retrying import Outage, Patience, Retrying
from tests.fakes.clock import FakeClock
from tests.fakes.store import Call, ScriptedStore

NANO = 1_000_000_000
SEGMENT = StoredObject(ObjectKind.SEGMENT, "ch/v/s/1.m4s", "video/mp4", IMMUTABLE)
PLAYLIST = StoredObject(ObjectKind.PLAYLIST, "ch/v/index.m3u8", "application/vnd.apple.mpegurl", "max-age=1")


class Waits(list[float]):
    """Pauses that were asked for; time passes by as much. Says stop at the pause of this index."""

    def __init__(self, clock: FakeClock, stop_at: int | None = None) -> None:
        super().__init__()
        self._clock = clock
        self._stop_at = stop_at

    def __call__(self, seconds: float) -> bool:
        self.append(seconds)
        self._clock.wait(seconds)
        return self._stop_at is not None and len(self) > self._stop_at


def away(after: float | None = None) -> StoreUnavailable:
    return StoreUnavailable("eu: 503", after=after)


def made(
    *, chance: float = 0.5, stop_at: int | None = None, patience: Patience | None = None
) -> tuple[Retrying, ScriptedStore, Waits, FakeClock]:
    clock, store = FakeClock(), ScriptedStore("eu")
    waits = Waits(clock, stop_at)
    retrying = Retrying(store, wait=waits, clock=clock, patience=patience, chance=lambda: chance)
    return retrying, store, waits, clock


def test_a_call_is_repeated_until_it_succeeds() -> None:
    retrying, store, waits, _ = made()
    store.fail(away(), away(), away())
    etag = retrying.put_object(SEGMENT, b"segment")
    assert store.calls == [Call("put", SEGMENT.key)] * 4
    held = store.held.get(SEGMENT.key)
    assert (held.body, held.etag, held.content_type, held.cache_control) == (
        b"segment",
        etag,
        "video/mp4",
        IMMUTABLE,
    )
    assert waits == [0.1, 0.2, 0.4]


def test_a_put_whose_answer_was_lost_is_looked_for_and_not_sent_again() -> None:
    retrying, store, _, _ = made()
    store.lose(StoreUnavailable("eu: no answer", lost=True))
    etag = retrying.put_object(SEGMENT, b"segment")
    assert store.calls == [Call("put", SEGMENT.key), Call("head", SEGMENT.key)]
    assert etag == store.held.head(SEGMENT.key).etag
    assert retrying.outage is None


def test_who_asks_for_fewer_requests_is_heard_at_each_attempt() -> None:
    retrying, store, _, _ = made()
    store.fail(StoreUnavailable("eu: 503", slow=True), away(), StoreUnavailable("eu: 503", slow=True))
    heard: list[int] = []
    retrying.put_object(SEGMENT, b"x", lambda: heard.append(len(store.calls)))
    assert heard == [1, 3]


@pytest.mark.parametrize("error", [StoreDenied("no"), StoreMissing("gone"), ValueError("a bug")])
def test_an_error_that_lasts_is_raised_at_once(error: Exception) -> None:
    retrying, store, waits, _ = made()
    store.fail(error)
    with pytest.raises(type(error)) as caught:
        retrying.put_object(SEGMENT, b"x")
    assert caught.value is error
    assert waits == []
    assert len(store.calls) == 1


def test_a_segment_is_never_given_up() -> None:
    """An outage of hours ends with the object at the origin."""
    retrying, store, waits, clock = made()
    store.fail(*[away() for _ in range(2000)])
    retrying.put_object(SEGMENT, b"x")
    assert store.keys() == [SEGMENT.key]
    assert clock.monotonic() > 2.5 * 3600 * NANO
    assert max(waits) == 5.0


def test_a_playlist_is_given_up_within_its_deadline() -> None:
    """The last error is raised; no pause is begun that would end after it."""
    patience = Patience(deadlines={ObjectKind.PLAYLIST: 3 * NANO})
    retrying, store, waits, clock = made(patience=patience)
    errors = [away() for _ in range(50)]
    store.fail(*errors)
    with pytest.raises(StoreUnavailable) as caught:
        retrying.put_object(PLAYLIST, b"x")
    assert caught.value is errors[len(waits)]
    assert clock.monotonic() == sum(round(wait * NANO) for wait in waits) <= 3 * NANO
    assert len(waits) == 4


def test_whoever_stops_is_heard_in_the_pause() -> None:
    """No further attempt is made, the last error is raised."""
    retrying, store, waits, _ = made(stop_at=1)
    errors = [away() for _ in range(9)]
    store.fail(*errors)
    with pytest.raises(StoreUnavailable) as caught:
        retrying.put_object(SEGMENT, b"x")
    assert caught.value is errors[1]
    assert len(store.calls) == len(waits) == 2


def test_a_pause_that_was_asked_for_is_kept_and_scattered() -> None:
    retrying, store, waits, _ = made()
    store.fail(away(3.0), away(0.0), away(86_400.0))
    retrying.put_object(SEGMENT, b"x")
    assert waits == [3.1, 0.2, 60.4]


def test_a_pause_that_was_asked_for_counts_for_every_call() -> None:
    """Another thread's next attempt comes after it too, and whoever begins a call can see how long it lasts."""
    retrying, store, waits, clock = made(patience=Patience(deadlines={ObjectKind.PLAYLIST: NANO}))
    store.fail(away(30.0))
    with pytest.raises(StoreUnavailable):
        retrying.put_object(PLAYLIST, b"x")
    assert waits == []
    assert retrying.rest == 30 * NANO
    clock.advance(10 * NANO)
    store.fail(away())
    retrying.put_object(SEGMENT, b"x")
    assert waits == [20.1]
    assert retrying.rest == 0


def test_a_live_playlist_is_given_up_before_anything_else() -> None:
    patience = Patience()
    assert patience.deadlines[ObjectKind.SEGMENT] is patience.deadlines[ObjectKind.INIT] is None
    assert patience.deadlines[ObjectKind.PLAYLIST] == patience.deadlines[ObjectKind.MANIFEST] == 10 * NANO
    assert patience.deadline == 30 * NANO


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True), st.none() | st.floats(0, 1e6))
def test_pauses_are_jittered_in_full_and_bounded(attempt: int, chance: float, asked: float | None) -> None:
    patience = Patience()
    pause = patience.pause(attempt, asked, chance)
    assert int(min(asked or 0, 60) * NANO) <= pause <= int(min(asked or 0, 60) * NANO) + patience.longest
    assert patience.pause(attempt, None, 0.0) == 0
    assert patience.pause(attempt, None, chance) <= min(
        patience.first << min(attempt - 1, 99), patience.longest
    )


def test_every_method_is_repeated() -> None:
    retrying, store, _, _ = made()
    retrying.put("a", b"1", "text/plain", "")
    calls = {
        "get": lambda: retrying.get("a").body == b"1",
        "head": lambda: retrying.head("a").size == 1,
        "list": lambda: [found.key for found in retrying.list("")] == ["a"],
        "check": lambda: retrying.check() is None,
        "delete": lambda: retrying.delete(["a"]) is None,
    }
    for method, call in calls.items():
        store.calls.clear()
        store.fail(away())
        assert call()
        assert [made_.method for made_ in store.calls] == [method, method]
    retrying.close()
    assert store.closed == 1
    assert retrying.name == "eu"


def test_an_outage_is_known_while_it_lasts_and_told_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line when it begins, one when it ends, however many calls fail between."""
    told: list[tuple[str, dict[str, object]]] = []
    monkeypatch.setattr(log.Logger, "warning", lambda _, event, **values: told.append((event, values)))
    monkeypatch.setattr(log.Logger, "info", lambda _, event, **values: told.append((event, values)))
    retrying, store, _, clock = made()
    seen: list[Outage | None] = []
    store.rule = lambda _: seen.append(retrying.outage)
    errors = [away(1.0), away(1.0), away(1.0)]
    store.fail(*errors)
    clock.advance(7)
    retrying.put_object(SEGMENT, b"x")
    retrying.get(SEGMENT.key)
    assert seen == [Outage(7, 3, "eu: 503"), None]
    assert retrying.outage is None
    assert told == [
        ("origin lost", {"origin": "eu", "error": errors[0]}),
        ("origin back", {"origin": "eu", "after_s": 3.7, "failures": 3}),
    ]


def test_a_store_that_misses_an_object_answers() -> None:
    retrying, store, _, _ = made(stop_at=0)
    store.fail(away())
    with pytest.raises(StoreUnavailable):
        retrying.get("a")
    assert retrying.outage is not None
    with pytest.raises(StoreMissing):
        retrying.get("a")
    assert retrying.outage is None
