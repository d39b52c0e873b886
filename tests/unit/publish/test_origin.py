"""One origin with its threads: everything arrives, in order, and every stop comes to its end."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from abr.errors import JournalError, SpoolError, StageFailed, StoreDenied, StoreUnavailable
from abr.model.time import NANO
from abr.storage.directory import DirectoryStore
from tests.fakes.clock import FakeClock
from tests.fakes.origins import FIRST, NAMES, SESSION, Away, Site, listed, steps
from tests.fakes.store import ScriptedStore

SOON = 20


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path / "spool")
    yield made
    made.close()


class Witness(ScriptedStore):
    """A store that refuses a playlist which names what the journal does not call confirmed."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site
        self.lists = 0

    def put(self, key, body, content_type, cache_control):
        if key.endswith("/index.m3u8") and "recordings" not in key and key.count("/") == 2:
            self.lists += 1
            confirmed = {f"{SESSION.id}/{number}.m4s" for number in self._site.numbers()}
            assert set(listed(body)) <= confirmed
        return super().put(key, body, content_type, cache_control)


@pytest.mark.parametrize("threads", [0, 1, 4])
def test_everything_arrives_and_the_journal_knows_it_before_a_playlist_names_it(site, threads):
    store = Witness(site)
    origin = site.origin(store, threads=threads)
    for step in steps(6):
        origin.add(step)
        assert origin.wait_idle(SOON)
    assert site.numbers() == [FIRST + place for place in range(6) for _ in NAMES]
    last = [f"{SESSION.id}/{FIRST + place}.m4s" for place in range(6)]
    for name in NAMES:
        playlist = store.body(f"main/{name}/index.m3u8")
        assert (listed(playlist), playlist.endswith(b"#EXT-X-ENDLIST\n")) == (last, True)
    assert store.body(f"main/recordings/{SESSION.event}/index.m3u8") == b"all"
    assert store.lists >= 2 * 4
    assert origin.state().state == "idle"
    assert site.landed == steps(6)


def test_a_wait_for_the_end_is_never_missed(site):
    """Several threads finish at once; whoever waits hears of the last one."""
    for _ in range(20):
        origin = site.origin(ScriptedStore())
        for step in steps(3):
            origin.add(step)
        assert origin.wait_idle(SOON)
        origin.close()


def test_an_outage_delays_and_loses_nothing(site):
    store = ScriptedStore("eu")
    away = Away(store)
    origin = site.origin(store, wait=away.wait)
    for step in steps(4):
        origin.add(step)
    assert away.failed.wait(SOON)
    state = origin.state()
    assert (state.state, state.backlog) == ("waiting", 10)
    assert state.error.startswith("eu: 503 for main/")
    away.come_back()
    assert origin.wait_idle(SOON)
    state = origin.state()
    assert (state.state, state.backlog, state.confirmed, state.error) == ("idle", 0, 10, "")


@pytest.mark.parametrize("threads", [0, 4])
def test_an_error_that_lasts_stops_the_origin_with_one_sentence(site, threads):
    store = ScriptedStore("eu")
    store.rule = lambda call: StoreDenied(f"eu: no permission to put {call.key}", hint="check the keys")
    origin = site.origin(store, threads=threads)
    for step in steps(4):
        origin.add(step)
    assert origin.wait_idle(SOON)
    state = origin.state()
    assert state.state == "stopped"
    assert state.error.startswith("eu: no permission to put main/")
    assert state.error.endswith("(check the keys)")
    site.close()
    assert [name for name, _ in site.log.lines] == ["origin stopped"]
    assert site.threads.failure is None
    assert site.recorded == []


def test_a_stopped_origin_counts_what_it_misses(site):
    store = ScriptedStore("eu")
    store.fail(StoreDenied("eu: no"))
    origin = site.origin(store, threads=1)
    first, *rest = steps(4)
    origin.add(first)
    assert origin.wait_idle(SOON)
    for step in rest:
        origin.add(step)
    assert origin.state().backlog == 10
    assert len(store.calls) == 1


def test_a_folder_that_is_deleted_stops_its_origin(site, tmp_path):
    root = tmp_path / "public"
    store = DirectoryStore(root, durable=False)
    store.check()
    origin = site.origin(store, threads=1)
    for step in steps(3, ended=False):
        origin.add(step)
    assert origin.wait_idle(SOON)
    shutil.rmtree(root)
    for step in steps(4)[4:]:
        origin.add(step)
    assert origin.wait_idle(SOON)
    state = origin.state()
    assert state.state == "stopped"
    assert state.error == f"{root}: the folder {root} is gone (make or mount it again, then start again)"
    assert not root.exists()


def test_a_file_that_is_gone_stops_the_origin(site):
    store = ScriptedStore("eu")
    store.fail(SpoolError("/spool/1.m4s: the file to be put is gone"))
    origin = site.origin(store)
    origin.add(steps(1)[0])
    assert origin.wait_idle(SOON)
    assert origin.state().error == "/spool/1.m4s: the file to be put is gone"


def test_a_journal_that_fails_ends_the_wait_and_is_told(site):
    def fail():
        raise JournalError("the disk is full")

    site.on_record = fail
    origin = site.origin(ScriptedStore("eu"))
    for step in steps(4):
        origin.add(step)
    assert origin.wait_idle(SOON)
    assert (origin.state().state, origin.state().error) == ("stopped", "the disk is full")
    site.close()
    with pytest.raises(StageFailed, match="the disk is full"):
        site.threads.check()


def test_a_journal_that_fails_is_told_to_whoever_waits_where_no_thread_delivers(site):
    def fail():
        raise JournalError("the disk is full")

    site.on_record = fail
    origin = site.origin(ScriptedStore("eu"), threads=0)
    for step in steps(4):
        origin.add(step)
    with pytest.raises(JournalError, match="the disk is full"):
        origin.wait_idle(SOON)


def test_a_mistake_of_ours_ends_the_wait_and_is_told(site):
    origin = site.origin(ScriptedStore("eu"))
    first, _, third, *_ = steps(3)
    origin.add(first)
    origin.add(third)
    origin.add(third)  # again: the views refuse it
    assert origin.wait_idle(SOON)
    assert origin.state().state == "stopped"
    site.close()
    assert site.threads.failure is not None


def test_close_ends_a_put_that_is_being_repeated(site):
    store = ScriptedStore("eu")
    away = Away(store)
    origin = site.origin(store, wait=away.wait)
    for step in steps(2):
        origin.add(step)
    assert away.failed.wait(SOON)
    origin.close()
    away.leave()
    assert origin.wait_closed(SOON)
    assert origin.wait_idle(SOON)
    assert (site.recorded, origin.state().backlog) == ([], 6)


def test_a_put_that_outlives_the_close_is_not_recorded(site):
    store = ScriptedStore("eu")
    store.hold()
    origin = site.origin(store, threads=1)
    origin.add(steps(1)[0])
    store.called.acquire(timeout=SOON)
    origin.close()
    assert not origin.wait_closed(0)
    store.let_go()
    assert site.threads.join(SOON)
    assert site.recorded == []


def test_close_records_what_a_film_has_there(site):
    """What waits for a common commit is not put again after the next start."""
    store = ScriptedStore("eu")
    away = Away(store, f"{FIRST + 1}.m4s")
    order = site.order(live=False)
    origin = site.origin(store, threads=1, batch=100, wait=away.wait, order=order)
    store.hold()
    for step in steps(3):
        origin.add(step)
    store.let_go()
    assert away.failed.wait(SOON)
    assert site.recorded == []
    origin.close()
    away.leave()
    assert origin.wait_closed(SOON)
    assert [len(commit) for commit in site.recorded] == [4]


def test_a_film_is_confirmed_in_few_commits(site):
    store = ScriptedStore("eu")
    store.hold()
    origin = site.origin(store, threads=1, batch=8, order=site.order(live=False))
    for step in steps(20):
        origin.add(step)
    store.let_go()
    assert origin.wait_idle(SOON)
    assert sum(len(commit) for commit in site.recorded) == 42
    assert len(site.recorded) <= 42 // 8 + 1


def test_a_long_recording_is_made_while_the_next_event_is_added(site):
    """Whoever adds a step is the packager: it must not wait until years of releases are read."""
    begun, go = threading.Event(), threading.Event()

    def recording(_):
        begun.set()
        assert go.wait(SOON)
        return {"index.m3u8": b"long"}

    site.recording = recording
    store = ScriptedStore("eu")
    origin = site.origin(store)
    for step in steps(3):
        origin.add(step)
    assert begun.wait(SOON)
    origin.add(steps(1)[0])
    assert origin.state().state == "delivering"
    assert not origin.wait_idle(0)
    go.set()
    assert origin.wait_idle(SOON)
    assert store.body(f"main/recordings/{SESSION.event}/index.m3u8") == b"long"


@pytest.mark.parametrize("threads", [0, 1, 4])
def test_an_origin_that_asks_for_fewer_requests_gets_fewer_at_once_and_loses_nothing(site, threads):
    """Every third put is refused; the pace falls, and all arrives."""
    store = ScriptedStore("eu")
    lock, going, at_once = threading.Lock(), set(), []
    calls = iter(range(10**6))

    def rule(_):
        with lock:
            refused = next(calls) % 3 == 0
        return StoreUnavailable("eu: 503 SlowDown", slow=True) if refused else None

    put = store.put

    def watched(*args):
        with lock:
            going.add(threading.get_ident())
            at_once.append((len(going), site.metrics.value("origin_at_once", origin="eu")))
        try:
            return put(*args)
        finally:
            with lock:
                going.discard(threading.get_ident())

    store.rule, store.put = rule, watched
    origin = site.origin(store, threads=threads)
    for step in steps(40):
        origin.add(step)
    assert origin.wait_idle(SOON)
    assert site.numbers() == [FIRST + place for place in range(40) for _ in NAMES]
    assert min(limit for _, limit in at_once[1:]) <= 1
    assert max(count for count, _ in at_once) <= max(1, threads)
    assert origin.state().error == ""


def test_no_task_is_taken_before_a_pause_that_the_origin_asked_for_is_over(site):
    site.clock = FakeClock()
    store = ScriptedStore("eu")
    store.fail(StoreUnavailable("eu: 503", after=40.0))
    origin = site.origin(store, threads=1, wait=lambda _: True, order=site.order(live=False))
    first, *later = steps(3)
    origin.add(first)
    assert store.called.acquire(timeout=SOON)
    assert not store.called.acquire(timeout=0.05)
    site.clock.advance(40 * NANO)
    for step in later:
        origin.add(step)
    assert origin.wait_idle(SOON)
    assert len(site.numbers()) == 6


def test_a_view_that_cannot_be_put_is_put_when_the_origin_is_back(site):
    """A playlist gives up after its deadline and goes again as the newest; the end is not lost with it."""
    store = ScriptedStore("eu")
    origin = site.origin(store, threads=1, wait=site.clock.wait, chance=0.9)
    for step in steps(3, ended=False):
        origin.add(step)
    assert origin.wait_idle(SOON)
    failures = iter([StoreUnavailable("eu: 503")] * 60)
    store.rule = lambda _: next(failures, None)
    for step in steps(3)[4:]:
        origin.add(step)
    assert origin.wait_idle(SOON)
    assert store.body(f"main/{NAMES[0]}/index.m3u8").endswith(b"#EXT-X-ENDLIST\n")
    assert site.metrics.value("origin_errors_total", origin="eu") >= 1
