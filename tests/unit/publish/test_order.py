"""The order of delivery to one origin."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.journal.record import Confirmation
from abr.model.media import Kind
from abr.model.object import ObjectKind
from abr.model.segment import Release, Rendition, SegmentRow, Session
from abr.model.time import NANO
from abr.publish.order import Begin, EndEvent, EndSession, Order, Sources, Task, count_objects
from abr.publish.view import Now

RENDITIONS = (
    Rendition("hd", Kind.VIDEO, 90_000, "avc1.64001f", 1_000_000, 900_000, width=1280, height=720),
    Rendition("sound", Kind.AUDIO, 48_000, "mp4a.40.2", 128_000, 128_000, sample_rate=48_000, channels=2),
)
SESSION = Session("s1", "news", RENDITIONS, Fraction(2), live=True, event="e1")
NEXT = Session("s2", "news", RENDITIONS, Fraction(2), live=True, event="e2")
NOON = 1_788_027_300 * NANO
"""The wall clock when the monotonic one reads 0."""
RECORDING = {"index.m3u8": b"all", "manifest.mpd": b"mpd", "hd/index.m3u8": b"hd", "sound/index.m3u8": b"s"}


class NamedViews:
    """Views that say which releases they would name, ready after three or with their end."""

    def __init__(self):
        self.named = []
        self.ended = False
        self.published = []

    @property
    def ready(self):
        return len(self.named) >= 3 or (self.ended and bool(self.named))

    def begin(self, session, discontinuity):
        if self.ended:
            self.named.clear()
        self.ended = False

    def advance(self, release):
        self.named.append(release.number)

    def end_session(self):
        """Nothing to show."""

    def end_event(self):
        self.ended = True

    def _text(self):
        return f"{self.named}{' end' if self.ended else ''}".encode()

    def multivariant(self):
        return b"entry"

    def playlist(self, name):
        assert self.ready
        return self._text()

    def manifest(self, published):
        self.published.append(published)
        return self._text()


def at(seconds=0):
    """Both clocks, `seconds` after noon."""
    return Now(NOON + int(seconds * NANO), int(seconds * NANO))


def release(number, session="s1", *, gap=False):
    rows = tuple(
        SegmentRow(session, item.name, number, number * 2, 2, 100, "", 0, 0, (), gap and item.name == "hd")
        for item in RENDITIONS
    )
    return Release(number, 0, session, number, rows)


def order(views=None, recording=RECORDING):
    sources = Sources(
        path=lambda place: Path(f"/spool/{place.session}/{place.rendition}/{place.number}"),
        recording=lambda event: recording,
        state=lambda event: event.encode(),
    )
    return Order("news", sources, views)


def settle(it):
    landed = it.landed()
    if landed is not None:
        it.apply(landed.steps, it.recordings(landed.steps))


def drain(it, now):
    """Put everything that may be put at this instant; answer the keys in order."""
    keys = []
    settle(it)
    while (task := it.take(now)) is not None:
        keys.append(task.object.key)
        it.done(task, "etag", now)
        settle(it)
    return keys


def begun(views=None, count=0):
    """A session with releases 1 to `count`, nothing taken yet."""
    it = order(views)
    it.add(Begin(SESSION, 0, (("hd", 700), ("sound", 600))))
    for number in range(1, count + 1):
        it.add(release(number))
    return it


def end(it, session=SESSION):
    it.add(EndSession(session.id))
    it.add(EndEvent(session.event))


def test_inits_go_before_segments_and_sound_before_picture():
    it = begun(count=1)
    assert [it.take(at()).object.key for _ in range(4)] == [
        "news/hd/s1/init.mp4",
        "news/sound/s1/init.mp4",
        "news/sound/s1/1.m4s",
        "news/hd/s1/1.m4s",
    ]


def test_a_release_lands_only_when_all_before_it_have_landed():
    it = begun(count=2)
    tasks = [it.take(at()) for _ in range(6)]
    for task in [*tasks[:2], *tasks[4:]]:  # the inits, and all of release 2
        it.done(task, "x", at())
    assert [step for step in it.landed().steps if isinstance(step, Release)] == []
    it.done(tasks[2], "x", at())
    assert it.landed() is None
    it.done(tasks[3], "y", at())
    landed = it.landed()
    assert [step.number for step in landed.steps] == [1, 2]
    assert landed.confirmed[0] == Confirmation("s1", "sound", 1, 100, "x", NOON)


def test_a_gap_needs_no_object():
    it = begun()
    it.add(release(1, gap=True))
    assert drain(it, at())[2:] == ["news/sound/s1/1.m4s"]
    assert it.idle


@pytest.mark.parametrize(
    ("step", "count"),
    [
        (Begin(SESSION, 0, (("hd", 7), ("sound", 6))), 2),
        (release(1), 2),
        (release(1, gap=True), 1),
        (EndSession("s1"), 0),
        (EndEvent("e1"), 0),
    ],
)
def test_a_step_knows_how_many_objects_it_needs(step, count):
    assert count_objects(step) == count


def test_entry_points_appear_with_the_third_release_and_after_the_playlists_they_name():
    it = begun(NamedViews(), 2)
    assert not [key for key in drain(it, at()) if key.endswith(("m3u8", "mpd"))]
    it.add(release(3))
    assert drain(it, at(1))[2:] == [
        "news/hd/index.m3u8",
        "news/sound/index.m3u8",
        "news/manifest.mpd",
        "news/index.m3u8",
    ]


def test_an_entry_point_that_has_to_wait_is_not_due():
    """Else a thread with nothing to do would ask again and again while a playlist is on its way."""
    it = begun(NamedViews(), 3)
    while (task := it.take(at())).object.kind is not ObjectKind.PLAYLIST:
        it.done(task, "x", at())
        settle(it)
    others = [it.take(at()) for _ in range(2)]
    assert [item.object.kind for item in others] == [ObjectKind.PLAYLIST, ObjectKind.MANIFEST]
    assert (it.take(at()), it.due()) == (None, None)
    for item in (task, *others):
        it.done(item, "x", at())
    assert it.due() == 0


def test_an_entry_point_is_put_once():
    it = begun(NamedViews(), 3)
    drain(it, at())
    for number in (4, 5, 6):
        it.add(release(number))
        assert "news/index.m3u8" not in drain(it, at(number * 2))


def test_a_playlist_is_put_once_in_half_a_segment_and_the_newest_wins():
    it = begun(NamedViews(), 3)
    drain(it, at(10))
    it.add(release(4))
    it.add(release(5))
    assert all(key.endswith("m4s") for key in drain(it, at(10.5)))
    assert it.due() == 11 * NANO
    task = it.take(at(11))
    assert (task.object.key, task.body) == ("news/hd/index.m3u8", b"[1, 2, 3, 4, 5]")


def test_a_step_of_the_wall_clock_delays_no_view_and_publish_times_grow():
    views = NamedViews()
    it = begun(views, 3)
    drain(it, at(10))
    it.add(release(4))
    back = Now(NOON - 3600 * NANO, 12 * NANO)
    assert "news/manifest.mpd" in drain(it, back)
    assert views.published == [at(10).wall, at(10).wall + 1_000_000]


def test_one_put_of_a_key_at_a_time():
    it = begun(NamedViews(), 3)
    drain(it, at())
    it.add(release(4))
    drain(it, at(0.5))
    first = it.take(at(5))
    it.apply([release(5)], {})
    others = {it.take(at(5)).object.key for _ in range(2)}
    assert first.object.key not in others


def test_a_failed_task_is_the_next_one_again():
    it = begun()
    task = it.take(at())
    it.again(task)
    assert it.take(at()) is task


def test_a_view_whose_put_failed_is_rendered_again():
    it = begun(NamedViews(), 3)
    drain(it, at())
    it.add(release(4))
    drain(it, at(0.5))
    task = it.take(at(5))
    it.apply([release(5)], {})
    it.again(task)
    bodies = [it.take(at(5)) for _ in range(3)]
    assert (task.object.key, b"[1, 2, 3, 4, 5]") in [(item.object.key, item.body) for item in bodies]


def test_the_end_puts_the_last_lists_and_the_recording_and_is_idle_only_then():
    views = NamedViews()
    it = begun(views, 3)
    drain(it, at())
    end(it)
    settle(it)
    assert not it.idle
    keys = drain(it, at(5))
    assert sorted(keys[:3]) == ["news/hd/index.m3u8", "news/manifest.mpd", "news/sound/index.m3u8"]
    assert b"end" in views.playlist("hd")
    assert it.idle


def test_a_recording_is_named_after_it_is_there():
    """Its playlists before its entry points, and the state that tells of it last."""
    it = begun(NamedViews(), 3)
    drain(it, at())
    end(it)
    assert [key.removeprefix("news/") for key in drain(it, at(5))[3:]] == [
        "recordings/e1/hd/index.m3u8",
        "recordings/e1/sound/index.m3u8",
        "recordings/e1/index.m3u8",
        "recordings/e1/manifest.mpd",
        "state.json",
    ]


def test_an_entry_point_of_a_recording_waits_for_playlists_that_are_on_their_way():
    it = begun(count=1)
    drain(it, at())
    end(it)
    settle(it)
    first, second = it.take(at()), it.take(at())
    assert it.take(at()) is None
    it.again(second)
    it.done(first, "x", at())
    assert it.take(at()) is second
    assert it.take(at()) is None
    it.done(second, "x", at())
    assert it.take(at()).object.key == "news/recordings/e1/index.m3u8"


def test_the_end_of_an_event_is_seen_before_the_next_one():
    """Though all of the next event has landed before the last playlists were due."""
    views = NamedViews()
    it = begun(views, 3)
    drain(it, at())
    end(it)
    it.add(Begin(NEXT, 1, (("hd", 700), ("sound", 600))))
    for number in (4, 5, 6):
        it.add(release(number, "s2"))
    keys = drain(it, at(0.5))
    assert "news/hd/s2/6.m4s" in keys
    assert "news/hd/index.m3u8" not in keys
    task = it.take(at(1))
    assert (task.object.key, task.body) == ("news/hd/index.m3u8", b"[1, 2, 3] end")
    it.done(task, "x", at(1))
    drain(it, at(1))
    assert "news/index.m3u8" in drain(it, at(3))
    assert views.playlist("hd") == b"[4, 5, 6]"
    drain(it, at(9))
    assert it.idle


def test_a_short_event_leaves_what_the_origin_shows():
    """No playlist is rendered that names nothing."""
    it = begun(NamedViews(), 3)
    end(it)
    drain(it, at(2))
    drain(it, at(4))
    it.add(Begin(NEXT, 1, (("hd", 700), ("sound", 600))))
    end(it, NEXT)
    assert not [key for key in drain(it, at(9)) if key in {"news/hd/index.m3u8", "news/index.m3u8"}]


def test_what_is_left_at_the_end_is_counted_views_included():
    it = begun(NamedViews(), 3)
    drain(it, at())
    assert it.backlog == 0
    end(it)
    settle(it)
    assert it.backlog == 3 + len(RECORDING)
    drain(it, at(0.5))
    assert it.backlog == 4
    assert not it.idle
    drain(it, at(5))
    assert it.backlog == 0


def test_an_event_without_a_release_has_no_recording_and_its_state_is_told():
    it = order(NamedViews(), recording={})
    it.add(Begin(SESSION, 0, ()))
    end(it)
    assert drain(it, at()) == ["news/state.json"]
    assert it.idle


def test_a_film_has_no_live_views():
    it = begun(count=4)
    end(it)
    keys = drain(it, at())
    assert not [key for key in keys if key in {"news/index.m3u8", "news/manifest.mpd"}]
    assert keys[-1] == "news/state.json"


@given(st.lists(st.integers(0, 5), max_size=120))
def test_a_playlist_never_names_what_is_not_confirmed(choices):
    """Whatever order puts end and fail in, over two events."""
    it = begun(NamedViews(), 4)
    end(it)
    it.add(Begin(NEXT, 1, (("hd", 700), ("sound", 600))))
    for number in range(5, 8):
        it.add(release(number, "s2"))
    there, running, now = set(), [], 0
    for choice in choices:
        now += 1
        if choice < 3 and (task := it.take(at(now))) is not None:
            running.append(task)
            _check_names(task, there)
        elif running:
            task = running.pop(choice % len(running))
            if choice == 5:
                it.again(task)
                continue
            there.add(task.object.key)
            it.done(task, "e", at(now))
            settle(it)


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=60))
def test_everything_ends_at_the_origin(choices):
    """After any failures, whoever goes on comes to the end: all objects there, all views the last ones."""
    views = NamedViews()
    it = begun(views, 3)
    end(it)
    there, running = {}, []
    for place, failed in choices:
        if (task := it.take(at(place))) is not None:
            running.append(task)
        if running:
            task = running.pop(place % len(running))
            it.again(task) if failed else _done(it, task, there, at(place))
    for task in running:
        it.again(task)
    for second in range(10, 20, 2):
        settle(it)
        while (task := it.take(at(second))) is not None:
            _done(it, task, there, at(second))
    assert it.idle
    assert len([key for key in there if key.endswith(("mp4", "m4s"))]) == 2 + 3 * 2
    assert there["news/hd/index.m3u8"] == there["news/manifest.mpd"] == b"[1, 2, 3] end"


def _done(it, task, there, now):
    there[task.object.key] = task.body
    it.done(task, "e", now)
    settle(it)


def _check_names(task: Task, there):
    if task.object.kind is ObjectKind.PLAYLIST:
        for number in eval(task.body.removesuffix(b" end")):
            session = "s1" if number < 5 else "s2"
            assert {f"news/hd/{session}/{number}.m4s", f"news/sound/{session}/{number}.m4s"} <= there
    if task.object.kind is ObjectKind.ENTRY:
        assert {"news/hd/index.m3u8", "news/sound/index.m3u8"} <= there
