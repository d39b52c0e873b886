"""HLS playlists as text: exact tags, exact numbers."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import LocalProtocolError
from abr.formats.hls import (
    Media,
    MediaPlaylist,
    MediaSegment,
    MultivariantPlaylist,
    PlaylistType,
    StreamInf,
    date_text,
    rounded_seconds,
    write_media,
    write_multivariant,
    write_segment,
)


def test_a_variant_names_everything_a_player_chooses_by():
    variant = StreamInf(
        uri="720p/index.m3u8",
        bandwidth=4_620_800,
        average_bandwidth=2_928_000,
        codecs=("avc1.64001f", "mp4a.40.2"),
        resolution=(1280, 720),
        frame_rate=Fraction(30000, 1001),
        audio="audio",
    )
    sound = Media("audio", "English", "en", "audio/index.m3u8", default=True, channels=2)
    assert write_multivariant(MultivariantPlaylist((variant,), (sound,))).splitlines() == [
        "#EXTM3U",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        (
            '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,'
            'CHANNELS="2",URI="audio/index.m3u8"'
        ),
        (
            '#EXT-X-STREAM-INF:BANDWIDTH=4620800,AVERAGE-BANDWIDTH=2928000,CODECS="avc1.64001f,mp4a.40.2",'
            'RESOLUTION=1280x720,FRAME-RATE=29.970,AUDIO="audio",CLOSED-CAPTIONS=NONE'
        ),
        "720p/index.m3u8",
    ]


def test_a_variant_without_picture_has_no_size_and_no_rate():
    text = write_multivariant(MultivariantPlaylist((StreamInf("a.m3u8", 9, 8, ("mp4a.40.2",)),)))
    assert "RESOLUTION" not in text
    assert "FRAME-RATE" not in text
    assert "AUDIO=" not in text


@pytest.mark.parametrize("name", ['the "big" hall', "two\nlines"])
def test_a_value_that_no_quoted_string_can_hold_is_refused(name):
    media = Media("audio", name, "en", "audio/index.m3u8", default=True, channels=2)
    with pytest.raises(LocalProtocolError, match="quotation marks"):
        write_multivariant(MultivariantPlaylist((), (media,)))


def test_a_live_list_is_open_and_an_ended_one_is_not():
    head = MediaPlaylist(target_duration=2, media_sequence=7, discontinuity_sequence=1)
    assert write_media(head, ["#EXTINF:1.920000,\nx.m4s\n"]) == (
        "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n"
        "#EXT-X-DISCONTINUITY-SEQUENCE:1\n#EXTINF:1.920000,\nx.m4s\n"
    )
    vod = write_media(MediaPlaylist(2, playlist_type=PlaylistType.VOD, ended=True), [])
    assert vod.endswith("#EXT-X-PLAYLIST-TYPE:VOD\n#EXT-X-ENDLIST\n")


def test_tags_of_a_segment_stand_before_it_in_one_order():
    segment = MediaSegment(
        "s/9.m4s", 2_002_000, gap=True, discontinuities=1, map_uri="s/init.mp4", date=1_788_027_300_000_400
    )
    assert write_segment(segment).splitlines() == [
        "#EXT-X-DISCONTINUITY",
        '#EXT-X-MAP:URI="s/init.mp4"',
        "#EXT-X-PROGRAM-DATE-TIME:2026-08-29T18:15:00.000Z",
        "#EXT-X-GAP",
        "#EXTINF:2.002000,",
        "s/9.m4s",
    ]


@given(st.integers(0, 10**13))
def test_a_date_is_the_nearest_millisecond(microseconds):
    from datetime import datetime

    shown = datetime.fromisoformat(date_text(microseconds))
    assert abs(shown.timestamp() * 1_000_000 - microseconds) <= 501


@pytest.mark.parametrize(
    ("microseconds", "seconds"),
    [(0, 1), (1_499_999, 1), (1_500_000, 2), (1_920_000, 2), (2_499_999, 2), (2_500_000, 3)],
)
def test_the_target_duration_is_rounded_half_up_and_at_least_one(microseconds, seconds):
    assert rounded_seconds(microseconds) == seconds
