"""A pulled file, film or server, opened and read to its end."""

import io
import threading
import time

import av
import pytest

from abr.clock import SystemClock
from abr.config.pull import PullAddress, parse_pull
from abr.errors import FeedLost, FeedRefused, FeedUnreadable
from abr.ingest.past import Past
from abr.ingest.source import Opener
from abr.model.media import Kind
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


@pytest.fixture(scope="module")
def parts():
    """Makes files of two seconds of a programme from one second to another, with these kinds of tracks."""
    file = io.BytesIO()
    write_clip(file, 14 * 25)

    def make(first, last, kinds):
        return {f"{second:02}.ts": part(file, second, kinds) for second in range(first, last, 2)}

    return make


def part(flv, first, kinds):
    """Two seconds of it as MPEG-TS."""
    made = io.BytesIO()
    with av.open(io.BytesIO(flv.getvalue()), format="flv") as source, av.open(made, "w", "mpegts") as target:
        streams = {
            stream.index: target.add_stream_from_template(stream)
            for stream in source.streams
            if stream.type in kinds
        }
        for packet in source.demux():
            wanted = packet.stream_index in streams and packet.dts is not None
            if wanted and first <= packet.dts * packet.time_base < first + 2:
                packet.stream = streams[packet.stream_index]
                target.mux(packet)
    return made.getvalue()


def playlist(files, first, last):
    """Some of the files as a live playlist."""
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:2", f"#EXT-X-MEDIA-SEQUENCE:{first}"]
    for name in sorted(files)[first:last]:
        lines += ["#EXTINF:2.0,", name]
    return "\n".join(lines).encode() + b"\n"


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


def pull(address: PullAddress, clock=None, private=False, past=None, watch=True):
    """Everything that comes of an address, and the closed input."""
    clock, threads = clock or Quick(), Threads()
    source = Pulled(address, Opener(clock, clock.wait, private=private), threads.spawn, past, watch=watch)
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


def shown(items, source):
    """The times of the pictures that are shown, ms."""
    pictures = (item for item in items if source.tracks[item.track].width and not item.hidden)
    return [round(item.dts * source.tracks[item.track].time_base * 1000) for item in pictures]


def test_a_live_playlist_that_is_opened_anew_shows_nothing_twice_and_takes_no_time_for_it(parts, monkeypatch):
    monkeypatch.setattr("abr.ingest.source._SILENCE", 1)
    clock, past = Quick(), Past()
    both = parts(0, 10, ("video", "audio"))
    with serving(**both) as site:
        site.pages["/live.m3u8"] = playlist(both, 0, 3)
        before, source = pull(parse_pull(site.url("/live.m3u8")), clock, past=past)
        assert source.failed
        waited = clock.ahead
        site.pages["/live.m3u8"] = playlist(both, 0, 4)
        after, source = pull(parse_pull(site.url("/live.m3u8")), clock, past=past)
    times = shown(before, source) + shown(after, source)
    # The last ones are still in FFmpeg's parser.
    assert times == [times[0] + 40 * place for place in range(8 * 25 - 2)]
    assert clock.ahead - waited < 2.5e9
    assert source.stats()["replayed"] > 2 * 50


@pytest.mark.parametrize("kept", ["video", "audio"])
def test_a_track_that_begins_late_in_a_live_playlist_is_told(parts, monkeypatch, kept):
    monkeypatch.setattr("abr.ingest.source._SILENCE", 3)
    files = parts(0, 8, (kept,)) | parts(8, 14, ("video", "audio"))
    with serving(**files) as site:
        pages = iter([playlist(files, 0, 4), playlist(files, 0, 5)])
        last = Page(playlist(files, 0, 6))
        site.pages["/live.m3u8"] = lambda: Page(next(pages, last.body))
        items, source = pull(parse_pull(site.url("/live.m3u8")))
        assert {track.kind for track in source.tracks} == {Kind(kept)}
        assert (source.late, source.failed, source.live) == (True, True, True)
        assert source.ended == "a track appeared that was not there when it was opened"
        assert len(items) > 140
        site.pages["/live.m3u8"] = playlist(files, 4, 7)
        _, source = pull(parse_pull(site.url("/live.m3u8")))
        assert {track.kind for track in source.tracks} == set(Kind)
        assert not source.late


def test_a_track_that_begins_late_in_a_feed_over_http_is_told(parts):
    files = parts(0, 10, ("video",)) | parts(10, 14, ("video", "audio"))
    body = b"".join(files[name] for name in sorted(files))
    with serving(radio=Page(body, ranges=False, length=False)) as site:
        items, source = pull(parse_pull(site.url("/radio")))
    assert (source.late, source.live, [track.kind for track in source.tracks]) == (True, True, [Kind.VIDEO])
    assert pictures(items, source) > 200


def test_a_track_that_begins_late_at_an_rtmp_server_is_told():
    with playing(100, quiet=2500) as server:
        _, source = pull(parse_pull(server.url), SystemClockThatWaits())
        assert (source.late, source.live, [track.kind for track in source.tracks]) == (
            True,
            True,
            [Kind.VIDEO],
        )
        assert source.ended == "a track appeared that was not there when it was opened"


def test_a_late_track_that_is_not_waited_for_ends_nothing():
    with playing(100, quiet=2500) as server:
        _, source = pull(parse_pull(server.url), SystemClockThatWaits(), watch=False)
        assert not source.late
        assert source.ended == "the server ended it, or the connection broke"


def test_what_an_rtmp_server_sends_once_more_is_left_out():
    past = Past()
    with playing(150, programme=True) as server:
        threading.Timer(3.5, server.cut.set).start()
        before, source = pull(parse_pull(server.url), SystemClockThatWaits(), past=past)
        server.cut.clear()
        after, source = pull(parse_pull(server.url), SystemClockThatWaits(), past=past)
    first, second = shown(before, source), shown(after, source)
    assert source.stats()["replayed"] > 10
    assert 0 < second[0] - first[-1] < 500
    assert len(first) + len(second) >= 140


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
