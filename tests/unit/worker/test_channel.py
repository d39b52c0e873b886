"""A channel's events: who begins one, what keeps it, and who may come while it ends. The events are real ones."""

import math
import threading
from contextlib import contextmanager
from fractions import Fraction
from queue import SimpleQueue

from abr.clock import SystemClock
from abr.config.settings import load_live
from abr.errors import AbrError, FeedUnreadable
from abr.model.media import Kind, Track
from abr.model.state import LinkState, Phase
from abr.storage.memory import MemoryStore
from abr.transcode.slate import Slate
from abr.worker.channel import Channel
from tests.fakes.log import KeptLines
from tests.fakes.worker import Worker

PICTURE = Track(0, Kind.VIDEO, "h264", Fraction(1, 1000), width=640, height=360)
SOUND = Track(1, Kind.AUDIO, "aac", Fraction(1, 1000), sample_rate=48_000, channels=2)
LARGER = Track(0, Kind.VIDEO, "h264", Fraction(1, 1000), width=1280, height=720)
SOON = 20


class Fed:
    """An input that gives nothing until `go_on`, which says what comes then: new tracks, an error, or the end."""

    received, link, ended = 0, None, "the publisher stopped"

    def __init__(self, name="rtmp live"):
        self.name = name
        self.tracks = (PICTURE, SOUND)
        self._next = SimpleQueue()
        self._opening = SimpleQueue()
        self.reading = threading.Semaphore(0)
        """Released as often as a container is read."""
        self.reopening = threading.Event()

    def items(self):
        self.reading.release()
        self._following = self._next.get(timeout=SOON)
        yield from ()

    def go_on(self, following=None):
        """What is read comes to its end."""
        self._next.put(following)

    def opens(self):
        """The new container is open."""
        self._opening.put(None)

    def open_again(self):
        if self._following is None:
            return False
        self.reopening.set()
        self._opening.get(timeout=SOON)
        if isinstance(self._following, Exception):
            raise self._following
        self.tracks = self._following
        return True

    def stats(self):
        return {"late": 1}

    def close(self):
        pass


class Running:
    """A channel that runs, and threads that bring it feeds."""

    def __init__(self, channel, log):
        self.channel, self.log = channel, log
        self._threads = []
        self.main = self._start(channel.run, lambda: None)

    def bring(self, feed, place=0):
        return self._start(self.channel.carry, feed, place)

    def _start(self, call, *arguments):
        def run():
            try:
                call(*arguments)
            except AbrError as error:
                thread.raised = error

        thread = threading.Thread(target=run, daemon=True)
        thread.raised = None
        self._threads.append(thread)
        thread.start()
        return thread

    def close(self):
        self.channel.stop()
        for thread in self._threads:
            thread.join(SOON)
            assert not thread.is_alive()


@contextmanager
def running(folder, *listen, **options):
    log = KeptLines()
    worker = Worker(folder, [MemoryStore("eu")], SystemClock(), log)
    try:
        inputs = listen or ("rtmp://127.0.0.1:1935/live/hunter2",)
        settings = load_live(
            None, {"listen": inputs, "to": (str(folder / "out"),), "profile": "test", **options}, {}
        )
        it = Running(Channel(settings, worker.books, worker.delivery, Slate("main")), log)
        try:
            yield it
        finally:
            it.close()
    finally:
        worker.close()


def held(event):
    """Make an event's end wait: answers when it has begun, and what lets it go on."""
    begun, go_on, end = threading.Event(), threading.Event(), event.end

    def slow():
        begun.set()
        assert go_on.wait(SOON)
        end()

    event.end = slow
    return begun, go_on


def count(log, event):
    return [name for name, _ in log.lines].count(event)


def test_a_spare_line_shows_its_readings_before_it_is_needed(tmp_path):
    listen = ("rtmp://127.0.0.1:1935/live/hunter2", "srt://127.0.0.1:9000?streamid=spare")
    with running(tmp_path, *listen, grace="0s") as it:
        first, spare = Fed(), Fed("srt spare")
        spare.link = LinkState(latency=120, rtt=40.0, lost=7, dropped=3)
        it.bring(first)
        it.bring(spare, 1)
        assert first.reading.acquire(timeout=SOON)
        assert spare.reading.acquire(timeout=SOON)
        assert [item.link for item in it.channel.inputs()] == [None, spare.link]
        first.go_on()
        spare.go_on()


def test_who_comes_while_an_event_ends_waits_for_it_and_begins_the_next(tmp_path):
    with running(tmp_path, grace="0s") as it:
        first, second = Fed(), Fed()
        it.bring(first)
        assert first.reading.acquire(timeout=SOON)
        ending = it.channel.event
        begun, go_on = held(ending)
        first.go_on()
        assert begun.wait(SOON)
        assert it.channel.phase is Phase.ENDING
        returned = it.bring(second)
        returned.join(0.2)
        assert (returned.is_alive(), count(it.log, "feed connected")) == (True, 1)
        go_on.set()
        assert second.reading.acquire(timeout=SOON)
        assert it.channel.event not in {None, ending}
        assert it.channel.phase is Phase.LIVE
        second.go_on()
        assert count(it.log, "event began") == 2


def test_no_second_event_is_begun_by_who_comes_while_the_only_one_ends(tmp_path):
    with running(tmp_path, grace="0s", once=True) as it:
        first = Fed()
        it.bring(first)
        assert first.reading.acquire(timeout=SOON)
        begun, go_on = held(it.channel.event)
        first.go_on()
        assert begun.wait(SOON)
        late = it.bring(Fed())
        go_on.set()
        late.join(SOON)
        it.main.join(SOON)
        assert not late.is_alive()
        assert not it.main.is_alive()
        assert count(it.log, "event began") == 1


def test_an_event_that_ends_is_not_given_back_to_the_grace_by_a_feed_that_leaves(tmp_path):
    with running(tmp_path, grace="0s") as it:
        feed = Fed()
        carrying = it.bring(feed)
        assert feed.reading.acquire(timeout=SOON)
        begun, go_on = held(it.channel.event)
        it.channel.event.threads.spawn("encode x", lambda: 1 // 0)
        assert begun.wait(SOON)
        feed.go_on()
        carrying.join(SOON)
        assert it.channel.phase is Phase.ENDING
        go_on.set()
        it.main.join(SOON)
        assert str(it.main.raised).startswith("encode x: ZeroDivisionError")


def test_an_event_whose_feed_gave_not_one_frame_ends_whole(tmp_path):
    with running(tmp_path, grace="0s", once=True) as it:
        feed = Fed()
        it.bring(feed)
        feed.go_on()
        it.main.join(SOON)
        assert it.log.wait_for("event ended")["segments"] == 0
        assert it.main.raised is None


def test_a_feed_that_is_opened_again_is_there_all_the_time(tmp_path):
    with running(tmp_path, grace="0s") as it:
        feed = Fed()
        it.bring(feed)
        assert feed.reading.acquire(timeout=SOON)
        event, before = it.channel.event, it.channel.current_feed()
        feed.go_on((LARGER, SOUND))
        assert feed.reopening.wait(SOON)
        assert (it.channel.phase, it.channel.current_feed()) == (Phase.LIVE, before)
        feed.opens()
        assert feed.reading.acquire(timeout=SOON)
        now = it.channel.current_feed()
        assert (before.video, now.video, now.since) == ("h264 640x360", "h264 1280x720", before.since)
        feed.go_on()
        it.log.wait_for("event ended", id=event.session.event)
        lines = [name for name, _ in it.log.lines if name.startswith(("feed", "event"))]
        assert lines == ["event began", "feed connected", "feed changed", "feed ended", "event ended"]
        assert it.log.wait_for("feed changed")["video"] == "h264 1280x720"
        assert it.channel.repairs() == {"late": 1}


def test_an_input_whose_feed_cannot_be_opened_again_gives_way_though_it_was_chosen(tmp_path):
    two = [f"rtmp://127.0.0.1:1935/live/{key}" for key in ("main", "spare")]
    with running(tmp_path, *two) as it:
        main, spare = Fed(), Fed()
        carrying = it.bring(main)
        assert main.reading.acquire(timeout=SOON)
        it.bring(spare, 1)
        assert spare.reading.acquire(timeout=SOON)
        it.channel.choose(0)
        it.log.wait_for("input on air", input=1)
        main.go_on(FeedUnreadable("no media that can be recognised"))
        main.opens()
        carrying.join(SOON)
        assert str(carrying.raised) == "no media that can be recognised"
        it.log.wait_for("input on air", input=2, reason="input 1 is away")
        assert [one.condition for one in it.channel.inputs()] == ["away", "waiting"]
        spare.go_on()


def test_what_is_away_is_urgent_while_an_event_waits_for_it(tmp_path):
    with running(tmp_path, grace="12s") as it:
        assert it.channel.urgency() == math.inf
        feed = Fed()
        carried = it.bring(feed)
        assert feed.reading.acquire(timeout=SOON)
        assert it.channel.urgency() == math.inf
        feed.go_on()
        carried.join(SOON)
        assert it.channel.entry(0).urgency() == 2
