"""How the S3 store asks: what goes over the wire, seen before it does. Real servers are in tests/contract."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.loaders import create_loader

from abr.errors import SpoolError, StoreDenied, StoreError, StoreMisconfigured
from abr.storage.s3 import S3Place, S3Store

SECRET = "secret0123456789"
_LOADER = create_loader()
PLACE = S3Place(
    bucket="live", prefix="tv/eu", endpoint="https://s3.example", access_key="AKID", secret_key=SECRET
)


class Wire:
    """What a store sent, and what it is answered instead of a network."""

    def __init__(self, store: S3Store) -> None:
        self.sent: list[Any] = []
        self.answer: Callable[[Any], tuple[int, dict[str, str], str]] = lambda _: (200, {"ETag": '"abc"'}, "")
        store._client().meta.events.register("before-send.s3", self._send)

    def _send(self, request: Any, **_: object) -> AWSResponse:
        self.sent.append(request)
        status, headers, body = self.answer(request)
        raw = SimpleNamespace(stream=lambda **_: [body.encode()])
        return AWSResponse(request.url, status, headers, raw)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore reads a megabyte of JSON for each session; once is enough here."""
    monkeypatch.setattr(botocore.session, "create_loader", lambda _: _LOADER)


@pytest.fixture
def store() -> S3Store:
    return S3Store(PLACE)


@pytest.fixture
def wire(store: S3Store) -> Wire:
    return Wire(store)


def error(status: int, code: str) -> tuple[int, dict[str, str], str]:
    return status, {}, f"<Error><Code>{code}</Code><Message>no</Message></Error>"


def test_a_put_is_one_request_with_its_length_and_no_question(
    store: S3Store, wire: Wire, tmp_path: Path
) -> None:
    """No Expect: 100-continue, no aws-chunked body, no checksum that S3 does not require; also over TLS, also of a file."""
    file = tmp_path / "1.m4s"
    file.write_bytes(b"segment")
    for body in (b"segment", file):
        assert store.put("ch/v/1.m4s", body, "video/mp4", "public, max-age=1") == "abc"
    for request in wire.sent:
        headers = {name.lower(): value for name, value in request.headers.items()}
        assert request.url == "https://s3.example/live/tv/eu/ch/v/1.m4s"
        assert headers["content-type"] == b"video/mp4"
        assert headers["cache-control"] == b"public, max-age=1"
        assert headers["content-length"] == "7"
        assert not {"expect", "transfer-encoding", "content-encoding", "x-amz-trailer"} & set(headers)
        assert not [name for name in headers if name.startswith(("x-amz-checksum", "x-amz-sdk-checksum"))]


def test_a_failed_call_is_not_repeated_by_botocore(store: S3Store, wire: Wire) -> None:
    wire.answer = lambda _: error(503, "SlowDown")
    with pytest.raises(StoreError) as caught:
        store.put("ch/1.m4s", b"x", "video/mp4", "")
    assert caught.value.retry
    assert len(wire.sent) == 1


def test_an_etag_has_no_quotes_and_is_not_weak(store: S3Store, wire: Wire) -> None:
    wire.answer = lambda _: (200, {"ETag": 'W/"abc-2"'}, "")
    assert store.put("ch/1.m4s", b"x", "video/mp4", "") == "abc-2"


def test_a_batch_carries_its_md5(store: S3Store, wire: Wire) -> None:
    """OpenStack Swift refuses DeleteObjects without Content-MD5."""
    wire.answer = lambda _: (200, {}, "<DeleteResult/>")
    store.delete(["a", "b"])
    assert len(wire.sent) == 1
    assert wire.sent[0].headers["Content-MD5"]
    assert b"<Key>tv/eu/a</Key>" in wire.sent[0].body


def test_a_server_without_batches_is_asked_once_and_then_one_by_one(store: S3Store, wire: Wire) -> None:
    wire.answer = lambda request: error(501, "NotImplemented") if request.method == "POST" else (204, {}, "")
    store.delete(["a", "b"])
    store.delete(["c", "d"])
    assert [request.method for request in wire.sent] == ["POST", *["DELETE"] * 4]


def test_a_batch_that_is_forbidden_is_not_tried_one_by_one(store: S3Store, wire: Wire) -> None:
    wire.answer = lambda _: error(403, "AccessDenied")
    with pytest.raises(StoreDenied, match=r"s3://live at https://s3\.example: cannot delete 2 objects"):
        store.delete(["a", "b"])
    assert len(wire.sent) == 1


def test_an_origin_that_forbids_only_deleting_can_be_used(store: S3Store, wire: Wire) -> None:
    wire.answer = lambda request: error(403, "AccessDenied") if request.method == "DELETE" else (200, {}, "")
    store.check()
    wire.answer = lambda _: error(403, "AccessDenied")
    with pytest.raises(StoreDenied):
        store.check()


def test_a_listing_goes_through_all_pages_and_hides_the_prefix(store: S3Store, wire: Wire) -> None:
    def page(request: Any) -> tuple[int, dict[str, str], str]:
        entry = "<Contents><Key>tv/eu/{}</Key><Size>3</Size><ETag>&quot;e&quot;</ETag></Contents>"
        if "continuation-token=t1" in request.url:
            return 200, {}, f"<R><IsTruncated>false</IsTruncated>{entry.format('b')}</R>"
        more = "<IsTruncated>true</IsTruncated><NextContinuationToken>t1</NextContinuationToken>"
        return 200, {}, f"<R>{more}{entry.format('a')}{entry.format('folder/')}</R>"

    wire.answer = page
    assert [found.key for found in store.list("")] == ["a", "b"]
    assert [found.etag for found in store.list("")] == ["e", "e"]
    assert "prefix=tv%2Feu%2F&" in wire.sent[0].url


def test_a_file_that_vanished_is_not_the_stores_fault(store: S3Store, tmp_path: Path) -> None:
    with pytest.raises(SpoolError, match=r"gone\.m4s"):
        store.put("ch/1.m4s", tmp_path / "gone.m4s", "video/mp4", "")


@pytest.mark.parametrize(
    ("place", "url"),
    [
        (
            S3Place(bucket="live", endpoint="https://s3.example", addressing="virtual"),
            "https://live.s3.example/",
        ),
        (S3Place(bucket="live", endpoint="https://s3.example/base"), "https://s3.example/base/live/"),
        (S3Place(bucket="live", region="eu-west-1"), "https://live.s3.eu-west-1.amazonaws.com/"),
    ],
)
def test_addresses_of_buckets(place: S3Place, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    store = S3Store(place)
    wire = Wire(store)
    store.put("1.m4s", b"x", "video/mp4", "")
    assert wire.sent[0].url == f"{url}1.m4s"


def test_at_amazon_the_checksum_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    store = S3Store(S3Place(bucket="live", region="eu-west-1", access_key="AKID", secret_key=SECRET))
    wire = Wire(store)
    store.put("1.m4s", b"x", "video/mp4", "")
    assert wire.sent[0].headers["X-Amz-Trailer"] == b"x-amz-checksum-crc32"


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (S3Place(bucket="live", endpoint="s3.example"), "endpoint="),
        (
            S3Place(bucket="live", endpoint="https://s3.example", ca=Path("/nowhere.pem")),
            "no file /nowhere.pem",
        ),
    ],
)
def test_an_address_that_cannot_be_used_is_named(place: S3Place, reason: str) -> None:
    with pytest.raises(StoreMisconfigured, match=reason):
        S3Store(place).check()


def test_no_credentials_are_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(StoreDenied, match=r"s3://live at https://s3\.example: cannot put"):
        S3Store(S3Place(bucket="live", endpoint="https://s3.example")).check()
    with pytest.raises(StoreDenied, match="media"):
        S3Store(S3Place(bucket="live", endpoint="https://s3.example", profile="media")).check()


def test_a_place_tells_no_secret() -> None:
    place = S3Place(bucket="live", access_key="AKID", secret_key=SECRET, session_token="token9")
    assert str(place) == "s3://live at AWS"
    assert SECRET not in repr(place)
    assert "token9" not in repr(place)
    assert S3Store(PLACE).name == "s3://live/tv/eu"


def test_a_session_token_is_sent() -> None:
    store = S3Store(
        S3Place(
            bucket="b-1",
            endpoint="https://s3.example",
            access_key="A",
            secret_key=SECRET,
            session_token="token9",
        )
    )
    wire = Wire(store)
    store.put("1.m4s", b"x", "video/mp4", "")
    assert wire.sent[0].headers["X-Amz-Security-Token"] == b"token9"
