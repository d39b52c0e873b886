"""A pulled file, film or server, opened and read to its end."""

import io
import threading
import time

import av
import pytest

from abr.clock import SystemClock
from abr.config.pull import PullAddress, parse_pull
from abr.errors import FeedLost, FeedRefused, FeedUnreadable
from abr.ingest.source import Opener
from abr.worker.pulled import Pulled
from abr.worker.stage import Threads
from tests.fakes.publisher import write_clip
from tests.fakes.rtmp_source import playing
from tests.fakes.webserver import Page, serving

FRAMES = 30


@pytest.fixture(scope="module")
def clip():
    file = io.BytesIO()
    write_clip(file, FRAMES)
    return file.getvalue()


@pytest.fixture(scope="module")
def listed(clip, tmp_path_factory):
    """The clip as HLS of one-second segments, by name."""
    folder = tmp_path_factory.mktemp("hls")
    with av.open(io.BytesIO(clip), format="flv") as source:
        options = {"hls_time": "1", "hls_list_size": "0", "hls_playlist_type": "vod"}
        with av.open(str(folder / "index.m3u8"), "w", format="hls", options=options) as target:
            streams = {stream: target.add_stream_from_template(stream) for stream in source.streams}
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = streams[packet.stream]
                    target.mux(packet)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


class Quick:
    """A clock that runs on when somebody waits for it, so that no pace takes time."""

    def __init__(self, stop_after=None):
        self.ahead, self.stop_after = 0, stop_after
        self.stopped = threading.Event()

    def wall(self):
        return time.time_ns()

    def monotonic(self):
        return time.monotonic_ns() + self.ahead

    def wait(self, seconds):
        self.ahead += int(seconds * 1e9)
        if self.stop_after is not None and self.ahead > self.stop_after * 1e9:
            self.stopped.set()
        return self.stopped.is_set()


def pull(address: PullAddress, clock=None, private=False):
    """Everything that comes of an address, and the closed input."""
    clock, threads = clock or Quick(), Threads()
    source = Pulled(address, Opener(clock, clock.wait, private=private), threads.spawn)
    try:
        items = [item for batch in source.items() for item in batch]
    finally:
        source.close()
    assert threads.join(10)
    threads.check()
    return items, source


def pictures(items, source):
    return sum(1 for item in items if source.tracks[item.track].width)


def test_a_film_over_http_comes_whole_even_if_its_connection_breaks(clip):
    with serving(**{"film.flv": Page(clip, cut=len(clip) // 2)}) as site:
        items, source = pull(parse_pull(site.url("/film.flv", "me:hunter2")))
        assert pictures(items, source) == FRAMES
        assert (source.ended, source.failed, source.live) == ("the end", False, False)
        assert source.received >= len(clip)
        assert source.name == site.url("/film.flv")


def test_a_feed_without_a_length_that_breaks_off_is_live(clip):
    headers = {"Transfer-Encoding": "chunked"}
    body = b"%x\r\n%b\r\n" % (len(clip), clip)  # and no last chunk
    with serving(radio=Page(body, headers=headers, ranges=False, length=False)) as site:
        items, source = pull(parse_pull(site.url("/radio")))
        assert pictures(items, source) == FRAMES
        assert (source.failed, source.live) == (True, True)
        assert source.ended == f"{site.url('/radio')} broke off: the connection was closed"
        site.pages["/radio"] = Page(body + b"0\r\n\r\n", headers=headers, ranges=False, length=False)
        items, source = pull(parse_pull(site.url("/radio")))
        assert (pictures(items, source), source.ended, source.failed) == (FRAMES, "the end", False)


def test_a_list_of_segments_comes_whole(listed):
    with serving(**listed) as site:
        items, source = pull(parse_pull(site.url("/index.m3u8")))
        assert pictures(items, source) == FRAMES
        assert (source.failed, source.live) == (False, False)
        assert [path for path in site.paths() if path.endswith(".ts")] == [
            f"/{name}" for name in sorted(listed) if name.endswith(".ts")
        ]


def test_a_segment_that_is_missing_from_a_film_is_a_failure(listed):
    with serving(**listed) as site:
        del site.pages[max(path for path in site.pages if path.endswith(".ts"))]
        _, source = pull(parse_pull(site.url("/index.m3u8")))
        assert source.failed
        assert "answered 404" in source.ended


def test_a_live_playlist_that_stands_still_is_lost(listed, monkeypatch):
    monkeypatch.setattr("abr.ingest.source._SILENCE", 1)
    with serving(**listed) as site:
        site.pages["/index.m3u8"] = listed["index.m3u8"].replace(b"#EXT-X-ENDLIST\n", b"")
        items, source = pull(parse_pull(site.url("/index.m3u8")))
        assert pictures(items, source) >= FRAMES - 2  # the last ones are still in FFmpeg's parser
        assert (source.ended, source.failed, source.live) == ("nothing new came for 1 s", True, True)


@pytest.mark.parametrize(
    "line",
    [
        "file:///etc/passwd",
        "concat:index0.ts|index1.ts",
        "data:video/mp2t;base64,AAAA",
        "gopher://127.0.0.1/_x",
    ],
)
def test_a_malicious_playlist_opens_nothing(listed, line):
    with serving(**listed) as site:
        text = listed["index.m3u8"].decode().replace("#EXT-X-ENDLIST", f"#EXTINF:1,\n{line}\n#EXT-X-ENDLIST")
        site.pages["/index.m3u8"] = text.encode()
        with pytest.raises(FeedRefused, match="leads to"):
            pull(parse_pull(site.url("/index.m3u8")))
        assert site.paths() == ["/index.m3u8"]


def test_a_live_playlist_that_turns_malicious_ends_there(listed):
    with serving(**listed) as site:
        live = (
            listed["index.m3u8"].replace(b"#EXT-X-ENDLIST\n", b"").replace(b"#EXT-X-PLAYLIST-TYPE:VOD\n", b"")
        )
        evil = live + b"#EXTINF:1,\nfile:///etc/passwd\n"
        pages = iter([live])
        site.pages["/index.m3u8"] = lambda: Page(next(pages, evil))
        _, source = pull(parse_pull(site.url("/index.m3u8")))
        assert (source.failed, source.forbidden) == (True, True)
        assert "leads to file:" in source.ended


def test_a_file_that_is_a_list_for_another_demuxer_is_not_read_from_a_url(listed):
    with serving(film=b"ffconcat version 1.0\nfile /etc/passwd\n", **listed) as site:
        with pytest.raises(FeedUnreadable):
            pull(parse_pull(site.url("/film")))
        assert site.paths() == ["/film"]


def test_what_is_not_there_says_so():
    with serving() as site, pytest.raises(FeedUnreadable, match=r"/film.mp4 answered 404 Not Found"):
        pull(parse_pull(site.url("/film.mp4?token=hunter2")))
    with pytest.raises(FeedLost, match="cannot be reached"):
        pull(parse_pull(site.url("/film.mp4")))


def test_a_file_is_repeated_until_somebody_stops(clip, tmp_path):
    (tmp_path / "a.flv").write_bytes(clip)
    address = PullAddress(path=tmp_path / "a.flv", loop=True)
    items, source = pull(address, Quick(stop_after=FRAMES / 25 * 3))
    assert pictures(items, source) > FRAMES * 2
    assert (source.stopped, source.failed) == (True, False)


def test_an_rtmp_server_is_pulled_until_it_ends():
    with playing(FRAMES) as server:
        items, source = pull(parse_pull(server.url), SystemClockThatWaits())
        assert pictures(items, source) >= FRAMES - 2  # FFmpeg gives its end as an error
        assert (source.failed, source.live, source.name) == (True, True, server.url.rpartition("/")[0])
        assert source.ended == "the server ended it, or the connection broke"
        assert server.asked[-1] == "play"


def test_a_server_that_stalls_does_not_keep_who_wants_to_stop():
    with playing(60, stall=True) as server:  # opening it takes 1.5 s of media
        clock, threads = SystemClockThatWaits(), Threads()
        source = Pulled(parse_pull(server.url), Opener(clock, clock.wait), threads.spawn)
        asked = time.monotonic()
        for _ in source.items():
            clock.stop.set()
            asked = time.monotonic()
        source.close()
        assert time.monotonic() - asked < 2
        assert source.stopped
    assert threads.join(10)


class SystemClockThatWaits(SystemClock):
    """Real time, and a wait that ends when `stop` is set."""

    def __init__(self):
        self.stop = threading.Event()

    def wait(self, seconds):
        return self.stop.wait(seconds)
