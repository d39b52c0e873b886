"""A put whose answer was lost is settled by looking, and only by what proves it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import SpoolError, StoreDenied, StoreUnavailable
from abr.storage.directory import DirectoryStore
from abr.storage.put import Put
from tests.fakes.store import ScriptedStore

KEY = "ch/v/s/1.m4s"
HEADERS = ("video/mp4", "max-age=1")


def lost() -> StoreUnavailable:
    return StoreUnavailable("eu: no answer", lost=True)


def refused() -> StoreUnavailable:
    return StoreUnavailable("eu: nobody listens")


def methods(store: ScriptedStore) -> list[str]:
    return [call.method for call in store.calls]


def attempt(put: Put) -> str:
    """One attempt; what was raised, or "" when it is there."""
    try:
        return "" if put() else "?"
    except StoreUnavailable as error:
        return error.message


@pytest.mark.parametrize("as_file", [False, True])
def test_an_object_that_is_there_is_confirmed_without_being_sent_again(tmp_path: Path, as_file: bool) -> None:
    file = tmp_path / "1.m4s"
    file.write_bytes(b"segment")
    store = ScriptedStore()
    put = Put(store, KEY, file if as_file else b"segment", *HEADERS)
    store.lose(lost())
    assert attempt(put)
    assert put() == store.held.head(KEY).etag
    assert methods(store) == ["put", "head"]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"another", HEADERS),
        (b"longer than it", HEADERS),
        (b"segment", ("video/mp4", "max-age=60")),
        (b"segment", ("audio/mp4", "max-age=1")),
    ],
)
def test_what_is_there_and_is_not_ours_is_put_over(body: bytes, headers: tuple[str, str]) -> None:
    store = ScriptedStore()
    store.held.put(KEY, body, *headers)
    put = Put(store, KEY, b"segment", *HEADERS)
    store.fail(lost())
    assert attempt(put)
    assert put()
    assert methods(store) == ["put", "head", "put"]
    held = store.held.get(KEY)
    assert (held.body, held.content_type, held.cache_control) == (b"segment", *HEADERS)


def test_what_is_not_there_is_put() -> None:
    store = ScriptedStore()
    put = Put(store, KEY, b"segment", *HEADERS)
    store.fail(lost())
    assert attempt(put)
    assert put()
    assert methods(store) == ["put", "head", "put"]


def test_nobody_looks_for_what_was_never_sent() -> None:
    store = ScriptedStore()
    put = Put(store, KEY, b"segment", *HEADERS)
    store.fail(refused(), refused())
    assert [bool(attempt(put)) for _ in range(3)] == [True, True, False]
    assert methods(store) == ["put"] * 3


def test_who_may_put_and_not_look_puts() -> None:
    store = ScriptedStore()
    put = Put(store, KEY, b"segment", *HEADERS)
    store.lose(lost())
    assert attempt(put)
    store.fail(StoreDenied("eu: no right to read"))
    assert put()
    assert methods(store) == ["put", "head", "put"]


def test_a_store_that_never_tells_what_it_has_gets_the_object_all_the_same() -> None:
    """Looks and puts take turns: neither can keep the other from happening."""
    store = ScriptedStore()
    put = Put(store, KEY, b"segment", *HEADERS)
    store.fail(lost())
    assert attempt(put)
    store.rule = lambda call: refused() if call.method == "head" else None
    assert attempt(put)
    assert attempt(put) == ""
    assert methods(store) == ["put", "head", "put"]


@given(st.lists(st.sampled_from(["lost after", "lost before", "refused"]), max_size=8))
def test_whatever_fails_the_object_is_there_once_it_is_confirmed(faults: list[str]) -> None:
    store = ScriptedStore()
    put = Put(store, KEY, b"segment", *HEADERS)
    for fault in faults:
        if fault == "lost after":
            store.lose(lost())
        else:
            store.fail(lost() if fault == "lost before" else refused())
        if not attempt(put):
            break
    else:
        store._lost.clear()
        assert any(not attempt(put) for _ in range(3))
    assert store.body(KEY) == b"segment"


def test_a_folder_has_no_md5_and_is_written_again(tmp_path: Path) -> None:
    folder = DirectoryStore(tmp_path, durable=False)
    folder.put(KEY, b"segment", *HEADERS)

    class Forgetful(DirectoryStore):
        failed = False

        def put(self, key: str, body: bytes | Path, content_type: str, cache_control: str) -> str:
            if not self.failed:
                self.failed = True
                raise lost()
            return super().put(key, body, content_type, cache_control)

    put = Put(Forgetful(tmp_path, durable=False), KEY, b"segment", *HEADERS)
    assert attempt(put)
    assert put() == folder.head(KEY).etag


def test_a_file_that_vanished_between_two_attempts_is_not_the_stores_fault(tmp_path: Path) -> None:
    file = tmp_path / "1.m4s"
    file.write_bytes(b"segment")
    store = ScriptedStore()
    put = Put(store, KEY, file, *HEADERS)
    store.lose(lost())
    assert attempt(put)
    file.unlink()
    with pytest.raises(SpoolError, match=r"1\.m4s"):
        put()
