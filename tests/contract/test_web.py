"""All that FFmpeg opens of a URL: films that are resumed, playlists that are looked at."""

import gzip
import io
import random

import pytest

from abr.errors import FeedLost, FeedRefused, FeedUnreadable
from abr.ingest.guard import Guard
from abr.ingest.inflate import inflated
from abr.ingest.web import Web
from abr.model.time import NANO
from tests.fakes.clock import FakeClock
from tests.fakes.webserver import Page, serving

BODY = random.Random(1).randbytes(700_000)
LIVE = b"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na.ts\n"


class Waiting:
    """A wait that takes no time and remembers; `stop` says so after that many."""

    def __init__(self, stop=1000):
        self.clock = FakeClock()
        self.told = []
        self._stop = stop

    def __call__(self, seconds):
        self.clock.wait(seconds)
        self._stop -= 1
        return self._stop < 0

    def tell(self, seconds, attempt, reason):
        self.told.append((attempt, reason))


OPENED: list[Web] = []


@pytest.fixture(autouse=True)
def _closed():
    yield
    while OPENED:
        OPENED.pop().close()


def web(url, waiting=None):
    waiting = waiting or Waiting()
    OPENED.append(Web(url, guard=Guard(), clock=waiting.clock, wait=waiting, told=waiting.tell))
    return OPENED[-1]


def read_all(file, size=32768):
    pieces = []
    while piece := file.read(size):
        assert len(piece) <= size
        pieces.append(piece)
    return b"".join(pieces)


def test_a_film_goes_on_where_it_broke_off():
    with serving(film=Page(BODY, cut=300_000)) as site:
        waiting = Waiting()
        source = web(site.url("/film"), waiting)
        assert (source.format, source.live) == (None, False)
        film = source.open(site.url("/film"), 1, {})
        assert read_all(film) == BODY
        assert film.read(10) == b""
        assert waiting.told == [(1, f"{site.url('/film')} broke off: the connection was closed")]
        assert site.asked[1][1]["Range"] == "bytes=300000-"
        assert source.failure is None


def test_without_ranges_it_is_read_again_up_to_there():
    with serving(film=Page(BODY, cut=300_000, ranges=False)) as site:
        film = web(site.url("/film")).open(site.url("/film"), 1, {})
        assert not film.seekable()
        assert read_all(film) == BODY


def test_a_film_that_changed_is_not_pieced_together():
    with serving(film=Page(BODY, cut=300_000)) as site:
        source = web(site.url("/film"))
        film = source.open(site.url("/film"), 1, {})
        site.pages["/film"] = Page(BODY[::-1], headers={"ETag": '"2"'})
        assert read_all(film) == BODY[:300_000]
        assert str(source.failure) == "the file changed while it was read"


def test_a_server_that_stays_away_is_asked_eight_times_with_growing_pauses():
    with serving(film=Page(BODY, cut=1000)) as site:
        waiting = Waiting()
        source = web(site.url("/film"), waiting)
        film = source.open(site.url("/film"), 1, {})
        site.pages["/film"] = Page(status=503)
        assert read_all(film) == BODY[:1000]
        assert [attempt for attempt, _ in waiting.told] == list(range(1, 9))
        assert 121 * NANO <= waiting.clock.monotonic() <= 180 * NANO
        assert isinstance(source.failure, FeedLost)
        assert "answered 503" in str(source.failure)


def test_who_stops_waits_no_longer():
    with serving(film=Page(BODY, cut=1000)) as site:
        waiting = Waiting(stop=0)
        source = web(site.url("/film"), waiting)
        film = source.open(site.url("/film"), 1, {})
        assert read_all(film) == BODY[:1000]
        assert len(waiting.told) == 1


def test_a_film_may_be_sought_in():
    with serving(film=BODY) as site:
        film = web(site.url("/film")).open(site.url("/film"), 1, {})
        assert film.seekable()
        assert film.seek(-10, 2) == len(BODY) - 10
        assert read_all(film) == BODY[-10:]
        assert film.seek(5) == film.tell() == 5
        assert film.read(10) == BODY[5:15]
        assert film.seek(100, 1) == 115
        assert film.read(10) == BODY[115:125]
        assert len(site.asked) == 3  # the small step was read over
        film.close()


def test_a_feed_without_length_that_breaks_off_is_lost_and_live():
    with serving(radio=Page(BODY, length=False, ranges=False)) as site:
        source = web(site.url("/radio"))
        assert source.live
        assert read_all(source.open(site.url("/radio"), 1, {})) == BODY


def test_a_film_leads_nowhere_else():
    with serving(film=BODY) as site:
        source = web(site.url("/film"))
        assert read_all(source.open(site.url("/other"), 1, {})) == b""
        assert isinstance(source.failure, FeedRefused)
        source.open(site.url("/film"), 1, {}).close()


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "gopher://h/x", "data:,x", "concat:a|b", "crypto+file:/x"]
)
def test_whatever_ffmpeg_asks_for_only_http_is_opened(url):
    with serving(live=LIVE) as site:
        source = web(site.url("/live"))
        assert source.format == "hls"
        assert read_all(source.open(url, 1, {})) == b""
        assert isinstance(source.failure, FeedRefused)
        assert read_all(source.open(site.url("/live"), 1, {})) == b""  # from then on nothing is


def test_a_live_playlist_is_read_again_and_its_end_seen():
    with serving(live=LIVE, **{"a.ts": b"media" * 10}) as site:
        source = web(site.url("/live"))
        text = read_all(source.open(site.url("/live"), 1, {})).decode()
        assert text.splitlines()[-1] == site.url("/a.ts")
        assert source.live
        assert source.playing
        assert read_all(source.open(site.url("/a.ts"), 1, {})) == b"media" * 10
        assert read_all(source.open(site.url("/gone.ts"), 1, {})) == b""
        assert (source.missed, source.failure) == (1, None)
        site.pages["/live"] = LIVE + b"#EXT-X-ENDLIST\n"
        assert b"ENDLIST" in read_all(source.open(site.url("/live"), 1, {}))
        assert not source.live
        assert source.received > 100


def test_a_segment_of_a_film_that_is_missing_is_no_hole_but_its_end():
    with serving(film=LIVE + b"#EXT-X-ENDLIST\n") as site:
        source = web(site.url("/film"))
        assert read_all(source.open(site.url("/a.ts"), 1, {})) == b""
        assert isinstance(source.failure, FeedUnreadable)
        assert "/a.ts answered 404" in str(source.failure)


def test_a_live_playlist_that_is_away_is_asked_twice_more_then_it_is_lost():
    with serving(live=LIVE) as site:
        waiting = Waiting()
        source = web(site.url("/live"), waiting)
        read_all(source.open(site.url("/live"), 1, {}))
        site.pages["/live"] = Page(status=502)
        assert read_all(source.open(site.url("/live"), 1, {})) == b""
        assert len(waiting.told) == 2
        assert isinstance(source.failure, FeedLost)


def test_a_part_of_a_file_is_a_segment():
    with serving(live=LIVE, **{"a.ts": BODY}) as site:
        source = web(site.url("/live"))
        part = source.open(site.url("/a.ts"), 1, {"offset": "1000", "end_offset": "3000"})
        assert read_all(part) == BODY[1000:3000]
        assert site.asked[1][1]["Range"] == "bytes=1000-"


def test_a_segment_that_is_said_to_be_missing_is_not_asked_for():
    with serving(live=LIVE.replace(b"#EXTINF", b"#EXT-X-GAP\n#EXTINF")) as site:
        source = web(site.url("/live"))
        assert read_all(source.open(site.url("/a.ts"), 1, {})) == b""
        assert (site.paths(), source.failure) == (["/live"], None)


def test_a_malicious_playlist_is_refused_before_anything_is_opened():
    with serving(live=LIVE + b"#EXTINF:2,\nfile:///etc/passwd\n") as site:
        with pytest.raises(
            FeedRefused, match="/live leads to file: where only http and https may be followed"
        ):
            web(site.url("/live"))
        assert site.paths() == ["/live"]


def test_a_compressed_playlist_is_unpacked_up_to_its_limit():
    with serving(live=Page(gzip.compress(LIVE), headers={"Content-Encoding": "gzip"})) as site:
        assert web(site.url("/live")).format == "hls"
    with pytest.raises(FeedUnreadable, match="larger than 1 MiB unpacked"):
        inflated(gzip.compress(bytes(3 << 20)), "gzip", 1 << 20)
    with pytest.raises(FeedUnreadable, match="cannot be unpacked"):
        inflated(b"no", "gzip", 1 << 20)
    with pytest.raises(FeedUnreadable, match="compressed with br"):
        inflated(b"", "br", 1)


def test_a_playlist_without_end_is_not_kept():
    def endless() -> Page:
        return Page(b"#EXTM3U\n" + b"#" * (17 << 20))

    with serving() as site:
        site.pages["/live"] = endless
        with pytest.raises(FeedUnreadable, match="larger than 16 MiB"):
            web(site.url("/live"))


def test_abort_ends_it_with_the_reason():
    with serving(film=BODY) as site:
        source = web(site.url("/film"))
        film = source.open(site.url("/film"), 1, {})
        assert film.read(1000)
        source.abort("the worker is stopping")
        source.abort("again")
        while film.read(65536):
            pass
        assert str(source.failure) == "the worker is stopping"
        assert isinstance(source.open(site.url("/film"), 1, {}), io.BytesIO)
        film.close()
