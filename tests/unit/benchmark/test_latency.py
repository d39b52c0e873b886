"""Latency: which numbers a playlist names, and how late they are."""

from fractions import Fraction

from scripts.benchmark.latency import latencies, numbers

NANO = 1_000_000_000

PLAYLIST = """#EXTM3U
#EXT-X-TARGETDURATION:2
#EXT-X-MAP:URI="20260829T181500Z-00aa/init.mp4"
#EXTINF:1.920000,
20260829T181500Z-00aa/930000001.m4s
#EXTINF:1.920000,
20260829T181500Z-00aa/930000002.m4s
"""


def test_a_playlist_names_the_numbers_of_its_segments():
    assert numbers(PLAYLIST) == [930_000_001, 930_000_002]
    assert numbers("#EXTM3U\n") == []


def test_a_segment_is_as_late_as_the_last_playlist_that_names_it():
    seen = {
        "720p": {1: 5 * NANO, 2: 9 * NANO, 3: 9 * NANO + 500},
        "audio": {1: 5 * NANO, 2: 9 * NANO + 70, 3: 9 * NANO + 400},
    }
    assert latencies(seen, Fraction(2), Fraction(1)) == [2 * NANO + 70, 500]


def test_what_the_first_playlists_name_is_left_out():
    seen = {
        "720p": {1: 20 * NANO, 2: 20 * NANO, 3: 20 * NANO},
        "audio": {1: 21 * NANO, 2: 21 * NANO, 3: 21 * NANO},
    }
    assert latencies(seen, Fraction(2), Fraction(1)) == []


def test_a_number_that_not_all_playlists_name_yet_does_not_count():
    seen = {"720p": {1: NANO, 2: 9 * NANO}, "audio": {1: NANO}}
    assert latencies(seen, Fraction(2), Fraction(1)) == []


def test_nothing_seen_is_no_latency():
    assert latencies({}, Fraction(2), Fraction(1)) == []
    assert latencies({"720p": {}, "audio": {}}, Fraction(2), Fraction(1)) == []
