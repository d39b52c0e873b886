"""The worker's HTTP endpoint, over real sockets."""

import json
import socket
import urllib.error
import urllib.request

import pytest

from abr.clock import SystemClock
from abr.errors import AddressInUse
from abr.metrics import Metrics
from abr.model.state import (
    ClockState,
    FeedState,
    LoadState,
    LoudnessState,
    OriginState,
    Phase,
    RecordState,
    RungState,
    SlateState,
    State,
)
from abr.status.http import Site, StatusServer
from abr.worker.stage import Threads

LIVE = State(
    "news",
    Phase.LIVE,
    event="e",
    sequence=4,
    released=5,
    edge=3.5,
    feed=FeedState("rtmp from 127.0.0.1", "h264 1280x720 25 fps", "aac", 1000, 0),
    rungs=(RungState("720p", "avc1.64001f", "1280x720", 3_000_000, 2_500_000, 5),),
    origins=(OriginState("s3://live", "idle", 0, 12, ""),),
    counters={"dropped": 2, "late": 4800},
    repairs={"jumps": 1, "duplicates": 0},
    clock=ClockState(2, -0.25, 180.0),
    load=LoadState(
        "halved", "720p", "720p takes 55 ms for 40 ms of picture", 1_788_027_300_000_000_000, 1.5, 30
    ),
    loudness=(LoudnessState("en", -22.5, -23.1, None, -3.0, 4.5, 0.0),),
    record=RecordState(("news-20260725T120000Z-1.flv",), 3, 5000, 70, ""),
    slate=SlateState(1_788_027_300_000_000_000, 12.5),
)
STOPPED = State("news", Phase.LIVE, origins=(OriginState("s3://live", "stopped", 3, 12, "no such bucket"),))


@pytest.fixture
def serve(tmp_path):
    """Serves a state over loopback; answers a function that fetches."""
    threads, servers = Threads(), []
    (tmp_path / "news").mkdir()
    (tmp_path / "news" / "1.m4s").write_bytes(b"0123456789")

    def start(state):
        metrics = Metrics()
        metrics.count("origin_errors_total", origin="s3://live")
        server = StatusServer("127.0.0.1", 0, Site("news", lambda: state, metrics, SystemClock(), tmp_path))
        server.start(threads.spawn)
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.close()


def fetch(server, path, **headers):
    request = urllib.request.Request(server.url + path, headers={"Connection": "close", **headers})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.headers, answer.read()


def test_health_is_200_while_nothing_needs_an_operator(serve):
    assert fetch(serve(LIVE), "/healthz")[::2] == (200, b"ok live\n")


def test_health_is_503_with_the_reason(serve):
    assert fetch(serve(STOPPED), "/healthz")[::2] == (503, b"s3://live: no such bucket\n")


def test_the_state_is_json_with_the_records_own_keys(serve):
    _, headers, body = fetch(serve(LIVE), "/api/state")
    state = json.loads(body)
    assert headers["Content-Type"] == "application/json"
    assert (state["phase"], state["rungs"][0]["rate"], state["healthy"]) == ("live", 2_500_000, True)


def test_metrics_are_prometheus_text(serve):
    lines = fetch(serve(LIVE), "/metrics")[2].decode().splitlines()
    assert 'abr_origin_backlog{channel="news",origin="s3://live"} 0.0' in lines
    assert 'abr_frames_dropped_total{channel="news"} 2.0' in lines
    assert 'abr_samples_late_total{channel="news"} 4800.0' in lines
    assert 'abr_feed_repairs_total{channel="news",kind="jumps"} 1.0' in lines
    assert 'abr_clock_steps_total{channel="news"} 2.0' in lines
    assert 'abr_clock_behind_seconds{channel="news"} -0.25' in lines
    assert 'abr_feed_drift_ppm{channel="news"} 180.0' in lines
    assert 'abr_audio_short_term_lufs{channel="news",rendition="en"} -23.1' in lines
    assert 'abr_audio_gain_db{channel="news",rendition="en"} 4.5' in lines
    assert not any(line.startswith("abr_audio_integrated_lufs{") for line in lines)
    assert 'abr_load{channel="news",level="halved"} 1.0' in lines
    assert 'abr_load{channel="news",level="whole"} 0.0' in lines
    assert 'abr_behind_seconds{channel="news"} 1.5' in lines
    assert 'abr_record_bytes{channel="news"} 5000.0' in lines
    assert 'abr_record_dropped_bytes_total{channel="news"} 70.0' in lines
    assert 'abr_record_stopped{channel="news"} 0.0' in lines
    assert 'abr_slate{channel="news"} 1.0' in lines
    assert 'abr_slate_seconds_total{channel="news"} 12.5' in lines
    assert 'abr_origin_errors_total{channel="news",origin="s3://live"} 1.0' in lines


def test_media_answers_ranges_and_stays_below_its_folder(serve):
    server = serve(LIVE)
    assert fetch(server, "/media/news/1.m4s", Range="bytes=2-4")[::2] == (206, b"234")
    assert fetch(server, "/media/news/1.m4s", Range="bytes=-2")[::2] == (206, b"89")
    assert fetch(server, "/media/news/1.m4s", Range="bytes=10-")[0] == 416
    assert fetch(server, "/media/news/1.m4s")[1]["Content-Type"] == "video/mp4"
    assert fetch(server, "/media/..%2f..%2fetc/passwd")[0] == 404
    assert fetch(server, "/media/news/..%2fother/1.m4s")[0] == 404


def test_media_serves_nothing_of_the_folder_but_the_channels_media(serve, tmp_path):
    """A channel file with its key may lie beside the channel, and so may other channels."""
    server = serve(LIVE)
    for key in ("council.toml", "news/council.toml", "other/1.m4s", "news/.1.m4s.tmp"):
        (tmp_path / key).parent.mkdir(exist_ok=True)
        (tmp_path / key).write_text("rtmp://0.0.0.0/live/SECRET")
        assert fetch(server, f"/media/{key}")[0] == 404


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        (b"GET /media/%00 HTTP/1.1", b"404"),
        (b"GET /media/" + b"a" * 5000 + b" HTTP/1.1", b"404"),
        (b"GET http://[x HTTP/1.1", b"400"),
        (b"GET /media/news/1.m4s HTTP/1.1\r\nRange: bytes=" + b"9" * 5000 + b"-", b"200"),
    ],
)
def test_what_no_player_asks_for_is_answered(serve, request_line, status):
    server = serve(LIVE)
    with socket.create_connection((server.host, server.port), timeout=5) as client:
        client.sendall(request_line + b"\r\nConnection: close\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 " + status


def test_a_request_that_fails_ends_nothing_but_itself():
    def broken():
        raise LookupError("no state")

    threads = Threads()
    server = StatusServer("127.0.0.1", 0, Site("news", broken, Metrics(), SystemClock()))
    server.start(threads.spawn)
    with socket.create_connection((server.host, server.port), timeout=5) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
        assert client.recv(12) == b""
    server.close()
    assert threads.join(5)
    threads.check()


def test_time_is_iso_8601_for_dash_players(serve):
    assert fetch(serve(LIVE), "/time")[2].endswith(b"Z")


def test_the_page_names_its_channel(serve):
    assert b"<h1>news</h1>" in fetch(serve(LIVE), "/")[2]


def test_a_port_in_use_is_one_sentence(serve):
    server = serve(LIVE)
    with pytest.raises(AddressInUse, match=rf"--http 127.0.0.1:{server.port}: .*choose another port"):
        StatusServer("127.0.0.1", server.port, Site("x", lambda: LIVE, Metrics(), SystemClock()))
