"""Who may be connected, and who is on the air."""

import socket
import threading

from abr.ingest.admission import REPLACED, Guests, Limits, OnAir
from tests.fakes.feed import SilentFeed

PLACE = "live", "key1"
TIME_OUT = 10


def test_connections_are_counted_together_and_by_address() -> None:
    guests = Guests(Limits(connections=3, per_address=2))
    sockets = [socket.socket() for _ in range(4)]
    try:
        assert [guests.enter(one, "10.0.0.1") for one in sockets[:3]] == [
            "", "", "2 connections are open from this address already",
        ]  # fmt: skip
        assert guests.enter(sockets[2], "10.0.0.2") == ""
        assert guests.enter(sockets[3], "10.0.0.3") == "3 connections are open already"
        guests.leave(sockets[0], "10.0.0.1")
        assert guests.enter(sockets[3], "10.0.0.1") == ""
    finally:
        for one in sockets:
            one.close()


def test_closing_ends_open_connections_and_lets_none_in() -> None:
    guests = Guests(Limits())
    ours, theirs = socket.socketpair()
    with ours, theirs:
        guests.enter(ours, "10.0.0.1")
        guests.close()
        assert theirs.recv(1) == b""
        assert guests.enter(theirs, "10.0.0.1") == "the server was closed"


def test_a_place_is_free_again_after_release() -> None:
    on_air = OnAir(takeover=False, wait_ms=0)
    first, second = SilentFeed(), SilentFeed()
    assert on_air.claim(PLACE, first) == ""
    assert on_air.claim(PLACE, second) == "already publishing"
    assert on_air.claim(("live", "key2"), second) == ""
    on_air.release(PLACE, first)
    assert on_air.claim(PLACE, second) == ""
    assert first.ended is None


def test_a_place_is_taken_over_by_its_owner_only() -> None:
    on_air = OnAir(takeover=True, wait_ms=0)
    first = SilentFeed()
    assert on_air.claim("live", first, "studio") == ""
    assert on_air.claim("live", SilentFeed(), "van") == "studio is publishing"
    assert on_air.claim("live", SilentFeed()) == "studio is publishing"
    assert first.ended is None
    assert on_air.claim("live", SilentFeed(), "studio") != "studio is publishing"
    assert first.ended == REPLACED
    on_air.release("live", first)
    assert on_air.claim("live", SilentFeed(), "van") == ""


def test_takeover_ends_the_feed_before_and_waits_for_its_reader() -> None:
    on_air = OnAir(takeover=True, wait_ms=TIME_OUT * 1000)
    second = SilentFeed()
    replaced, order = threading.Event(), []

    class First(SilentFeed):
        def abort(self, reason: str) -> None:
            super().abort(reason)
            replaced.set()

    first = First()

    def read_to_the_end() -> None:
        assert replaced.wait(TIME_OUT)
        order.append("reader done")
        on_air.release(PLACE, first)

    assert on_air.claim(PLACE, first) == ""
    reader = threading.Thread(target=read_to_the_end)
    reader.start()
    assert on_air.claim(PLACE, second) == ""
    order.append("taken over")
    reader.join(TIME_OUT)
    assert order == ["reader done", "taken over"]
    assert first.ended == REPLACED


def test_a_reader_that_does_not_end_keeps_its_place() -> None:
    on_air = OnAir(takeover=True, wait_ms=0)
    on_air.claim(PLACE, SilentFeed())
    assert on_air.claim(PLACE, SilentFeed()) == "already publishing, and the feed before it does not end"


def test_of_two_that_wait_the_later_one_gets_the_place() -> None:
    on_air = OnAir(takeover=True, wait_ms=TIME_OUT * 1000)
    holder, aborted = SilentFeed(), threading.Semaphore(0)
    holder.abort = lambda _: aborted.release()  # type: ignore[method-assign]
    on_air.claim(PLACE, holder)
    answers: dict[str, str] = {}
    waiting = []
    for name in ("earlier", "later"):
        feed = SilentFeed()
        thread = threading.Thread(
            target=lambda name=name, feed=feed: answers.update({name: on_air.claim(PLACE, feed)})
        )
        thread.start()
        waiting.append(thread)
        assert aborted.acquire(timeout=TIME_OUT)
    waiting[0].join(TIME_OUT)
    assert answers == {"earlier": REPLACED}
    on_air.release(PLACE, holder)
    waiting[1].join(TIME_OUT)
    assert answers["later"] == ""


def test_the_end_aborts_all() -> None:
    on_air = OnAir(takeover=True, wait_ms=0)
    feeds = [SilentFeed(), SilentFeed()]
    for number, feed in enumerate(feeds):
        on_air.claim(number, feed)
    on_air.end("the server was closed")
    assert [feed.ended for feed in feeds] == ["the server was closed"] * 2
