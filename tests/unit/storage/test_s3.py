"""How the S3 store asks: what goes over the wire, seen before it does. Real servers are in tests/contract."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore import exceptions as boto
from botocore.awsrequest import AWSResponse
from botocore.loaders import create_loader

from abr.config.bucket import S3Origin
from abr.config.secret import Secret
from abr.errors import SpoolError, StoreDenied, StoreError, StoreMisconfigured, StoreUnavailable
from abr.storage.s3 import S3Store

SECRET = "secret0123456789"
_LOADER = create_loader()
KEYS: dict[str, Any] = {"access_key": Secret("AKID"), "secret_key": Secret(SECRET)}
ORIGIN = S3Origin(bucket="live", prefix="tv/eu", endpoint="https://s3.example", **KEYS)


class Wire:
    """What a store sent, and what it is answered instead of a network."""

    def __init__(self, store: S3Store) -> None:
        self.sent: list[Any] = []
        self.answer: Callable[[Any], tuple[int, dict[str, str], str]] = lambda _: (200, {"ETag": '"abc"'}, "")
        store._client().meta.events.register("before-send.s3", self._send)

    def _send(self, request: Any, **_: object) -> AWSResponse:
        self.sent.append(request)
        status, headers, body = self.answer(request)
        raw = SimpleNamespace(stream=lambda **_: [body.encode()], read=lambda _: b"", close=lambda: None)
        return AWSResponse(request.url, status, headers, raw)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore reads a megabyte of JSON for each session; once is enough here."""
    monkeypatch.setattr(botocore.session, "create_loader", lambda _: _LOADER)


@pytest.fixture
def store() -> S3Store:
    return S3Store(ORIGIN)


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
    ("origin", "url"),
    [
        (
            S3Origin(bucket="live", endpoint="https://s3.example", addressing="virtual"),
            "https://live.s3.example/",
        ),
        (S3Origin(bucket="live", endpoint="https://s3.example/base"), "https://s3.example/base/live/"),
        (S3Origin(bucket="live", region="eu-west-1"), "https://live.s3.eu-west-1.amazonaws.com/"),
    ],
)
def test_addresses_of_buckets(origin: S3Origin, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    store = S3Store(origin)
    wire = Wire(store)
    store.put("1.m4s", b"x", "video/mp4", "")
    assert wire.sent[0].url == f"{url}1.m4s"


def test_at_amazon_the_checksum_is_sent() -> None:
    store = S3Store(S3Origin(bucket="live", region="eu-west-1", **KEYS))
    wire = Wire(store)
    store.put("1.m4s", b"x", "video/mp4", "")
    assert wire.sent[0].headers["X-Amz-Trailer"] == b"x-amz-checksum-crc32"


@pytest.mark.parametrize(
    ("origin", "reason"),
    [
        (S3Origin(bucket="live", endpoint="s3.example"), "endpoint="),
        (
            S3Origin(bucket="live", endpoint="https://s3.example", ca=Path("/nowhere.pem")),
            "no file /nowhere.pem",
        ),
    ],
)
def test_an_address_that_cannot_be_used_is_named(origin: S3Origin, reason: str) -> None:
    with pytest.raises(StoreMisconfigured, match=reason):
        S3Store(origin).check()


def test_no_credentials_are_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(StoreDenied, match=r"s3://live at https://s3\.example: cannot put"):
        S3Store(S3Origin(bucket="live", endpoint="https://s3.example")).check()
    with pytest.raises(StoreDenied, match="media"):
        S3Store(S3Origin(bucket="live", endpoint="https://s3.example", profile="media")).check()


def test_a_place_is_named_by_its_bucket() -> None:
    assert S3Origin(bucket="live").place == "s3://live at AWS"
    assert S3Store(ORIGIN).name == ORIGIN.name == "s3://live/tv/eu?endpoint=https://s3.example"


def test_a_session_token_is_sent() -> None:
    store = S3Store(replace(ORIGIN, session_token=Secret("token9")))
    wire = Wire(store)
    store.put("1.m4s", b"x", "video/mp4", "")
    assert wire.sent[0].headers["X-Amz-Security-Token"] == b"token9"


def test_each_put_says_how_it_is_to_be_kept() -> None:
    """ACL, class, encryption and its key go with puts alone; whoever pays, with every request."""
    store = S3Store(
        replace(
            ORIGIN,
            acl="public-read",
            storage_class="STANDARD_IA",
            sse="aws:kms",
            sse_kms_key="k-1",
            requester_pays=True,
        )
    )
    wire = Wire(store)
    wire.answer = lambda request: (
        200,
        {"ETag": '"e"', "Content-Length": "0"},
        "<R><IsTruncated>false</IsTruncated></R>" if "list-type" in request.url else "",
    )
    store.put("1.m4s", b"x", "video/mp4", "")
    store.head("1.m4s")
    store.get("1.m4s")
    list(store.list(""))
    store.delete(["a"])
    store.delete(["a", "b"])
    put, *others = [
        {name.lower(): _text(value) for name, value in request.headers.items()} for request in wire.sent
    ]
    said = {
        "x-amz-acl": "public-read",
        "x-amz-storage-class": "STANDARD_IA",
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": "k-1",
    }
    assert {name: put[name] for name in said} == said
    assert len(others) == 5
    assert not [name for headers in others for name in headers if name in said]
    assert [headers["x-amz-request-payer"] for headers in (put, *others)] == ["requester"] * 6


def test_plain_puts_say_nothing_more(store: S3Store, wire: Wire) -> None:
    store.put("1.m4s", b"x", "video/mp4", "")
    names = {name.lower() for name in wire.sent[0].headers if name.lower().startswith("x-amz-")}
    assert names == {"x-amz-content-sha256", "x-amz-date"}


def test_further_headers_go_with_every_request_and_are_signed() -> None:
    store = S3Store(replace(ORIGIN, headers=(("x-gateway-key", Secret("hunter2")),)))
    wire = Wire(store)
    wire.answer = lambda _: (200, {"ETag": '"e"', "Content-Length": "0"}, "")
    store.put("1.m4s", b"x", "video/mp4", "")
    store.head("1.m4s")
    for request in wire.sent:
        assert _text(request.headers["x-gateway-key"]) == "hunter2"
        signed = re.search(r"SignedHeaders=([^,]+)", _text(request.headers["Authorization"]))
        assert signed
        assert "x-gateway-key" in signed[1].split(";")


def test_the_older_signature_is_used_where_it_is_asked_for() -> None:
    store = S3Store(replace(ORIGIN, signature_version="s3"))
    wire = Wire(store)
    store.put("1.m4s", b"x", "video/mp4", "")
    assert _text(wire.sent[0].headers["Authorization"]).startswith("AWS AKID:")


def test_as_many_connections_are_kept_as_threads_put() -> None:
    store = S3Store(replace(ORIGIN, connections=16))
    assert store.connections == 16
    assert store._client().meta.config.max_pool_connections == 16


def closes(times: int, read: int | None = None) -> Callable[[Any], tuple[int, dict[str, str], str]]:
    """A server that closes its connections so often before it answers; `read` bytes of the body went out."""
    left = [times]

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        if not left[0]:
            return 200, {"ETag": '"e"'}, ""
        left[0] -= 1
        if read is not None:
            request.body.read(read)
        raise boto.ConnectionClosedError(endpoint_url=request.url)

    return answer


def test_a_kept_connection_that_was_closed_costs_nothing(store: S3Store, wire: Wire) -> None:
    """The second attempt is made at once; there is no third."""
    wire.answer = closes(1)
    assert store.put("ch/index.m3u8", b"x", "text/plain", "") == "e"
    assert len(wire.sent) == 2
    wire.answer = closes(2)
    with pytest.raises(StoreUnavailable) as caught:
        store.put("ch/index.m3u8", b"x", "text/plain", "")
    assert len(wire.sent) == 4
    assert caught.value.lost


def test_a_large_body_that_went_out_whole_is_not_sent_again_unseen(
    store: S3Store, wire: Wire, tmp_path: Path
) -> None:
    """It may be stored: whoever repeats the put looks first. What was cut off cannot be."""
    file = tmp_path / "1.m4s"
    file.write_bytes(bytes(100_000))
    wire.answer = closes(1, read=1000)
    assert store.put("ch/1.m4s", file, "video/mp4", "") == "e"
    wire.answer = closes(1, read=100_000)
    with pytest.raises(StoreUnavailable) as caught:
        store.put("ch/1.m4s", file, "video/mp4", "")
    assert caught.value.lost
    assert len(wire.sent) == 2 + 1


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
