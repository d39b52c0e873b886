"""A publisher's feed whose tracks change is opened again: how often, and what is known of it then."""

import io
from fractions import Fraction

import pytest

from abr.errors import FeedUnreadable
from abr.ingest.past import Past
from abr.model.time import NANO
from abr.worker.input import Changes, Published
from tests.fakes.clip import Clip, make_clip
from tests.fakes.clock import FakeClock
from tests.fakes.feed import SilentFeed

LIMIT = 16
MINUTE = 60 * NANO


class Changing(SilentFeed):
    """A feed that gives one container after the other."""

    name = "rtmp live"

    def __init__(self, *containers: bytes) -> None:
        super().__init__()
        self._rest = list(containers)
        self.restart()

    def restart(self) -> None:
        self.size = len(self._rest[0])
        self._data = io.BytesIO(self._rest.pop(0))
        self.reopen = False

    @property
    def place(self) -> int:
        """How much of it was read."""
        return self._data.tell()

    def read(self, n: int) -> bytes:
        data = self._data.read(min(n, 1000))
        if not data and self._rest:
            self.reopen = True
        elif not data:
            self.ended = "the publisher stopped"
        return data


@pytest.fixture(scope="module")
def clips() -> list[bytes]:
    sizes = (128, 64), (64, 32)
    return [
        make_clip(Clip(seconds=Fraction(1, 2), size=size, container="flv", sound=False)) for size in sizes
    ]


def exhausted(source: Published) -> None:
    for _ in source.items():
        pass


def test_tracks_that_change_have_their_new_size_and_no_rate_that_nobody_measured(clips):
    feed = Changing(*clips)
    source = Published(feed, FakeClock(), Past())
    assert [(one.width, one.frame_rate) for one in source.tracks] == [(128, 25)]
    exhausted(source)
    assert source.open_again()
    assert [(one.width, one.frame_rate) for one in source.tracks] == [(64, None)]
    exhausted(source)
    assert not source.open_again()
    assert source.ended == "the publisher stopped"
    source.close()


def test_a_feed_that_returns_to_an_event_is_on_air_without_a_look_at_its_rate(clips):
    """Its first pictures are enough: every other one that is read while it is opened comes too late."""
    read = {}
    for returning in (False, True):
        feed = Changing(make_clip(Clip(seconds=Fraction(4), container="flv")))
        source = Published(feed, FakeClock(), Past(), returning=returning)
        read[returning] = feed.place / feed.size
        assert [one.frame_rate for one in source.tracks] == [None if returning else 25, None]
        source.close()
    assert read[True] < read[False] / 2


def test_a_feed_that_changes_all_the_time_is_refused_in_one_sentence(clips):
    source = Published(Changing(*clips * (LIMIT // 2), clips[0], clips[1]), FakeClock(), Past())
    for _ in range(LIMIT):
        exhausted(source)
        assert source.open_again()
    exhausted(source)
    with pytest.raises(FeedUnreadable, match=r"^rtmp live: its tracks change all the time$"):
        source.open_again()
    source.close()


def test_a_feed_that_cannot_be_opened_again_counts_what_it_brought_once(clips):
    feed = Changing(clips[0], b"no media at all")
    source = Published(feed, FakeClock(), Past())
    exhausted(source)
    before = source.stats()
    with pytest.raises(FeedUnreadable, match="the publisher stopped"):
        source.open_again()
    assert source.stats() == before
    assert source.ended == "the publisher stopped"
    source.close()


def test_changes_are_counted_anew_after_tracks_that_stayed_for_a_minute():
    changes, now = Changes(0), 0
    for _ in range(10 * LIMIT):
        now += MINUTE
        assert changes.allow(now)
    assert all(changes.allow(now + MINUTE - 1) for _ in range(LIMIT - 1))
    assert not changes.allow(now + MINUTE)
    assert changes.allow(now + 2 * MINUTE)
