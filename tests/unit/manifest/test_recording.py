"""Recordings and films: whole texts, and rates that were measured."""

from dataclasses import replace
from fractions import Fraction

import pytest
from lxml import etree

from abr.errors import LocalProtocolError
from abr.manifest.rate import Weight, average_rate, peak_rate
from abr.manifest.recording import recording_views
from tests.fakes.history import film_release, live_session, number_at, releases, rungs, sound

SMALL = (*rungs(count=2), sound())
FILM = replace(
    live_session("f", (*rungs(Fraction(24), count=1), sound()), duration=Fraction(2)),
    live=False,
    media_start=Fraction(2),
    event="20260829T181500Z-00000000000000ff",
)


def compare(golden, case, files):
    for path, data in files.items():
        golden(f"{case}/{path}", data.decode())


def film(numbers, durations):
    """Releases with these video durations (90 kHz) from two seconds on, the sound cut at whole frames."""
    video, heard = 180_000, 96_256
    for place, (number, duration) in enumerate(zip(numbers, durations, strict=True)):
        until = -(-(video + duration) * 8 // 15 // 1024) * 1024
        yield film_release(
            FILM, place, number, ((video, duration), (heard, until - heard)), 100_000 + place * 7000
        )
        video, heard = video + duration, until


def test_a_recording_of_two_sessions(golden):
    first, second = live_session("a", SMALL), live_session("b", SMALL)
    rows = [
        *releases(first, number_at(first), 4, sequence=10),
        *releases(second, number_at(second, 30), 3, sequence=14, discontinuity=1),
    ]
    compare(golden, "recording-two-sessions", recording_views([first, second], rows))


def test_a_gap_in_a_recording(golden):
    session = live_session(renditions=SMALL)
    rows = releases(session, number_at(session), 7, gaps=frozenset({2, 3}), everywhere=True)
    compare(golden, "recording-gap", recording_views([session], rows))


def test_a_rung_that_paused_is_missing_in_a_period_of_a_recording():
    session = live_session(renditions=SMALL)
    rows = releases(session, number_at(session), 7, gaps=frozenset({2, 3}))
    text = recording_views([session], rows)["manifest.mpd"].decode()
    top = session.renditions[0].name
    periods = text.split("<Period ")[1:]
    assert [f'id="{top}"' in period for period in periods] == [True, False, True]
    assert [period.count("<Representation ") for period in periods] == [3, 2, 3]
    assert 'start="PT3.84S" duration="PT3.84S"' in periods[1]


def test_a_film_with_its_own_frame_times(golden):
    files = recording_views([FILM], film([1, 2, 3, 4], [180_300, 179_400, 183_003, 90_011]))
    compare(golden, "film", files)
    assert b"PROGRAM-DATE-TIME" not in files["1080p/index.m3u8"]


def test_a_film_whose_numbers_skip_is_listed_by_address(golden):
    files = recording_views([FILM], film([1, 3, 6], [360_000, 540_000, 90_000]))
    compare(golden, "film-skipping", files)


def test_a_film_begins_at_zero_by_its_presentation_time_offset():
    files = recording_views([FILM], film([1, 2], [180_300, 179_400]))
    tree = etree.fromstring(files["manifest.mpd"])
    offsets = {
        int(one.get("presentationTimeOffset")) / int(one.get("timescale"))
        for one in tree.iterfind(".//{*}SegmentTemplate")
    }
    assert offsets == {FILM.media_start}
    assert tree.find("{*}Period").get("start") == "PT0S"


def test_a_rung_that_ends_one_frame_earlier_has_its_own_timeline():
    session = live_session(renditions=SMALL)
    *whole, last = releases(session, number_at(session), 3)
    short = last.rows[1]._replace(duration=last.rows[1].duration - 3600)
    files = recording_views([session], [*whole, last._replace(rows=(last.rows[0], short, last.rows[2]))])
    video = etree.fromstring(files["manifest.mpd"]).find(".//{*}AdaptationSet")
    assert video.find("{*}SegmentTemplate") is None
    ends = [
        sum(int(s.get("d")) * (1 + int(s.get("r", 0))) for s in one.iterfind(".//{*}S"))
        for one in video.iterfind("{*}Representation")
    ]
    assert ends == [3 * 172_800, 3 * 172_800 - 3600]


def test_without_a_release_there_is_nothing_to_show():
    assert recording_views([live_session()], []) == {}


def test_only_gaps_have_no_manifest():
    session = live_session(renditions=SMALL)
    rows = releases(session, number_at(session), 2, gaps=frozenset({0, 1}), everywhere=True)
    assert "manifest.mpd" not in recording_views([session], rows)


def test_sessions_of_different_ladders_are_refused():
    first, second = live_session("a", SMALL), live_session("b")
    rows = [*releases(first, 1, 1), *releases(second, 5, 1, sequence=1, discontinuity=1)]
    with pytest.raises(LocalProtocolError, match="other renditions"):
        recording_views([first, second], rows)
    with pytest.raises(LocalProtocolError, match="not listed"):
        recording_views([first], rows)


def test_the_peak_is_taken_over_runs_of_half_to_one_and_a_half_targets():
    second = 1_000_000
    weights = [Weight(second, 100), Weight(second, 300), Weight(second, 100), Weight(400_000, 200)]
    assert peak_rate(weights, 2) == 2400  # one segment lasts half a target
    assert peak_rate(weights, 4) == 2000  # 600 bytes in the last 2.4 s
    assert peak_rate([Weight(100_000, 5)], 1) == 400  # nothing lasts half a target
    assert average_rate(weights) == -(-8 * 700 * 10 // 34)


def test_a_gap_ends_a_run_and_counts_in_no_average():
    second = 1_000_000
    weights = [Weight(second, 100), Weight(second, 0, gap=True), Weight(second, 100)]
    assert peak_rate(weights, 2) == 800
    assert average_rate(weights) == 800
