"""Delivery of a channel to its origins: journal and spool on disk, real threads, stores in memory."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from abr.config.bucket import S3Origin
from abr.errors import StoreDenied, StoreUnavailable
from abr.model.segment import Session
from abr.storage.directory import DirectoryStore
from abr.storage.memory import MemoryStore
from abr.storage.s3 import S3Store
from abr.storage.store import Store
from abr.worker.delivery import _threads
from tests.fakes.log import KeptLines
from tests.fakes.origins import HurriedClock, listed
from tests.fakes.store import Call, ScriptedStore
from tests.fakes.stream import batches
from tests.fakes.worker import Worker, first_number, session

SOON = 20
SESSION = session()
NEXT = session("b", seconds=60)
NAMES = [rendition.name for rendition in SESSION.renditions]

Start = Callable[..., Worker]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a worker that delivers to these stores; it is closed with the test."""
    workers: list[Worker] = []

    def make(*stores: Store) -> Worker:
        workers.append(Worker(tmp_path, stores, HurriedClock(), KeptLines()))
        return workers[-1]

    yield make
    for worker in workers:
        worker.close()


class Witness(MemoryStore):
    """A store that looks at every playlist: it may name only what the journal calls confirmed here."""

    worker: Worker
    lists = 0

    def put(self, key, body, content_type, cache_control):
        name = key.removeprefix("main/").removesuffix("/index.m3u8")
        if name in NAMES:
            self.lists += 1
            there = self.worker.journal.confirmed(self.name)
            confirmed = {f"{item.session}/{item.number}.m4s" for item in there if item.rendition == name}
            assert set(listed(body)) <= confirmed
        return super().put(key, body, content_type, cache_control)


def there(store: MemoryStore | ScriptedStore) -> list[str]:
    held = store.held if isinstance(store, ScriptedStore) else store
    return [found.key for found in held.list("")]


def body(store: MemoryStore | ScriptedStore, key: str) -> bytes:
    held = store.held if isinstance(store, ScriptedStore) else store
    return held.get(key).body


def segments(made: Session, count: int) -> list[str]:
    first = first_number(made)
    return [f"{made.id}/{first + place}.m4s" for place in range(count)]


def test_playlists_name_only_what_is_confirmed_and_in_the_end_everything(start):
    store = Witness("eu")
    store.worker = worker = start(store)
    worker.run(SESSION, 8)
    assert worker.delivery.wait_idle(SOON)
    assert worker.delivery.failure() == ""
    assert store.lists >= len(NAMES)
    for name in NAMES:
        playlist = body(store, f"main/{name}/index.m3u8")
        assert listed(playlist) == segments(SESSION, 8)
        assert playlist.endswith(b"#EXT-X-ENDLIST\n")
    assert b'type="static"' in body(store, "main/manifest.mpd")


def test_a_recording_names_every_segment_where_it_lies(start):
    store = MemoryStore("eu")
    worker = start(store)
    worker.run(SESSION, 8)
    assert worker.delivery.wait_idle(SOON)
    folder = f"main/recordings/{SESSION.event}"
    for name in NAMES:
        named = listed(body(store, f"{folder}/{name}/index.m3u8"))
        keys = [f"main/{address.removeprefix('../../../')}" for address in named]
        assert keys == [f"main/{name}/{item}" for item in segments(SESSION, 8)]
        sizes = [
            row.size for release in worker.journal.releases() for row in release.rows if row.rendition == name
        ]
        assert [len(body(store, key)) for key in keys] == sizes
    assert body(store, f"{folder}/index.m3u8").startswith(b"#EXTM3U")
    assert b'"ended": true' in body(store, "main/state.json")


def test_the_spool_is_empty_when_all_origins_have_everything(start):
    worker = start(MemoryStore("eu"), MemoryStore("us"))
    worker.run(SESSION, 4)
    assert worker.delivery.wait_idle(SOON)
    assert worker.waiting() == set()
    for origin in ("eu", "us"):
        assert len(worker.journal.confirmed(origin)) == 3 * (1 + 4)
        assert worker.journal.unconfirmed(origin) == ((), ())


def test_an_origin_that_fails_for_a_while_delays_no_other_and_gets_everything(start):
    here, away = MemoryStore("eu"), ScriptedStore("us")
    away.hold()
    away.fail(*[StoreUnavailable("us: 503")] * 3)
    worker = start(here, away)
    worker.run(SESSION, 6)
    assert worker.delivery._fanout._origins[0].wait_idle(SOON)
    assert worker.delivery.states()[0].state == "idle"
    assert len(worker.waiting()) == 3 * (1 + 6)
    assert there(away) == []
    away.let_go()
    assert worker.delivery.wait_idle(SOON)
    assert there(away) == there(here)
    assert [body(away, key) for key in there(away) if key.endswith("m4s")] == [
        body(here, key) for key in there(here) if key.endswith("m4s")
    ]
    assert worker.waiting() == set()


def test_what_a_stopped_origin_lacks_stays_and_the_others_go_on(start):
    here, broken = MemoryStore("eu"), ScriptedStore("us")
    broken.rule = _denied_from(first_number(SESSION) + 2)
    worker = start(here, broken)
    worker.run(SESSION, 6)
    assert worker.delivery.wait_idle(SOON)
    assert len([key for key in there(here) if key.endswith(".m4s")]) == 3 * 6
    assert worker.delivery.failure() == "us: the key is not valid any more"
    lacks = worker.journal.unconfirmed("us")
    assert {release.number - first_number(SESSION) for release in lacks.releases} >= {2, 3, 4, 5}
    files = {
        f"{row.session}/{row.rendition}/{row.number}.m4s" for item in lacks.releases for row in item.rows
    }
    assert files <= worker.waiting()
    assert "ENDLIST" in body(here, f"main/{NAMES[0]}/index.m3u8").decode()
    assert all("ENDLIST" not in body(broken, key).decode() for key in there(broken) if key.endswith("m3u8"))


def test_a_worker_that_leaves_during_an_outage_leaves_files_and_rows_that_match(start):
    away = ScriptedStore("eu")
    away.rule = lambda call: StoreUnavailable("eu: 503") if call.key.endswith("m4s") else None
    worker = start(away)
    packager = worker.begin(SESSION)
    for name, some in batches(SESSION, first_number(SESSION), 5):
        packager.push(name, some)
    packager.flush()
    away.called.acquire(timeout=SOON)
    assert not worker.delivery.wait_idle(0)
    worker.delivery.close()
    assert worker.threads.join(SOON)
    lacks = worker.journal.unconfirmed("eu")
    segments_ = {
        f"{row.session}/{row.rendition}/{row.number}.m4s" for item in lacks.releases for row in item.rows
    }
    assert len(segments_) == 15
    assert segments_ <= worker.waiting()
    assert away.closed == 1


def test_the_next_event_goes_on_in_sequence_after_the_end_of_the_first(start):
    store = Witness("eu")
    store.worker = worker = start(store)
    worker.run(SESSION, 4)
    worker.run(NEXT, 4)
    assert worker.delivery.wait_idle(SOON)
    playlist = body(store, f"main/{NAMES[0]}/index.m3u8").decode()
    assert listed(playlist.encode()) == segments(NEXT, 4)
    assert "#EXT-X-MEDIA-SEQUENCE:4\n" in playlist
    assert "#EXT-X-DISCONTINUITY-SEQUENCE:1\n" in playlist
    for made in (SESSION, NEXT):
        recording = body(store, f"main/recordings/{made.event}/{NAMES[0]}/index.m3u8")
        assert [name.rpartition("/")[2] for name in listed(recording)] == [
            name.rpartition("/")[2] for name in segments(made, 4)
        ]
    assert worker.waiting() == set()


def test_an_event_without_a_segment_leaves_nothing_behind(start):
    store = MemoryStore("eu")
    worker = start(store)
    worker.run(SESSION, 0)
    assert worker.delivery.wait_idle(SOON)
    assert worker.waiting() == set()
    assert [key for key in there(store) if "recordings" in key or key.endswith("m3u8")] == []


def _denied_from(number: int) -> Callable[[Call], Exception | None]:
    def rule(call: Call) -> Exception | None:
        name = call.key.rpartition("/")[2]
        late = name.endswith(".m4s") and int(name.removesuffix(".m4s")) >= number
        return StoreDenied("us: the key is not valid any more") if late else None

    return rule


def test_a_bucket_has_a_thread_for_each_of_its_connections() -> None:
    bucket = S3Store(S3Origin(bucket="live", connections=7))
    assert (_threads(bucket, live=True), _threads(bucket, live=False)) == (7, 7)
    folder = DirectoryStore(Path("/srv/www"))
    assert (_threads(folder, live=True), _threads(folder, live=False)) == (1, 0)
