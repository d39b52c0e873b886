"""The SRT server and caller against real libsrt, on loopback."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import av
import pytest

from abr.clock import SystemClock
from abr.config.srt import SrtAddress, parse_srt, parse_srt_listen
from abr.errors import AddressInUse, FeedLost, FeedRefused, UsageError
from abr.ingest.admission import REPLACED, Limits
from abr.ingest.libsrt import SrtError, load
from abr.ingest.srt import open_srt_caller
from abr.model.media import Kind
from tests.fakes.film import film
from tests.fakes.log import KeptLines
from tests.fakes.lossy import LossyPath
from tests.fakes.srt_caller import MESSAGE, PASSPHRASE, call, numbered, send

try:
    load()
except UsageError as missing:
    pytest.skip(f"{missing}", allow_module_level=True)

from abr.ingest.srt import SrtServer
from abr.ingest.srtfeed import SrtFeed
from abr.ingest.srtplace import Place
from tests.fakes.rtmp_server import Reader

pytestmark = pytest.mark.faults
TIME_OUT = 20
ROOT = Path(__file__).parents[2]
QUERY = "passphrase=correct%20horse&latency=20"


class Running:
    """A server that serves these addresses, with all its threads."""

    def __init__(self, on_feed: Callable[[SrtFeed], None], *queries: str, **options: Any) -> None:
        self.log = KeptLines()
        places = [Place(parse_srt_listen(f"srt://127.0.0.1:0?{query}"), on_feed) for query in queries]
        self.threads: list[threading.Thread] = []
        self.server = SrtServer(places, clock=SystemClock(), spawn=self.spawn, log=self.log, **options)
        self.port = self.server.port
        self.spawn("serve", self.server.serve)

    def spawn(self, name: str, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, name=name)
        self.threads.append(thread)
        thread.start()

    def stop(self) -> None:
        self.server.close()
        for thread in self.threads:
            thread.join(TIME_OUT)
            assert not thread.is_alive(), thread.name


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Starts servers; each is stopped and its threads have ended when the test is over."""
    servers: list[Running] = []

    def make(on_feed: Callable[[SrtFeed], None], *queries: str, **options: Any) -> Running:
        servers.append(Running(on_feed, *(queries or (f"streamid=cam1&{QUERY}",)), **options))
        return servers[-1]

    yield make
    for server in servers:
        server.stop()


def flow(caller: Any, reader: Reader) -> None:
    """Send until the first bytes have come out at the other end."""
    for number in range(500):
        caller.send(numbered(number))
        if reader.begun.acquire(timeout=0.01):
            return
    pytest.fail("nothing arrived")


@pytest.mark.parametrize("stream_id", ["cam1", "#!::r=cam1", "#!::m=publish,u=anna,r=cam1"])
def test_a_clip_arrives_whole_but_for_the_last_latency(start, stream_id):
    counts, ends = {"video": 0, "audio": 0}, []

    def decode(feed: SrtFeed) -> None:
        with av.open(feed, format=feed.format, options={"analyzeduration": "1500000"}) as container:
            feed.settle([Kind(stream.type) for stream in container.streams])
            for packet in container.demux():
                for frame in packet.decode():
                    counts["video" if isinstance(frame, av.VideoFrame) else "audio"] += 1
        ends.append(feed.ended)

    server = start(decode)
    with closing(call(server.port, stream_id)) as caller:
        data = film(seconds=4)
        send(caller, data, rate=len(data) * 8)
        send(caller, b"".join(map(numbered, range(20))), rate=1_000_000)
    line = server.log.wait_for("publisher gone", reason="the publisher closed the connection")
    assert counts == {"video": 100, "audio": 189}
    assert ends == ["the publisher closed the connection"]
    assert (line["lost"], line["dropped"]) == (0, 0)
    traits = server.log.wait_for("publisher connected")
    assert (traits["encryption"], traits["latency"]) == ("AES-128", "20 ms")
    assert "cam1" not in str(server.log.lines)


@pytest.mark.parametrize(
    ("stream_id", "passphrase", "code", "reason"),
    [
        ("hunter2", PASSPHRASE, 1404, "unknown stream id"),
        ("", PASSPHRASE, 1404, "unknown stream id"),
        ("#!::r=cam1,m=request", PASSPHRASE, 1405, "it does not want to publish"),
        ("#!::r=cam1,hunter2", PASSPHRASE, 1400, "the stream id has an item that is not key=value"),
        ("#!::r=cam1,t=file", PASSPHRASE, 1415, "wrong kind of content"),
        ("#!::r=cam2,u=bert", PASSPHRASE, 1401, "wrong user"),
        ("cam1", "hunter2hunter2", 10, "wrong passphrase, or none where one is needed"),
        ("cam1", "", 11, "wrong passphrase, or none where one is needed"),
    ],
)
def test_a_stranger_is_told_why_and_costs_one_line(start, stream_id, passphrase, code, reason):
    reader = Reader()
    server = start(reader.read, f"streamid=cam1&{QUERY}", f"streamid=%23!::r=cam2,u=anna&{QUERY}")
    with pytest.raises(SrtError) as caught:
        call(server.port, stream_id, passphrase)
    assert caught.value.rejection == code
    server.log.wait_for("publisher refused", reason=reason)
    assert len([event for event, _ in server.log.lines if event != "libsrt"]) == 1
    assert not reader.feeds
    assert "hunter2" not in str(server.log.lines)


def test_a_publisher_without_encryption_needs_a_stream_id_without(start):
    reader = Reader()
    server = start(reader.read, "streamid=open&latency=20")
    with closing(call(server.port, "open", "")) as caller:
        flow(caller, reader)
    assert server.log.wait_for("publisher connected")["encryption"] == "none"


def test_any_stream_id_will_do_where_none_is_named(start):
    reader = Reader()
    server = start(reader.read, QUERY)
    with closing(call(server.port, "whatever", key_length=32)) as caller:
        flow(caller, reader)
    assert server.log.wait_for("publisher connected")["encryption"] == "AES-256"


def test_a_key_that_is_too_short_is_refused(start):
    reader = Reader()
    server = start(reader.read, f"streamid=cam1&{QUERY}&pbkeylen=32")
    with closing(call(server.port, "cam1", key_length=16)):
        words = "AES-128, and pbkeylen=32 asks for AES-256"
        server.log.wait_for("publisher refused", reason=words)
    assert not reader.feeds
    with closing(call(server.port, "cam1", key_length=32)) as caller:
        flow(caller, reader)


def test_four_publish_at_once_to_one_port(start):
    readers = {name: Reader() for name in "abcd"}
    queries = [f"streamid={name}&{QUERY}" for name in readers]
    server = start(lambda _: None, *queries)
    places = [
        Place(place.address, readers[name].read)
        for name, place in zip("abcd", server.server._places, strict=True)
    ]
    server.server._places = tuple(places)
    callers = {name: call(server.port, name) for name in readers}
    for name, caller in callers.items():
        flow(caller, readers[name])
        caller.send(numbered(ord(name)))
    time.sleep(0.1)  # the messages stay in libsrt for the latency
    for caller in callers.values():
        caller.close()
    for name, reader in readers.items():
        assert reader.done.acquire(timeout=TIME_OUT)
        assert [feed.ended for feed in reader.feeds] == ["the publisher closed the connection"]
        assert numbered(ord(name)) in reader.data[0]


def test_the_right_stream_id_takes_over(start):
    reader = Reader()
    server = start(reader.read)
    with closing(call(server.port, "cam1")) as first:
        flow(first, reader)
        with closing(call(server.port, "#!::r=cam1,m=publish")) as second:
            flow(second, reader)
            with pytest.raises(SrtError):
                send(first, bytes(1_000_000), rate=1_000_000)
        assert reader.done.acquire(timeout=TIME_OUT)
        assert reader.done.acquire(timeout=TIME_OUT)
    assert [feed.ended for feed in reader.feeds] == [REPLACED, "the publisher closed the connection"]


def test_without_takeover_the_second_is_told_of_a_conflict(start):
    reader = Reader()
    server = start(reader.read, takeover=False)
    with closing(call(server.port, "cam1")) as first:
        flow(first, reader)
        with pytest.raises(SrtError) as caught:
            call(server.port, "cam1")
        assert caught.value.rejection == 1409
        server.log.wait_for("publisher refused", reason="already publishing")
        first.send(numbered(1))


def test_connections_are_limited(start):
    reader = Reader()
    queries = [f"streamid={name}&{QUERY}" for name in "ab"]
    server = start(reader.read, *queries, limits=Limits(per_address=1))
    with closing(call(server.port, "a")) as first:
        flow(first, reader)
        with pytest.raises(SrtError) as caught:
            call(server.port, "b")
        assert caught.value.rejection == 1402
        server.log.wait_for("publisher refused", reason="too many connections are open from this address")


def test_a_publisher_that_is_killed_is_gone_after_five_seconds_and_may_return(start):
    reader = Reader()
    server = start(reader.read)
    command = [sys.executable, "-m", "tests.fakes.srt_caller", str(server.port), "cam1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as publisher:
        assert reader.begun.acquire(timeout=TIME_OUT)
        publisher.kill()
    killed = time.monotonic()
    assert reader.done.acquire(timeout=TIME_OUT)
    assert 3 < time.monotonic() - killed < 9
    assert reader.feeds[0].ended.startswith("the connection was lost: nothing came for ")
    with closing(call(server.port, "cam1")) as again:
        flow(again, reader)


def test_a_publisher_that_sends_nothing_is_gone_after_the_idle_time(start):
    reader = Reader()
    server = start(reader.read, limits=Limits(idle_ms=600))
    with closing(call(server.port, "cam1")):
        server.log.wait_for("publisher gone", reason="nothing came for 600 ms")
    assert reader.data == [b""]


def test_what_is_no_mpeg_ts_ends_the_feed_with_the_reason(start):
    reader = Reader()
    server = start(reader.read)
    with closing(call(server.port, "cam1")) as caller, pytest.raises(SrtError):
        send(caller, bytes(20_000_000), rate=20_000_000)
    server.log.wait_for("publisher gone", reason="the publisher sends no MPEG-TS")


def test_abort_wakes_a_read_and_the_first_reason_stays(start):
    reader = Reader()
    server = start(reader.read)
    with closing(call(server.port, "cam1")) as caller:
        flow(caller, reader)
        time.sleep(0.1)
        asked = time.monotonic()
        reader.feeds[0].abort("enough")
        assert reader.done.acquire(timeout=TIME_OUT)
        assert time.monotonic() - asked < 1
        reader.feeds[0].abort("more than enough")
    assert reader.feeds[0].ended == "enough"
    assert reader.feeds[0].read(10) == b""


def test_close_ends_feeds_and_the_port_is_free_again(start):
    reader = Reader()
    server = start(reader.read)
    with closing(call(server.port, "cam1")) as caller:
        flow(caller, reader)
        server.stop()
    assert reader.feeds[0].ended == "the server was closed"


def test_a_port_that_is_taken_and_an_address_of_nobody_are_named(start):
    server = start(Reader().read)
    for host, port, kind, words in (
        (
            "127.0.0.1",
            server.port,
            AddressInUse,
            f"cannot listen on 127.0.0.1:{server.port}: another program does",
        ),
        ("192.0.2.1", 0, UsageError, "cannot listen on 192.0.2.1:0: "),
    ):
        place = Place(SrtAddress(host, port), Reader().read)
        with pytest.raises(kind, match=words):
            SrtServer([place], clock=SystemClock(), spawn=server.spawn, log=server.log)


def test_readings_are_taken_each_second_and_stay_after_the_end(start):
    reader = Reader()
    server = start(reader.read)
    with closing(call(server.port, "cam1")) as caller:
        send(caller, b"".join(map(numbered, range(240))), rate=1_000_000)
    assert reader.done.acquire(timeout=TIME_OUT)
    stats = reader.feeds[0].stats()
    assert stats.link.packets > 80
    assert 500_000 < stats.link.rate < 2_000_000
    assert (stats.link.latency, stats.link.undecryptable) == (20, 0)
    assert stats.bytes == len(reader.data[0]) == stats.messages * MESSAGE


def test_lost_packets_are_sent_again_and_a_blackout_is_survived(start):
    """3 % loss at 40 ms round trip: nothing is missing with 400 ms of latency."""
    reader = Reader()
    server = start(reader.read, "streamid=cam1&passphrase=correct%20horse&latency=400")
    with LossyPath(server.port, loss=0.03, delay=0.02) as path:
        with closing(call(path.port, "cam1")) as caller:
            send(caller, b"".join(map(numbered, range(400))), rate=1_000_000)
            time.sleep(0.6)
            whole = sum(feed.stats().messages for feed in reader.feeds)
            path.dark = True
            send(caller, b"".join(map(numbered, range(160))), rate=1_000_000)
            path.dark = False
            send(caller, b"".join(map(numbered, range(400, 600))), rate=1_000_000)
            time.sleep(1)
        time.sleep(0.1)
        assert path.lost > 20
    assert reader.done.acquire(timeout=TIME_OUT)
    assert whole >= 399
    assert len(reader.feeds) == 1
    assert all(numbered(number) in reader.data[0] for number in range(500, 600))
    assert reader.feeds[0].stats().link.lost > 20


@pytest.fixture
def listener() -> Iterator[tuple[Any, int]]:
    """Somebody else's listener with the stream id and passphrase that it wants; gives itself and its port."""
    other = load().socket()
    other.greet(lambda handle, peer, stream_id: 0 if stream_id == "cam1" else 1403)
    port = other.listen("127.0.0.1", 0, 5)
    with closing(other):
        yield other, port


def test_a_listener_is_called(listener):
    other, port = listener
    feed = open_srt_caller(f"srt://127.0.0.1:{port}?streamid=cam1&latency=20", clock=SystemClock())
    sender, _ = other.accept(TIME_OUT * 1000)
    assert feed.name == f"srt://127.0.0.1:{port}"
    for number in range(50):
        sender.send(numbered(number))
        time.sleep(0.005)
    assert feed.read(MESSAGE) == numbered(0)
    time.sleep(0.3)  # libsrt forgets what it has not sent yet when it closes
    sender.close()
    assert b"".join(iter(lambda: feed.read(32768), b"")).startswith(numbered(1)), feed.ended
    assert feed.ended == "the publisher closed the connection"
    feed.abort("read to its end")


def test_a_listener_that_says_no_is_quoted(listener):
    _, port = listener
    with pytest.raises(FeedRefused, match=r"refused the connection: 1403, not allowed$"):
        open_srt_caller(f"srt://127.0.0.1:{port}?streamid=cam2", clock=SystemClock())
    with pytest.raises(FeedRefused, match="wrong passphrase"):
        open_srt_caller(
            f"srt://127.0.0.1:{port}?streamid=cam1&passphrase=hunter2hunter2", clock=SystemClock()
        )


def test_a_listener_that_is_not_there_is_lost(listener):
    other, port = listener
    other.close()
    address = parse_srt(f"srt://127.0.0.1:{port}", "pull")
    with pytest.raises(FeedLost, match="did not answer within 300 ms"):
        open_srt_caller(address, clock=SystemClock(), connect_ms=300)
