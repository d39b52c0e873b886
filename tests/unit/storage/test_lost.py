"""Connections that break for no fault of the origin, over real sockets: nothing is lost, nothing sent without need."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import botocore.session
import pytest
from botocore.loaders import create_loader

from abr.config.bucket import S3Origin
from abr.config.secret import Secret
from abr.model.object import IMMUTABLE, ObjectKind, StoredObject
from abr.storage.retrying import Retrying
from abr.storage.s3 import S3Store
from tests.fakes.clock import FakeClock

_LOADER = create_loader()


class Bucket(ThreadingHTTPServer):
    """Keeps what is put. Hangs up instead of an answer where `hangs_up` says so, given how many requests the
    connection had before."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Visitor)
        self.objects: dict[str, tuple[bytes, str, str]] = {}
        self.asked: list[str] = []
        self.hangs_up = lambda method, before: False


class _Visitor(BaseHTTPRequestHandler):
    server: Bucket
    protocol_version = "HTTP/1.1"
    timeout = 5

    def setup(self) -> None:
        super().setup()
        self.before = 0

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = self.headers["Content-Type"], self.headers["Cache-Control"]
        self.server.objects[self.path] = (body, *headers)
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.server.asked.append(self.command)
        if self.server.hangs_up(self.command, self.before):
            self.close_connection = True
            return
        self.before += 1
        body, content_type, cache_control = self.server.objects[self.path]
        self.send_response(200)
        self.send_header("ETag", f'"{hashlib.md5(body).hexdigest()}"')
        self.send_header("Content-Type", content_type)
        self.send_header("Cache-Control", cache_control)
        self.send_header("Content-Length", str(len(body)) if self.command == "HEAD" else "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    with Bucket() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def origin(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Retrying, list[float]]]:
    """A bucket's store that never waits, and the pauses that it would have made."""
    monkeypatch.setattr(botocore.session, "create_loader", lambda _: _LOADER)
    place = S3Origin(
        bucket="live",
        endpoint=f"http://127.0.0.1:{bucket.server_port}",
        access_key=Secret("AKID"),
        secret_key=Secret("secret0123456789"),
    )
    pauses: list[float] = []

    def wait(seconds: float) -> bool:
        pauses.append(seconds)
        return False

    retrying = Retrying(S3Store(place), wait=wait, clock=FakeClock())
    yield retrying, pauses
    retrying.close()


def segment(number: int) -> StoredObject:
    return StoredObject(ObjectKind.SEGMENT, f"ch/v/s/{number}.m4s", "video/mp4", IMMUTABLE)


def test_a_server_that_hangs_up_on_kept_connections_is_not_away(
    bucket: Bucket, origin: tuple[Retrying, list[float]]
) -> None:
    """Each is good for one answer: the next request goes out once more, at once, and nobody is told of an outage."""
    bucket.hangs_up = lambda _, before: before > 0
    store, pauses = origin
    for number in range(4):
        store.put_object(segment(number), b"small")
    assert len(bucket.objects) == 4
    assert len(bucket.asked) == 1 + 3 * 2
    assert pauses == []


def test_a_segment_whose_answer_was_lost_is_sent_once(
    bucket: Bucket, origin: tuple[Retrying, list[float]], tmp_path: Path
) -> None:
    file = tmp_path / "1.m4s"
    file.write_bytes(bytes(range(256)) * 1000)
    bucket.hangs_up = lambda method, _: method == "PUT"
    store, pauses = origin
    etag = store.put_object(segment(1), file)
    assert etag == hashlib.md5(file.read_bytes()).hexdigest()
    assert bucket.asked == ["PUT", "HEAD"]
    assert len(pauses) == 1
