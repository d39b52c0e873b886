"""All origins of a channel: none waits for another, and a file stays until all have it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import StageFailed, StoreDenied, StoreMisconfigured
from abr.model.segment import Release
from abr.publish.fanout import Fanout
from abr.publish.order import Begin, EndSession
from tests.fakes.origins import Away, Site, steps
from tests.fakes.store import ScriptedStore

SOON = 20


class Channel:
    """Origins behind a fanout, and what it let go."""

    def __init__(self, site: Site) -> None:
        self.removed = []
        self.fanout = Fanout(self.removed.extend)
        self._site = site

    def attach(self, store: ScriptedStore, *, threads: int = 2, live: bool = True, **options) -> None:
        order = self._site.order(live=live)
        origin = self._site.origin(store, threads=0, order=order, landed=self.fanout.landed, **options)
        self.fanout.attach(origin, self._site.threads.spawn, threads)

    def run(self, count: int, *, ended: bool = True) -> None:
        for step in steps(count, ended=ended):
            self.fanout.add(step)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.close()


@pytest.fixture
def channel(site) -> Channel:
    return Channel(site)


def test_files_go_when_the_last_origin_has_them(site, channel):
    stores = [ScriptedStore("eu"), ScriptedStore("us")]
    for store in stores:
        channel.attach(store)
    stores[1].hold()
    channel.run(3)
    assert _wait_for(channel, "eu")
    assert channel.removed == []
    stores[1].let_go()
    assert channel.fanout.wait_idle(SOON)
    assert channel.removed == [step for step in steps(3) if isinstance(step, Release | EndSession)]


def test_an_origin_that_is_away_delays_no_other(site, channel):
    here, gone = ScriptedStore("eu"), ScriptedStore("us")
    away = Away(gone)
    channel.attach(here)
    channel.attach(gone, wait=away.wait)
    channel.run(6)
    assert _wait_for(channel, "eu")
    assert len(list(here.held.list(""))) == 2 * (1 + 6 + 1) + 3 + 1
    assert away.failed.wait(SOON)
    assert gone.keys() == []
    assert [state.state for state in channel.fanout.states()] == ["idle", "waiting"]
    away.come_back()
    assert channel.fanout.wait_idle(SOON)
    assert gone.keys() == here.keys()


def test_a_stopped_origin_keeps_the_files_and_its_reason(site, channel):
    channel.attach(ScriptedStore("eu"))
    broken = ScriptedStore("us")
    broken.rule = lambda _: StoreMisconfigured("us: there is no bucket tv", hint="make it")
    channel.attach(broken)
    channel.run(3)
    assert channel.fanout.wait_idle(SOON)
    assert channel.removed == []
    assert channel.fanout.failure() == "us: there is no bucket tv (make it)"
    assert [(state.state, state.backlog) for state in channel.fanout.states()] == [
        ("idle", 0),
        ("stopped", 8),
    ]


def test_a_reason_that_names_no_origin_gets_its_name(site, channel):
    channel.attach(ScriptedStore("eu"))
    site.on_record = lambda: 1 // 0
    channel.run(1)
    assert channel.fanout.wait_idle(SOON)
    assert channel.fanout.failure() == "eu: ZeroDivisionError: integer division or modulo by zero"
    site.on_record = lambda: None


def test_a_film_waits_for_the_slowest_origin_that_delivers(site, channel):
    slow, broken = ScriptedStore("eu"), ScriptedStore("us")
    broken.rule = lambda _: StoreDenied("us: no")
    slow.hold()
    for store in (slow, broken):
        channel.attach(store, live=False)
    channel.run(6)
    waited = []
    site.threads.spawn("film", lambda: waited.append(channel.fanout.wait_below(4)))
    slow.called.acquire(timeout=SOON)
    assert waited == []
    slow.let_go()
    assert channel.fanout.wait_idle(SOON)
    channel.fanout.wait_below(1)


def test_a_film_without_any_origin_fails_with_the_reasons(site, channel):
    for name in ("eu", "us"):
        store = ScriptedStore(name)
        store.rule = lambda _, name=name: StoreDenied(f"{name}: no permission")
        channel.attach(store, live=False)
    channel.run(6)
    with pytest.raises(StageFailed, match="eu: no permission; us: no permission"):
        channel.fanout.wait_below(1)


def test_a_film_that_waits_is_woken_by_the_close(site, channel):
    store = ScriptedStore("eu")
    away = Away(store)
    channel.attach(store, live=False, wait=away.wait)
    channel.run(6)
    site.threads.spawn("film", lambda: channel.fanout.wait_below(1))
    assert away.failed.wait(SOON)
    away.leave()
    assert channel.fanout.close(SOON)
    assert site.threads.join(SOON)
    assert str(site.threads.failure) == "film: the delivery was ended"


def test_close_does_not_wait_for_ever(site, channel):
    stuck, free = ScriptedStore("eu"), ScriptedStore("us")
    stuck.hold()
    for store in (stuck, free):
        channel.attach(store)
    channel.run(3)
    assert stuck.called.acquire(timeout=SOON)
    assert not channel.fanout.close(0.01)
    stuck.let_go()
    assert channel.fanout.close(SOON)
    assert channel.fanout.wait_idle(0)


class Silent:
    """An origin that takes steps and never says anything."""

    def start(self, spawn, threads):
        """Nothing runs."""

    def add(self, step):
        """Forget it."""


@given(st.data())
def test_a_step_is_let_go_once_by_the_last_of_its_origins(data):
    """Origins land the same steps in any order between each other, several at a time."""
    count = data.draw(st.integers(1, 3))
    removed = []
    fanout = Fanout(removed.extend)
    for _ in range(count):
        fanout.attach(Silent(), lambda name, run: None, 1)
    everything = steps(5)
    for step in everything:
        fanout.add(step)
    places = [0] * count
    while min(places) < len(everything):
        origin = data.draw(st.sampled_from([n for n in range(count) if places[n] < len(everything)]))
        until = data.draw(st.integers(places[origin] + 1, len(everything)))
        fanout.landed(everything[places[origin] : until])
        places[origin] = until
        counted = [step for step in everything[: min(places)] if isinstance(step, Release | EndSession)]
        assert removed == counted
    assert not any(isinstance(step, Begin) for step in removed)


def _wait_for(channel: Channel, name: str) -> bool:
    """Wait until this origin alone has everything."""
    origin = next(item for item in channel.fanout._origins if item.name == name)
    return origin.wait_idle(SOON)
