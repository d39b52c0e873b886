"""The order of delivery to one origin."""

from fractions import Fraction
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from abr.journal.record import Confirmation
from abr.model.media import Kind
from abr.model.object import ObjectKind
from abr.model.segment import Release, Rendition, SegmentRow, Session
from abr.model.time import NANO
from abr.publish.order import Begin, EndEvent, EndSession, Order, Sources, Task

RENDITIONS = (
    Rendition("hd", Kind.VIDEO, 90_000, "avc1.64001f", 1_000_000, 900_000, width=1280, height=720),
    Rendition("sound", Kind.AUDIO, 48_000, "mp4a.40.2", 128_000, 128_000, sample_rate=48_000, channels=2),
)
SESSION = Session("s1", "news", RENDITIONS, Fraction(2), live=True, event="e1")


class NamedViews:
    """Views that say which releases they would name, ready after three."""

    def __init__(self):
        self.named = []
        self.ended = False

    @property
    def ready(self):
        return len(self.named) >= 3

    def begin(self, session, discontinuity):
        self.named.clear()

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
        return self._text()

    def manifest(self, published):
        return self._text()


def release(number, *, gap=False):
    rows = tuple(
        SegmentRow("s1", item.name, number, number * 2, 2, 100, "", 0, 0, (), gap=gap and item.name == "hd")
        for item in RENDITIONS
    )
    return Release(number, 0, "s1", number, rows)


def order(views=None):
    sources = Sources(
        path=lambda place: Path(f"/spool/{place.rendition}/{place.number}"),
        recording=lambda event: {"index.m3u8": b"vod", "hd/index.m3u8": b"hd"},
        state=lambda event: b"{}",
    )
    return Order("news", sources, views)


def drain(it, now):
    """Put everything that may be put at this instant; answer the keys in order."""
    keys = []
    while (task := it.take(now)) is not None:
        keys.append(task.object.key)
        it.done(task, "etag", now)
        landed = it.landed()
        if landed is not None:
            it.apply(landed.steps)
    return keys


def begun(views=None):
    it = order(views)
    it.add(Begin(SESSION, 0, (("hd", 700), ("sound", 600))))
    return it


def test_inits_go_before_segments_and_sound_before_picture():
    it = begun()
    it.add(release(7))
    keys = [it.take(0).object.key for _ in range(4)]
    assert keys == [
        "news/hd/s1/init.mp4",
        "news/sound/s1/init.mp4",
        "news/sound/s1/7.m4s",
        "news/hd/s1/7.m4s",
    ]


def test_a_release_lands_only_when_all_before_it_have_landed():
    it = begun()
    for number in (1, 2):
        it.add(release(number))
    tasks = [it.take(0) for _ in range(6)]
    for task in [*tasks[:2], *tasks[4:]]:  # the inits, and all of release 2
        it.done(task, "x", 0)
    assert [step for step in it.landed().steps if isinstance(step, Release)] == []
    it.done(tasks[2], "x", 0)
    assert it.landed() is None
    it.done(tasks[3], "y", 0)
    landed = it.landed()
    assert [step.number for step in landed.steps] == [1, 2]
    assert landed.confirmed[0] == Confirmation("s1", "sound", 1, 100, "x", 0)


def test_a_gap_needs_no_object():
    it = begun()
    it.add(release(1, gap=True))
    assert drain(it, 0)[2:] == ["news/sound/s1/1.m4s"]
    assert it.idle


def test_entry_points_appear_with_the_third_release_and_after_the_playlists_they_name():
    views = NamedViews()
    it = begun(views)
    it.add(release(1))
    it.add(release(2))
    assert not [key for key in drain(it, 0) if key.endswith(("m3u8", "mpd"))]
    it.add(release(3))
    assert drain(it, NANO)[2:] == [
        "news/hd/index.m3u8",
        "news/sound/index.m3u8",
        "news/manifest.mpd",
        "news/index.m3u8",
    ]


def test_a_playlist_is_put_once_in_half_a_segment_and_the_newest_wins():
    views = NamedViews()
    it = begun(views)
    for number in (1, 2, 3):
        it.add(release(number))
    drain(it, 10 * NANO)
    it.add(release(4))
    it.add(release(5))
    assert all(key.endswith("m4s") for key in drain(it, 10 * NANO + 1))
    assert it.due() == 11 * NANO
    task = it.take(11 * NANO)
    assert (task.object.key, task.body) == ("news/hd/index.m3u8", b"[1, 2, 3, 4, 5]")


def test_one_put_of_a_key_at_a_time():
    views = NamedViews()
    it = begun(views)
    for number in (1, 2, 3):
        it.add(release(number))
    drain(it, 0)
    it.add(release(4))
    drain(it, 1)
    first = it.take(5 * NANO)
    it.apply([release(5)])
    others = {it.take(5 * NANO).object.key for _ in range(2)}
    assert first.object.key not in others


def test_a_failed_task_is_the_next_one_again():
    it = begun()
    task = it.take(0)
    it.again(task)
    assert it.take(0) is task


def test_the_end_puts_the_last_lists_then_the_recording_and_is_idle_only_then():
    views = NamedViews()
    it = begun(views)
    for number in (1, 2, 3):
        it.add(release(number))
    drain(it, 0)
    it.add(EndSession("s1"))
    it.add(EndEvent("e1"))
    it.apply(it.landed().steps)
    assert not it.idle
    keys = drain(it, 5 * NANO)
    assert {"news/recordings/e1/index.m3u8", "news/recordings/e1/hd/index.m3u8", "news/state.json"} <= set(
        keys
    )
    assert b"end" in views.playlist("hd")
    assert it.idle


def test_a_film_has_no_live_views():
    it = begun()
    for number in (1, 2, 3, 4):
        it.add(release(number))
    it.add(EndEvent("e1"))
    keys = drain(it, 0)
    assert not [key for key in keys if key in {"news/index.m3u8", "news/manifest.mpd"}]


@given(st.lists(st.integers(0, 5), max_size=80))
def test_a_playlist_never_names_what_is_not_confirmed(choices):
    """Whatever order puts end and fail in, each playlist names a prefix of what the origin confirmed."""
    views = NamedViews()
    it = begun(views)
    for number in range(1, 7):
        it.add(release(number))
    there, running, now = set(), [], 0
    for choice in choices:
        now += NANO
        if choice < 3 and (task := it.take(now)) is not None:
            running.append(task)
            _check_names(task, there)
        elif running:
            task = running.pop(choice % len(running))
            if choice == 5:
                it.again(task)
                continue
            there.add(task.object.key)
            it.done(task, "e", now)
            if (landed := it.landed()) is not None:
                it.apply(landed.steps)


def _check_names(task: Task, there):
    if task.object.kind is ObjectKind.PLAYLIST:
        for number in eval(task.body):
            assert {f"news/hd/s1/{number}.m4s", f"news/sound/s1/{number}.m4s"} <= there
