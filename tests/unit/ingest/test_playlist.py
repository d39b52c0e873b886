"""What FFmpeg gets of somebody else's playlist."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abr.errors import FeedError, FeedRefused, FeedUnreadable
from abr.ingest.playlist import is_playlist, narrowed

BASE = "https://cdn.example/live/index.m3u8"


def lines(*given: str) -> str:
    return "\n".join(given) + "\n"


def media(*given: str) -> str:
    return lines("#EXTM3U", "#EXT-X-TARGETDURATION:2", *given)


def kept(*given: str) -> list[str]:
    return narrowed(media(*given).encode(), BASE).text.splitlines()[2:]


def test_addresses_become_absolute_and_unknown_tags_go():
    assert kept(
        '#EXT-X-MAP:URI="init.mp4",BYTERANGE="700@0"',
        '#EXT-X-KEY:METHOD=AES-128,URI="../key",IV=0x00000000000000000000000000000001',
        '#EXT-X-PART:DURATION=0.5,URI="file:///etc/passwd"',
        '#EXT-X-PRELOAD-HINT:TYPE=PART,URI="file:///etc/passwd"',
        "#EXTINF:2.0,news",
        "#EXT-X-BYTERANGE:100@200",
        "a.ts?token=x",
        "#EXT-X-DISCONTINUITY",
        "#EXTINF:2.0,",
        "//other.example/b.ts",
    ) == [
        '#EXT-X-MAP:URI="https://cdn.example/live/init.mp4",BYTERANGE="700@0"',
        '#EXT-X-KEY:METHOD=AES-128,URI="https://cdn.example/key",IV=0x00000000000000000000000000000001',
        "#EXTINF:2.0,news",
        "#EXT-X-BYTERANGE:100@200",
        "https://cdn.example/live/a.ts?token=x",
        "#EXT-X-DISCONTINUITY",
        "#EXTINF:2.0,",
        "https://other.example/b.ts",
    ]


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/passwd", "FILE:/etc/passwd", "concat:a.ts|b.ts", "data:text/plain,x", "gopher://h/_x",
        "crypto:http://h/a", "crypto+file:///etc/passwd", "ftp://h/a",
        "tcp://127.0.0.1:22", "unix:/run/x", "pipe:0", "async:file:/etc/passwd", "http:///nohost", "http://h:0x1/",
        "http://[::1", "http://h/a\tb",
    ],
)  # fmt: skip
def test_no_line_leads_to_anything_but_http(target):
    for text in (media("#EXTINF:2,", target), media(f'#EXT-X-MAP:URI="{target}"', "#EXTINF:2,", "a.mp4"),
                 media(f'#EXT-X-KEY:METHOD=AES-128,URI="{target}"'),
                 f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{target}\n"):  # fmt: skip
        with pytest.raises(FeedRefused, match=r"https://cdn.example/live/index.m3u8 leads to"):
            narrowed(text.encode(), BASE)


def test_what_ffmpeg_would_take_for_a_protocol_of_its_own_is_a_path_of_that_server():
    assert kept("#EXTINF:2,", "subfile,,start,0,end,9,,:a.ts")[1:] == [
        "https://cdn.example/live/subfile,,start,0,end,9,,:a.ts"
    ]


def test_the_largest_variant_and_its_sound_are_kept():
    text = lines(
        "#EXTM3U", "#EXT-X-INDEPENDENT-SEGMENTS",
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",LANGUAGE="de",NAME="Deutsch",URI="de.m3u8"',
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="b",NAME="low",URI="low.m3u8"',
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="x",URI="file:///etc/passwd"',
        '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=9,URI="file:///etc/passwd"',
        '#EXT-X-STREAM-INF:BANDWIDTH=900,RESOLUTION=640x360,AUDIO="b"', "360.m3u8",
        '#EXT-X-STREAM-INF:BANDWIDTH=800,RESOLUTION=1280x720,AUDIO="a",SUBTITLES="s"', "", "720.m3u8",
        "#EXT-X-STREAM-INF:BANDWIDTH=950", "unknown.m3u8",
    )  # fmt: skip
    playlist = narrowed(text.encode(), BASE)
    assert playlist.ended is None
    assert playlist.text.splitlines() == [
        "#EXTM3U",
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",LANGUAGE="de",NAME="Deutsch",URI="https://cdn.example/live/de.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=800,AUDIO="a"',
        "https://cdn.example/live/720.m3u8",
    ]


def test_an_end_and_segments_that_are_said_to_be_missing_are_known():
    playlist = narrowed(
        media("#EXTINF:2,", "a.ts", "#EXT-X-GAP", "#EXTINF:2,", "b.ts", "#EXTINF:2,", "c.ts").encode(), BASE
    )
    assert (playlist.ended, playlist.gaps) == (False, {"https://cdn.example/live/b.ts"})
    assert narrowed(media("#EXT-X-ENDLIST").encode(), BASE).ended is True


@pytest.mark.parametrize(
    "line",
    [
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="k"',
        '#EXT-X-KEY:METHOD=AES-128,URI="skd://x",KEYFORMAT="com.apple.streamingkeydelivery"',
        '#EXT-X-KEY:METHOD=AES-256,URI="k"',
    ],
)
def test_what_cannot_be_decrypted_is_said(line):
    with pytest.raises(FeedUnreadable, match="encrypted with"):
        narrowed(media(line).encode(), BASE)


def test_what_is_a_playlist():
    assert is_playlist(b"#EXTM3U\n#EXT")
    assert is_playlist(b"\xef\xbb\xbf#EXTM3U\r\n")
    assert not is_playlist(b"ffconcat version 1.0")
    with pytest.raises(FeedUnreadable):
        narrowed(b"<html>", BASE)
    with pytest.raises(FeedUnreadable, match="without an address"):
        narrowed(b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", BASE)


@given(st.lists(st.sampled_from([
    "#EXTM3U", "#EXT-X-STREAM-INF:", '#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO="a"', "#EXTINF:2,", "a.ts", "#EXT-X-GAP",
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",URI="x"', '#EXT-X-KEY:METHOD=AES-128,URI="file:///x"', "http://[",
    '#EXT-X-MAP:URI="\n', "file:///x", "\x00", "\u2028", "#EXT-X-ENDLIST",
]) | st.text(max_size=20), max_size=12))  # fmt: skip
def test_whatever_comes_each_address_that_is_left_is_http(given):
    try:
        playlist = narrowed(lines("#EXTM3U", *given).encode("utf-8", "replace"), BASE)
    except FeedError:
        return
    for line in playlist.text.splitlines():
        assert line.startswith(("#", "https://", "http://"))
        assert "file:" not in line.partition('URI="')[2]
