"""One contract, every store: memory, a folder, rclone, Ceph and Swift, over http and https.

rclone is quick and everywhere, but no oracle: while an object is replaced a reader may see none, and so with Swift. What
only Ceph promises among the servers is tested with Ceph alone.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.loaders import create_loader

from abr.config.bucket import S3Origin
from abr.config.secret import Secret
from abr.errors import (
    SpoolError,
    StoreDenied,
    StoreError,
    StoreMisconfigured,
    StoreMissing,
    StoreUnavailable,
)
from abr.model.object import IMMUTABLE
from abr.storage.directory import DirectoryStore
from abr.storage.memory import MemoryStore
from abr.storage.put import Put
from abr.storage.s3 import S3Store
from abr.storage.store import Store
from tests.contract import servers

# A start may take a minute; it counts to the first test that asks for the server.
pytestmark = [pytest.mark.contract, pytest.mark.timeout(servers.START + 60)]

PLAIN = ("video/mp4", IMMUTABLE)
SERVED = ["rclone-http", "rclone-https", "ceph-http", "ceph-https", "swift-http", "swift-https"]
ATOMIC = ["memory", "directory", "ceph-http"]


_LOADER = create_loader()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore reads a megabyte of JSON for each session; once is enough here."""
    monkeypatch.setattr(botocore.session, "create_loader", lambda _: _LOADER)


@pytest.fixture(scope="module")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    yield from _started(servers.rclone, tmp_path_factory.mktemp("rclone"))


@pytest.fixture(scope="module")
def ceph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    yield from _started(servers.ceph, tmp_path_factory.mktemp("ceph"))


@pytest.fixture(scope="module")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    yield from _started(servers.swift, tmp_path_factory.mktemp("swift"))


def _started(
    start: Callable[[Path], AbstractContextManager[servers.Server]], folder: Path
) -> Iterator[servers.Server]:
    starting = start(folder)
    try:
        server = starting.__enter__()
    except servers.Unavailable as reason:
        pytest.skip(str(reason))
    try:
        _make_bucket(server)
        yield server
    finally:
        starting.__exit__(None, None, None)


def _make_bucket(server: servers.Server) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=server.http,
        region_name="us-east-1",
        aws_access_key_id=server.access,
        aws_secret_access_key=servers.SECRET,
        config=Config(connect_timeout=5, read_timeout=30),
    )
    try:
        if servers.BUCKET not in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]:
            client.create_bucket(Bucket=servers.BUCKET)
    finally:
        client.close()


def _origin(request: pytest.FixtureRequest, which: str) -> S3Origin:
    name, _, scheme = which.partition("-")
    server: servers.Server = request.getfixturevalue(name)
    return S3Origin(
        bucket=servers.BUCKET,
        prefix=f"t/{uuid4().hex}",
        endpoint=server.http if scheme == "http" else server.https,
        ca=server.ca if scheme == "https" else None,
        access_key=Secret(server.access),
        secret_key=Secret(servers.SECRET),
    )


def _open(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    store: Store
    if request.param == "memory":
        store = MemoryStore()
    elif request.param == "directory":
        store = DirectoryStore(tmp_path / "origin")
    else:
        store = S3Store(_origin(request, request.param))
    store.check()
    yield store
    store.close()


@pytest.fixture(params=["memory", "directory", *SERVED])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    yield from _open(request, tmp_path)


@pytest.fixture(params=ATOMIC)
def atomic(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    yield from _open(request, tmp_path)


@pytest.fixture(params=SERVED)
def origin(request: pytest.FixtureRequest) -> S3Origin:
    return _origin(request, request.param)


@pytest.fixture(params=[name for name in SERVED if name.endswith("https")])
def sealed(request: pytest.FixtureRequest) -> S3Origin:
    return _origin(request, request.param)


@pytest.fixture(params=["ceph-http", "swift-http"])
def old(request: pytest.FixtureRequest) -> S3Origin:
    """A server that knows the older signature too."""
    return replace(_origin(request, request.param), signature_version="s3")


def keys(store: Store, prefix: str = "") -> list[str]:
    return [found.key for found in store.list(prefix)]


def test_what_is_put_is_held(store: Store) -> None:
    """get and head tell bytes, size and the ETag that put told."""
    etag = store.put("ch/v/s/1.m4s", b"first segment", *PLAIN)
    got, head = store.get("ch/v/s/1.m4s"), store.head("ch/v/s/1.m4s")
    assert (got.body, got.size, got.etag) == (b"first segment", 13, etag)
    assert (head.body, head.size, head.etag) == (b"", 13, etag)
    assert etag
    assert '"' not in etag


def test_headers_are_kept(store: Store) -> None:
    """Type and Cache-Control come back; a folder knows the type by the ending and keeps no Cache-Control."""
    store.put("ch/index.m3u8", b"#EXTM3U", "application/vnd.apple.mpegurl", "public, max-age=1")
    for held in (store.get("ch/index.m3u8"), store.head("ch/index.m3u8")):
        assert held.content_type == "application/vnd.apple.mpegurl"
        assert held.cache_control == ("" if isinstance(store, DirectoryStore) else "public, max-age=1")


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
def test_a_file_is_put_as_its_bytes_are(store: Store, tmp_path: Path, size: int) -> None:
    file = tmp_path / "1.m4s"
    file.write_bytes(bytes(range(256)) * (size // 256) + bytes(size % 256))
    store.put("ch/v/s/1.m4s", file, *PLAIN)
    assert store.get("ch/v/s/1.m4s").body == file.read_bytes()


def test_a_put_replaces(store: Store) -> None:
    before = store.put("ch/index.m3u8", b"old", *PLAIN)
    after = store.put("ch/index.m3u8", b"new and longer", *PLAIN)
    assert store.get("ch/index.m3u8").body == b"new and longer"
    assert store.head("ch/index.m3u8").etag == after != before


def test_a_put_may_be_repeated(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "1.m4s"
    file.write_bytes(b"segment")
    first = store.put("ch/v/s/1.m4s", file, *PLAIN)
    assert store.put("ch/v/s/1.m4s", file, *PLAIN) == first
    assert keys(store) == ["ch/v/s/1.m4s"]


def test_a_put_that_failed_leaves_what_was_there(store: Store, tmp_path: Path) -> None:
    before = store.put("ch/v/s/1.m4s", b"segment", *PLAIN)
    for key in ("ch/v/s/1.m4s", "ch/v/s/2.m4s"):
        with pytest.raises(SpoolError):
            store.put(key, tmp_path / "never.m4s", *PLAIN)
    assert store.get("ch/v/s/1.m4s").etag == before
    assert keys(store) == ["ch/v/s/1.m4s"]


@pytest.mark.parametrize("size", [9, 300_000])
def test_a_put_whose_answer_was_lost_ends_with_the_object_there(
    store: Store, tmp_path: Path, size: int
) -> None:
    """Where the ETag is an MD5, as with all but a folder, nothing is sent again."""
    file = tmp_path / "1.m4s"
    file.write_bytes(bytes(size))
    puts = []

    class Deaf:
        """The store, whose first answer nobody hears."""

        head = store.head

        def put(self, *args: Any) -> str:
            puts.append(store.put(*args))
            if len(puts) == 1:
                raise StoreUnavailable("no answer", lost=True)
            return puts[-1]

    put = Put(cast("Store", Deaf()), "ch/v/s/1.m4s", file, *PLAIN)
    with pytest.raises(StoreUnavailable):
        put()
    assert put() == store.head("ch/v/s/1.m4s").etag
    assert len(puts) == (2 if isinstance(store, DirectoryStore) else 1)


def test_a_missing_object_is_missing(store: Store) -> None:
    """Also where a key above or below it exists."""
    store.put("ch/v/1.m4s", b"1", *PLAIN)
    for key in ("nothing", "ch/v/2.m4s", "ch/v", "ch/v/1.m4s/x"):
        with pytest.raises(StoreMissing):
            store.get(key)
        with pytest.raises(StoreMissing):
            store.head(key)


def test_a_listing_is_by_key(store: Store) -> None:
    """In the order of bytes, `a-b` before `a/b`, with sizes and ETags, and only what begins with the prefix."""
    names = ["a-b/1.m4s", "a.b/1.m4s", "a/10.m4s", "a/2.m4s", "a/b/1.m4s", "ab/1.m4s", "b.m3u8"]
    etags = {name: store.put(name, name.encode(), *PLAIN) for name in reversed(names)}
    assert [(found.key, found.size, found.etag) for found in store.list("")] == [
        (name, len(name), etags[name]) for name in names
    ]
    assert keys(store, "a/") == ["a/10.m4s", "a/2.m4s", "a/b/1.m4s"]
    assert keys(store, "a/1") == ["a/10.m4s"]
    assert keys(store, "a") == names[:-1]
    assert keys(store, "c/") == []


def test_a_deletion_takes_that_key_alone(store: Store) -> None:
    for name in ("a/1.m4s", "a/10.m4s", "ab.m4s"):
        store.put(name, b"x", *PLAIN)
    store.delete(["a/1.m4s"])
    assert keys(store) == ["a/10.m4s", "ab.m4s"]


def test_many_are_deleted_at_once_and_twice(store: Store) -> None:
    names = [f"ch/v/s/{number}.m4s" for number in range(30)]
    for name in names:
        store.put(name, b"x", *PLAIN)
    store.delete([*names[:29], "ch/v/s/never.m4s"])
    assert keys(store) == ["ch/v/s/29.m4s"]
    store.delete(names)
    store.delete(names[:1])
    store.delete([])
    assert keys(store) == []


def test_a_key_can_come_back(store: Store) -> None:
    store.put("ch/v/1.m4s", b"old", *PLAIN)
    store.delete(["ch/v/1.m4s"])
    store.put("ch/v/1.m4s", b"new", *PLAIN)
    assert store.get("ch/v/1.m4s").body == b"new"


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a/../b", ".a", "a b", "ä", "a\n"])
def test_a_key_that_leads_elsewhere_is_refused(store: Store, key: str) -> None:
    with pytest.raises(StoreError, match="is not a key"):
        store.put(key, b"x", *PLAIN)
    assert keys(store) == []


def test_check_leaves_nothing(store: Store) -> None:
    store.check()
    assert keys(store) == []


def test_threads_may_put_and_delete_at_once(store: Store) -> None:
    """Also while folders come and go under them."""

    def work(thread: int) -> None:
        for number in range(8):
            store.put(f"ch/{number}/{thread}.m4s", bytes([thread]) * 1000, *PLAIN)
            if thread % 2:
                store.delete([f"ch/{number}/{thread}.m4s"])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert keys(store) == [f"ch/{number}/{thread}.m4s" for number in range(8) for thread in (0, 2, 4)]


def test_close_may_be_called_twice(store: Store) -> None:
    store.close()
    store.close()


def test_a_reader_sees_old_or_new_but_never_a_part(atomic: Store) -> None:
    """An object that is replaced all the time is always whole and always there."""
    bodies = [bytes([value]) * 200_000 for value in (1, 2)]
    atomic.put("ch/index.m3u8", bodies[0], *PLAIN)
    done = threading.Event()

    def write() -> None:
        for turn in range(40):
            atomic.put("ch/index.m3u8", bodies[turn % 2], *PLAIN)
        done.set()

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        reads = 0
        while not done.is_set() and not writing.done():
            assert atomic.get("ch/index.m3u8").body in bodies
            reads += 1
        writing.result()
    assert reads


def test_a_listing_of_more_than_a_page(atomic: Store) -> None:
    """S3 lists and deletes 1000 keys a request."""
    names = [f"ch/v/{number:04}.m4s" for number in range(1003)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: atomic.put(name, b"", *PLAIN), names))
    assert keys(atomic) == names
    atomic.delete(names)
    assert keys(atomic) == []


def test_all_that_an_origin_can_say_with_its_requests_is_taken(origin: S3Origin) -> None:
    said = replace(
        origin,
        acl="private",
        storage_class="STANDARD",
        requester_pays=True,
        headers=(("x-abr-note", Secret("told")),),
        connections=1,
    )
    _come_and_go(S3Store(said))


def test_the_older_signature_is_taken(old: S3Origin) -> None:
    _come_and_go(S3Store(old))


def _come_and_go(store: S3Store) -> None:
    names = ["ch/1.m4s", "ch/2.m4s", "ch/3.m4s"]
    etags = [store.put(name, name.encode(), *PLAIN) for name in names]
    assert [store.head(name).etag for name in names] == etags
    assert store.get(names[0]).body == names[0].encode()
    assert keys(store) == names
    store.delete(names[:2])
    store.delete(names[2:])
    assert keys(store) == []
    store.close()


def test_many_are_deleted_with_one_request(origin: S3Origin) -> None:
    """Every server that was tried knows how, once it gets Content-MD5."""
    store = S3Store(origin)
    for key in ("ch/1.m4s", "ch/2.m4s"):
        store.put(key, b"segment", *PLAIN)
    store.delete(["ch/1.m4s", "ch/2.m4s"])
    assert store._batches
    assert keys(store) == []


def test_a_wrong_secret_is_denied(origin: S3Origin) -> None:
    store = S3Store(replace(origin, secret_key=Secret("wrong0wrong0wrong0wrong0wrong0wrong0wron")))
    with pytest.raises(StoreDenied) as caught:
        store.check()
    assert servers.BUCKET in str(caught.value)
    assert str(origin.endpoint) in str(caught.value)
    assert "wrong0" not in str(caught.value)


def test_a_bucket_that_is_not_there_is_a_mistake_in_the_settings(origin: S3Origin) -> None:
    store = S3Store(replace(origin, bucket="abr-no-such-bucket"))
    with pytest.raises(StoreMisconfigured, match="abr-no-such-bucket"):
        store.check()


def test_a_certificate_of_nobody_is_a_mistake_in_the_settings(sealed: S3Origin, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_text(_OTHER)
    with pytest.raises(StoreMisconfigured, match="ca="):
        S3Store(replace(sealed, ca=other)).check()


def test_nobody_at_the_port_may_come_back(origin: S3Origin) -> None:
    store = S3Store(replace(origin, endpoint="http://127.0.0.1:9", ca=None))
    with pytest.raises(StoreUnavailable):
        store.check()


# An authority that signed neither server: made for this test, its key was thrown away.
_OTHER = """-----BEGIN CERTIFICATE-----
MIIBeTCCAR+gAwIBAgIUW4xevvlFmLkti4of5eZM8Nx6rJ0wCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGbm9ib2R5MCAXDTI2MTEyMTE1MzAyOVoYDzIxMjYxMDI4MTUz
MDI5WjARMQ8wDQYDVQQDDAZub2JvZHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AAQGxwuMk2b4AwLllIEjIlO7gRQ4jV9Vjyy6imEAgFhjvT8Fkyu+uy08eHT5Dz/4
t5ea6DmkOu8cxhJjCRveHWFho1MwUTAdBgNVHQ4EFgQUE8VE2rtUpbV0b5FIFOLy
CjhF5jIwHwYDVR0jBBgwFoAUE8VE2rtUpbV0b5FIFOLyCjhF5jIwDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEAp3WYi8wgf/QMK9/1rJywU8/SBqe4
U6/iiw4bVdKs7hQCIBg9lBICTNJGc1bhCDvjZsMmkwpKW6owz5J2HHOoyw/R
-----END CERTIFICATE-----
"""
