"""Laws of a live window over any history: what a player has read once stays true (RFC 8216bis §6.2.2, DASH-IF IOP)."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abr.manifest.timeline import LEAST, longest_segment, target_duration
from abr.manifest.views import LiveViews
from abr.model.segment import Release, Session
from tests.fakes.history import live_session, number_at, releases, rungs, sound
from tests.fakes.reader import Playlist, ReadManifest, read_manifest, read_playlist, seconds

NANOS = Fraction(2, 10**9)
"""How exact the sum of two written times is."""

TWO_FRAMES = Fraction(1, 10)
"""More than an audio frame: what a Period may end later in one rendition than in another."""


@dataclass
class Step:
    """One call on the views, with what must be known to make them again from here."""

    session: Session
    discontinuity: int
    release: Release | None
    run: int = 0


@st.composite
def histories(draw) -> list[Step]:
    """Up to four sessions with pauses between them, gaps, and windows of a few segments."""
    rate, duration = draw(
        st.sampled_from(
            [
                (Fraction(25), Fraction(48, 25)),
                (Fraction(30000, 1001), Fraction(1001, 500)),
                (Fraction(30), Fraction(32, 15)),
            ]
        )
    )
    window = Fraction(draw(st.sampled_from([6, 12, 20])))
    steps, sequence, at = [], draw(st.integers(0, 9)), 0
    for count in range(draw(st.integers(1, 4))):
        session = live_session(str(count), (*rungs(rate, 1), sound()), duration, window)
        first, length = number_at(session, at), draw(st.integers(1, 12))
        gaps = draw(st.frozensets(st.integers(0, 11), max_size=2))
        steps.append(Step(session, count, None))
        run = None
        for place, release in enumerate(releases(session, first, length, sequence, count, gaps)):
            run = None if place in gaps else (release.number if run is None else run)
            steps.append(Step(session, count, release, run or release.number))
        sequence += length
        at += int(length * duration) + draw(st.integers(3, 400))
    return steps


def for_any_history(law: Callable[..., None]) -> Callable[..., None]:
    """A history is long: few of them are many releases."""
    return settings(max_examples=12)(given(histories())(law))


def replay(steps: list[Step]):
    """The views after each release."""
    views = LiveViews("main")
    for step in steps:
        if step.release is None:
            views.begin(step.session, step.discontinuity)
        else:
            views.advance(step.release)
            yield step, views


@for_any_history
def test_a_playlist_stays_true_for_those_who_have_read_it(steps):
    before: dict[str, Playlist] = {}
    for step, views in replay(steps):
        now = {one.name: read_playlist(views.playlist(one.name)) for one in step.session.renditions}
        for name, playlist in now.items():
            _follows(before.get(name), playlist)
            assert playlist.target == target_duration(step.session)
            assert all(_rounded(entry.duration) <= playlist.target for entry in playlist.entries.values())
        video, heard = now.values()
        assert list(video.entries) == list(heard.entries)
        assert [one.discontinuity for one in video.entries.values()] == [
            one.discontinuity for one in heard.entries.values()
        ]
        before = now


def _follows(before: Playlist | None, now: Playlist) -> None:
    """L-02, L-03, L-04, L-05, L-06, L-09, L-10, L-11."""
    if before is None:
        return
    gone = [number for number in before.entries if number < now.sequence]
    assert now.sequence >= before.sequence
    assert now.discontinuity >= before.discontinuity
    assert now.target == before.target
    assert list(now.entries) == list(range(now.sequence, max(before.entries) + 2))
    for number, entry in before.entries.items():
        if number not in now.entries:
            continue
        later = now.entries[number]
        assert (entry.uri, entry.duration, entry.gap, entry.init, entry.discontinuity) == (
            later.uri,
            later.duration,
            later.gap,
            later.init,
            later.discontinuity,
        )
        assert abs(entry.date - later.date) <= Fraction(1, 1000) + Fraction(1, 10**6)
    if gone:
        assert sum(entry.duration for entry in now.entries.values()) >= LEAST * now.target


@for_any_history
def test_a_manifest_stays_true_for_those_who_have_read_it(steps):
    before: ReadManifest | None = None
    for published, (step, views) in enumerate(replay(steps)):
        now = read_manifest(views.manifest(published * 10**6))
        if before:
            _goes_on(before, now, step)
        _is_whole(now)
        before = now


def _goes_on(before: ReadManifest, now: ReadManifest, step: Step) -> None:
    """D-72, D-75..82, D-89."""
    assert now.attributes["publishTime"] > before.attributes["publishTime"]
    common = [name for name in before.periods if name in now.periods]
    assert common == list(now.periods)[: len(common)]
    for name in common:
        old, new = before.periods[name], now.periods[name]
        assert old.start == new.start
        assert old.duration in {None, new.duration}
        assert not old.representations or list(old.representations) == list(new.representations)
        for rung, segments in old.representations.items():
            later = new.representations[rung]
            assert later.fixed == segments.fixed
            assert min(later.spans) >= min(segments.spans)
            assert max(later.spans) >= max(segments.spans)
            assert all(later.spans.get(number, span) == span for number, span in segments.spans.items())
    edge = (step.release.number + 1) * step.session.duration
    assert all(end <= edge - step.session.window + NANOS for _, end in _spans(before) - _spans(now))


def _is_whole(manifest: ReadManifest) -> None:
    """D-40, D-42, D-62: no hole in a Period, no segment above the stated maximum, ended Periods are covered."""
    longest = seconds(manifest.attributes["maxSegmentDuration"])
    periods = list(manifest.periods.values())
    for place, period in enumerate(periods):
        assert (period.duration is None) == (place + 1 == len(periods))
        for segments in period.representations.values():
            spans = list(segments.spans.values())
            assert all(one[1] == other[0] for one, other in pairwise(spans))
            assert all(end - start <= longest for start, end in spans)
            if period.duration is not None:
                end = period.start + period.duration
                assert end <= spans[-1][1] + NANOS <= end + TWO_FRAMES


def _spans(manifest: ReadManifest) -> set[tuple[Fraction, Fraction]]:
    return {
        span
        for period in manifest.periods.values()
        for segments in period.representations.values()
        for span in segments.spans.values()
    }


@for_any_history
def test_hls_and_dash_list_the_same_media_at_the_same_instants(steps):
    for step, views in replay(steps):
        manifest = read_manifest(views.manifest(0))
        lists = {one.name: read_playlist(views.playlist(one.name)) for one in step.session.renditions}
        gaps = {number for playlist in lists.values() for number in _dates(playlist, gap=True)}
        for name, playlist in lists.items():
            dates = _dates(playlist, gap=False)
            starts = {
                number: start
                for period in manifest.periods.values()
                if name in period.representations
                for number, (start, _) in period.representations[name].spans.items()
            }
            assert list(starts) == [number for number in dates if number not in gaps]
            assert all(abs(start - dates[number]) <= Fraction(1, 1000) for number, start in starts.items())


def _dates(playlist: Playlist, *, gap: bool) -> dict[int, Fraction]:
    """Segment number → date, of the gaps or of the others."""
    return {
        int(entry.uri.rpartition("/")[2].removesuffix(".m4s")): entry.date
        for entry in playlist.entries.values()
        if entry.gap == gap
    }


@for_any_history
def test_an_entry_leaves_as_soon_as_it_may(steps):
    for step, views in replay(steps):
        playlist = read_playlist(views.playlist(step.session.renditions[0].name))
        first, *rest = playlist.entries.values()
        edge = (step.release.number + 1) * step.session.duration
        old = first.date + first.duration <= edge - step.session.window - TWO_FRAMES
        assert not old or sum(entry.duration for entry in rest) < LEAST * playlist.target + TWO_FRAMES


@for_any_history
def test_views_made_again_from_the_window_are_the_same_bytes(steps):
    *_, (_, whole) = replay(steps)
    name = steps[0].session.renditions[0].name
    first = read_playlist(whole.playlist(name)).sequence
    again, session = LiveViews("main"), None
    for step in steps:
        if step.release is None or step.release.sequence < first:
            continue
        if step.session is not session:
            again.begin(step.session, step.discontinuity, step.run)
            session = step.session
        again.advance(step.release)
    assert again.manifest(0) == whole.manifest(0)
    for rendition in steps[0].session.renditions:
        assert again.playlist(rendition.name) == whole.playlist(rendition.name)


@for_any_history
def test_the_end_adds_nothing_but_the_end(steps):
    *_, (step, views) = replay(steps)
    name = step.session.renditions[0].name
    open_list, running = views.playlist(name), read_manifest(views.manifest(0))
    views.end_session()
    views.end_event()
    assert views.playlist(name) == open_list + b"#EXT-X-ENDLIST\n"
    ended = read_manifest(views.manifest(10**6))
    assert ended.attributes["type"] == "static"
    assert not {"minimumUpdatePeriod", "timeShiftBufferDepth"} & set(ended.attributes)
    assert _spans(ended) == _spans(running)
    assert [one.start for one in ended.periods.values()] == [one.start for one in running.periods.values()]
    last = list(ended.periods.values())[-1]
    length = last.duration or Fraction(0)
    assert abs(seconds(ended.attributes["mediaPresentationDuration"]) - last.start - length) <= NANOS


@pytest.mark.parametrize(
    ("rate", "duration", "longest", "target"),
    [
        (Fraction(25), Fraction(48, 25), Fraction(48, 25), 2),
        (Fraction(30), Fraction(32, 15), Fraction(32, 15), 2),
        (Fraction(30000, 1001), Fraction(1001, 500), Fraction(94 * 1024, 48_000), 2),
        (Fraction(30000, 1001), Fraction(1001, 400), Fraction(118 * 1024, 48_000), 3),
    ],
)
def test_the_target_duration_covers_the_longest_sound(rate, duration, longest, target):
    session = live_session(renditions=(*rungs(rate, 1), sound()), duration=duration)
    assert longest_segment(session) == longest
    assert target_duration(session) == target


def _rounded(duration: Fraction) -> int:
    return int(duration + Fraction(1, 2))


def test_a_release_costs_the_same_at_any_length_of_the_window():
    rate, duration = Fraction(30000, 1001), Fraction(1001, 500)
    calls = {}
    for length in (31, 250):
        session = live_session("0", (*rungs(rate), sound()), duration, length * duration)
        *past, last = releases(session, number_at(session), length + 1)
        views = LiveViews("main")
        views.begin(session, 0)
        for release in past:
            views.advance(release)
        calls[length] = _calls(lambda views=views, last=last: views.advance(last))
    assert abs(calls[250] - calls[31]) <= 10  # a run of equal durations begins or goes on


def _calls(work: Callable[[], None]) -> int:
    """How many functions are called, those of the interpreter too."""
    count = 0

    def seen(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count
