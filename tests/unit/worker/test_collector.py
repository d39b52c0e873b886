"""Renditions advance together."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from abr.model.media import Kind
from abr.model.segment import Rendition, SegmentRow, Session
from abr.worker.collector import Collector

NAMES = ("hd", "sd", "sound")
SESSION = Session(
    "s",
    "news",
    (
        Rendition("hd", Kind.VIDEO, 90_000, "avc1", 1, 1),
        Rendition("sd", Kind.VIDEO, 90_000, "avc1", 1, 1),
        Rendition("sound", Kind.AUDIO, 48_000, "mp4a", 1, 1),
    ),
    Fraction(2),
    live=True,
)


def row(rendition, number):
    scale = SESSION.rendition(rendition).timescale
    return SegmentRow("s", rendition, number, number * 2 * scale, 2 * scale, 9, "h", 0, 0, ())


def test_a_number_waits_for_every_rendition():
    it = Collector(SESSION)
    assert it.add(row("hd", 1)) == []
    assert it.add(row("sound", 1)) == []
    (complete,) = it.add(row("sd", 1))
    assert (complete.number, [item.rendition for item in complete.rows]) == (1, list(NAMES))


def test_a_rendition_that_passed_a_number_without_it_has_a_gap_of_the_same_time():
    it = Collector(SESSION)
    for name in ("hd", "sd"):
        it.add(row(name, 1))
        it.add(row(name, 2))
    complete = it.add(row("sound", 2))
    assert [item.number for item in complete] == [1, 2]
    gap = complete[0].rows[2]
    assert (gap.gap, gap.rendition, gap.start, gap.duration) == (True, "sound", 96_000, 96_000)


def test_the_end_releases_what_waits():
    it = Collector(SESSION)
    it.add(row("hd", 5))
    assert [[item.gap for item in complete.rows] for complete in it.flush()] == [[False, True, True]]
    assert it.flush() == []


@given(st.lists(st.sampled_from(NAMES), max_size=60))
def test_numbers_are_released_once_in_order_and_never_before_the_slowest(turns):
    it, given_, released = Collector(SESSION), dict.fromkeys(NAMES, 0), []
    for name in turns:
        given_[name] += 1
        released += [complete.number for complete in it.add(row(name, given_[name]))]
        assert released == list(range(1, min(given_.values()) + 1))
    released += [complete.number for complete in it.flush()]
    assert released == list(range(1, max(given_.values()) + 1))
