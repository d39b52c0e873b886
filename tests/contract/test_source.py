"""Objects from folders and servers, and what is said of headers."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from abr.errors import UsageError
from abr.verify.judge import judge
from abr.verify.source import Source, Span, base_of, resolve, short
from tests.fakes.broadcast import broadcast
from tests.fakes.clock import FakeClock

TYPES = {
    "m3u8": "application/vnd.apple.mpegurl",
    "mpd": "application/dash+xml",
    "m4s": "video/mp4",
    "mp4": "video/mp4",
}


class Server(ThreadingHTTPServer):
    """Files from memory with right headers; `extra` overrides headers by path, `moved` redirects."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.extra, self.moved = {}, {}, {}
        self.seen = []

    @property
    def base(self):
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = self.path.lstrip("/")
        self.server.seen.append((self.command, path))
        if path in self.server.moved:
            return self.answer(302, b"", {"Location": self.server.moved[path]})
        if path not in self.server.files:
            return self.answer(404, b"", {})
        age = 1 if path.endswith(("m3u8", "mpd")) else 31_536_000
        headers = {
            "Content-Type": TYPES[path.rpartition(".")[2]],
            "Cache-Control": f"max-age={age}",
            "ETag": '"1"',
        }
        body, status = self.server.files[path], 200
        if "Range" in self.headers:
            start, _, end = self.headers["Range"].removeprefix("bytes=").partition("-")
            body, status = body[int(start) : int(end) + 1], 206
        return self.answer(status, body, headers | self.server.extra.get(path, {}))

    def answer(self, status, body, headers):
        if headers.get("Content-Encoding") == "gzip":
            body = gzip.compress(body)
        self.send_response(status)
        for name, value in headers.items():
            if value is None:
                continue
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@pytest.fixture(scope="module")
def running():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def server(running):
    running.files, running.extra, running.moved = {}, {}, {}
    running.seen.clear()
    return running


def found(server, stream):
    server.files |= stream.files
    verdict = judge(server.base, clock=FakeClock(stream.now))
    return {finding.rule for finding in verdict.findings} - {"A-6.2", "A-7.5", "A-9.10"}


def test_a_stream_on_a_server_is_judged_with_its_headers(server):
    assert found(server, broadcast(live=True, count=2)) == set()


@pytest.mark.parametrize(
    ("path", "headers", "rule"),
    [
        ("manifest.mpd", {"Content-Type": "text/xml"}, "D-05"),
        ("manifest.mpd", {"ETag": None}, "D-94"),
        ("hi/index.m3u8", {"Content-Type": "text/plain"}, "A-10.4"),
        ("hi/0.m4s", {"Content-Type": "binary/octet-stream"}, "A-10.4"),
        ("hi/index.m3u8", {"Cache-Control": "max-age=600"}, "L-19"),
        ("hi/0.m4s", {"Cache-Control": ""}, "L-19"),
        ("manifest.mpd", {"Cache-Control": "public"}, "L-19"),
        ("hi/index.m3u8", {"Via": "1.1 cache"}, "A-10.1"),
        ("hi/index.m3u8", {"Last-Modified": "Thu, 01 Jan 2020 00:00:00 GMT"}, "A-8.24"),
    ],
)
def test_a_wrong_header_is_found(server, path, headers, rule):
    server.extra[path] = headers
    assert found(server, broadcast(live=True, count=2)) == {rule}


def test_gzip_is_read_and_right_behind_a_cache(server):
    server.extra["hi/index.m3u8"] = {"Via": "1.1 cache", "Content-Encoding": "gzip"}
    assert found(server, broadcast(live=True, count=2)) == set()


def test_redirected_media_is_found(server):
    stream = broadcast(live=True, count=2)
    stream.files["elsewhere.m4s"] = stream.files.pop("hi/0.m4s")
    server.moved["hi/0.m4s"] = "/elsewhere.m4s"
    assert found(server, stream) == {"A-8.18"}


@pytest.mark.parametrize(
    ("value", "rules"),
    [
        ("2026-01-01T00:00:04.840Z", set()),
        ("2026-01-01T00:01:00Z", {"D-16"}),
        ("soon", {"D-15"}),
        (None, {"D-15"}),
    ],
)
def test_the_manifest_s_clock_is_asked(server, value, rules):
    stream = broadcast(live=True, count=2)
    stream.edit("manifest.mpd", "utc:direct:2014", "utc:http-iso:2014")
    stream.edit("manifest.mpd", 'value="2026-01-01T00:00:08Z"', 'value="time.mpd"')
    if value:
        stream.files["time.mpd"] = value.encode()
    assert found(server, stream) == rules


def test_an_immutable_object_is_fetched_once(server):
    server.files["a.m4s"] = b"0123456789"
    source = Source()
    url = server.base + "a.m4s"
    assert [source.read(url, immutable=True).body for _ in range(2)] == [b"0123456789"] * 2
    assert server.seen == [("GET", "a.m4s")]
    assert source.read(url, Span(2, 3)).body == b"234"
    assert source.probe(url).ok


def test_what_is_kept_is_bounded(server):
    server.files |= {"a.m4s": b"a" * 60, "b.m4s": b"b" * 60}
    source = Source(keep=100)
    for name in ("a.m4s", "b.m4s", "a.m4s"):
        source.read(server.base + name, immutable=True)
    assert len(server.seen) == 3


def test_a_server_cannot_lead_to_files_or_other_schemes(server, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    assert not Source().read(resolve(server.base, secret.as_uri())).ok
    server.moved["a.m4s"] = secret.as_uri()
    answer = Source().read(server.base + "a.m4s")
    assert not answer.ok
    assert answer.body == b""


def test_no_answer_is_an_answer_with_a_reason():
    answer = Source(timeout=1).read("http://127.0.0.1:9/index.m3u8")
    assert (answer.status, answer.ok) == (0, False)
    assert "refused" in answer.problem
    assert not Source().read("http://[broken/").ok
    with pytest.raises(UsageError):
        judge("http://127.0.0.1:9/channel")


def test_addresses_are_made_and_shown_relative(tmp_path):
    assert base_of(str(tmp_path)).endswith("/")
    base = (tmp_path / "index.m3u8").as_uri()
    assert short(resolve(base, "hi/0.m4s"), base) == "hi/0.m4s"
    assert Source().read(resolve(base, "absent.m4s")).status == 404
