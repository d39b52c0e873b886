"""Live views: whole texts of typical channels, and what may be asked of them when."""

from fractions import Fraction

import pytest
from lxml import etree

from abr.errors import LocalProtocolError
from abr.manifest.views import LiveViews
from tests.fakes.history import START, live_session, number_at, releases, rungs, sound

NANO = 1_000_000_000
SMALL = (*rungs(count=2), sound())


def views_of(session, count, **options):
    views = LiveViews("main")
    views.begin(session, 0)
    for release in releases(session, number_at(session), count, **options):
        views.advance(release)
    return views


def compare(golden, case, views, session):
    golden(f"{case}/index.m3u8", views.multivariant().decode())
    golden(f"{case}/manifest.mpd", views.manifest((START + 500) * NANO).decode())
    for name in (session.renditions[0].name, session.renditions[-1].name):
        golden(f"{case}/{name}.m3u8", views.playlist(name).decode())


@pytest.mark.parametrize("count", [3, 200])
def test_four_rungs_and_sound_at_25_frames(golden, count):
    session = live_session()
    compare(golden, f"live-{count}", views_of(session, count), session)


def test_a_window_that_slides(golden):
    session = live_session(renditions=SMALL, window=Fraction(12))
    compare(golden, "live-window", views_of(session, 9), session)


def test_two_sessions_in_one_window(golden):
    first, second = live_session("a", SMALL), live_session("b", SMALL)
    views = views_of(first, 4)
    views.end_session()
    views.begin(second, 1)
    for release in releases(second, number_at(second, 20), 3, sequence=4, discontinuity=1):
        views.advance(release)
    compare(golden, "live-two-sessions", views, second)


def test_sound_segments_alternate_at_29_97_frames(golden):
    rate = Fraction(30000, 1001)
    session = live_session(renditions=(*rungs(rate, 2), sound()), duration=Fraction(1001, 500))
    compare(golden, "live-2997", views_of(session, 12), session)


def test_a_gap_is_an_entry_in_hls_and_a_break_in_dash(golden):
    session = live_session(renditions=SMALL)
    gaps = frozenset({3, 4})
    compare(golden, "live-gap", views_of(session, 8, gaps=gaps, everywhere=True), session)


def test_a_rung_that_pauses_is_missing_in_a_period_of_its_own(golden):
    """In HLS its entries are gaps; in DASH the others go on without it, at once."""
    session = live_session(renditions=SMALL)
    views = views_of(session, 8, gaps=frozenset({3, 4}))
    compare(golden, "live-pause", views, session)
    first = number_at(session)
    periods = etree.fromstring(views.manifest((START + 500) * NANO)).findall("{*}Period")
    found = [
        (
            period.get("id"),
            [item.get("id") for item in period.iterfind("{*}AdaptationSet/{*}Representation")],
        )
        for period in periods
    ]
    names = [rendition.name for rendition in session.renditions]
    assert found == [
        (f"{session.id}.{first}", names),
        (f"{session.id}.{first + 3}", names[1:]),
        (f"{session.id}.{first + 5}", names),
    ]


def test_a_pause_that_leaves_the_window_leaves_the_manifest():
    session = live_session(renditions=SMALL, window=Fraction(8))
    views = views_of(session, 40, gaps=frozenset({10, 11}))
    assert len(etree.fromstring(views.manifest((START + 500) * NANO)).findall("{*}Period")) == 1


def test_the_end_of_an_event(golden):
    session = live_session(renditions=SMALL)
    views = views_of(session, 4)
    views.end_session()
    views.end_event()
    assert views.ended
    compare(golden, "live-ended", views, session)


def test_sound_alone(golden):
    session = live_session(renditions=(sound("high", bits=128_000), sound("low", bits=64_000)))
    compare(golden, "live-sound", views_of(session, 4), session)


def test_two_languages_in_two_qualities(golden):
    tracks = tuple(
        sound(f"{language}-{bits}", language, label, bits * 1000)
        for bits in (128, 64)
        for language, label in (("en", 'The "hall"'), ("de", "Übersetzung"))
    )
    session = live_session(renditions=(*rungs(count=4), *tracks))
    compare(golden, "live-languages", views_of(session, 3), session)


def test_views_are_ready_with_three_segments_of_every_rung():
    session = live_session(renditions=SMALL)
    assert not views_of(session, 2).ready
    assert views_of(session, 3).ready
    assert not views_of(session, 4, gaps=frozenset({1, 2})).ready


def test_an_event_shorter_than_three_segments_is_shown_when_it_is_over():
    views = views_of(live_session(renditions=SMALL), 1)
    views.end_event()
    assert views.ready


def test_the_next_event_begins_with_an_empty_window_and_later_sequences():
    views = views_of(live_session("a", SMALL), 5)
    views.end_event()
    session = live_session("b", SMALL, event="20260829T191500Z-00000000000000ff")
    views.begin(session, 1)
    assert not views.ready
    assert not views.ended
    for release in releases(session, number_at(session, 3600), 3, sequence=5, discontinuity=1):
        views.advance(release)
    text = views.playlist("audio").decode()
    assert "#EXT-X-MEDIA-SEQUENCE:5\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n" in text
    assert "EXT-X-DISCONTINUITY\n" not in text
    assert text.count("#EXTINF") == 3


def test_another_ladder_cannot_go_on_in_the_same_lists():
    views = views_of(live_session("a", SMALL), 5)
    views.begin(live_session("b", (*rungs(count=3), sound())), 1)
    assert not views.ready
    with pytest.raises(KeyError):
        views.playlist("240p")


def test_a_time_server_replaces_the_date_header():
    session = live_session(renditions=SMALL)
    views = LiveViews("main", time_url="https://time.example/now?a=1&b=2")
    views.begin(session, 0)
    for release in releases(session, number_at(session), 3):
        views.advance(release)
    timing = etree.fromstring(views.manifest(START * NANO)).find("{*}UTCTiming")
    assert dict(timing.attrib) == {
        "schemeIdUri": "urn:mpeg:dash:utc:http-iso:2014",
        "value": "https://time.example/now?a=1&b=2",
    }


def test_where_only_gaps_are_listed_the_manifest_announces_the_period_that_comes():
    session = live_session(renditions=SMALL, window=Fraction(8))
    views = views_of(session, 20, gaps=frozenset(range(5, 20)), everywhere=True)
    (period,) = etree.fromstring(views.manifest(START * NANO)).iterfind("{*}Period")
    coming = number_at(session) + 20
    assert period.get("id") == f"{session.id}.{coming}"
    assert len(period) == 0
    views.advance(next(releases(session, coming, 1, sequence=20)))
    (later,) = etree.fromstring(views.manifest(START * NANO)).iterfind("{*}Period")
    assert (later.get("id"), later.get("start")) == (period.get("id"), period.get("start"))


@pytest.mark.parametrize("wrong", ["session", "sequence", "renditions", "after the end"])
def test_a_release_out_of_place_is_refused(wrong):
    session = live_session(renditions=SMALL)
    views = views_of(session, 3)
    other = live_session("x", SMALL if wrong == "session" else SMALL[1:])
    release = next(releases(session, number_at(session) + 3, 1, sequence=3))
    if wrong == "session":
        release = release._replace(session=other.id)
    elif wrong == "sequence":
        release = release._replace(sequence=5)
    elif wrong == "renditions":
        release = release._replace(rows=release.rows[1:])
    else:
        views.end_session()
    with pytest.raises(LocalProtocolError, match=rf"release {release.sequence}\b"):
        views.advance(release)


def test_a_session_cannot_begin_with_an_old_discontinuity_sequence():
    views = views_of(live_session("a", SMALL), 3)
    with pytest.raises(LocalProtocolError, match="discontinuity sequence 0 after 0"):
        views.begin(live_session("b", SMALL), 0)


def test_nothing_can_be_shown_before_a_session():
    with pytest.raises(LocalProtocolError, match="channel main has no session"):
        LiveViews("main").multivariant()
