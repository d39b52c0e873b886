"""A store that is a bucket: AWS, Ceph and whatever else speaks S3."""

import base64
import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from abr.config.bucket import S3Origin
from abr.config.secret import Secret
from abr.errors import SpoolError, StoreDenied, StoreMisconfigured, StoreMissing
from abr.log import Logger
from abr.storage.key import check_key
from abr.storage.store import Found, Held

if TYPE_CHECKING:
    from botocore.config import Config
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

_BATCH = 1000
"""Keys in one DeleteObjects (the S3 API's limit)."""

_SMALL = 65536
"""Bytes of a body that costs no more to send again than to ask whether it is there."""

_PROBE = "abr-check.txt"
_log = Logger("storage")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait for a server, seconds."""

    connect: int = 5
    read: int = 30
    """Without a byte of the answer; longer than the slowest put's tail in the socket buffers."""


class S3Store:
    """Objects in a bucket. One client for all threads, made with the first call: boto3 is slow to import.

    botocore does not retry (`storage.retrying` does that), but for a kept connection that turns out to be closed.
    It does not wait for `100 Continue`, which costs a round trip a put, and a second where a proxy swallows it. At
    an endpoint that is not AWS it sends and checks only the checksums that S3 requires: its default over TLS is
    refused by every other server tried.
    """

    def __init__(self, origin: S3Origin, limits: Limits | None = None) -> None:
        self.name = origin.name
        self.connections = origin.connections
        """Puts at once that leave no connection to be opened anew."""
        self._origin = origin
        self._limits = limits or Limits()
        self._lead = f"{origin.prefix}/" if origin.prefix else ""
        self._payer: dict[str, Any] = {"RequestPayer": "requester"} if origin.requester_pays else {}
        self._words = {**_words(origin), **self._payer}
        self._made: S3Client | None = None
        self._making = threading.Lock()
        self._batches = True

    def put(self, key: str, body: bytes | Path, content_type: str, cache_control: str) -> str:
        """Store an object; answer its ETag."""

        def send(content: Any) -> str:
            answer = self._client().put_object(
                Bucket=self._origin.bucket,
                Key=self._full(key),
                Body=content,
                ContentType=content_type,
                CacheControl=cache_control,
                **self._words,
            )
            return _bare(answer.get("ETag"))

        if not isinstance(body, Path):
            return self._told(f"put {key}", lambda: send(body))
        try:
            with body.open("rb") as file:
                return self._told(f"put {key}", lambda: send(file))
        except OSError as error:
            raise SpoolError(f"{body}: the file to be put cannot be read: {error.strerror}") from error

    def get(self, key: str) -> Held:
        """The object with its body. Raises StoreMissing."""

        def read() -> Held:
            answer = self._client().get_object(**self._object(key))
            with closing(answer["Body"]) as stream:
                body = stream.read()
            return _held(key, answer, body)

        return self._told(f"get {key}", read)

    def head(self, key: str) -> Held:
        """The object without its body. Raises StoreMissing."""

        def ask() -> Held:
            return _held(key, self._client().head_object(**self._object(key)))

        return self._told(f"look at {key}", ask)

    def list(self, prefix: str) -> Iterator[Found]:
        """All objects whose key begins with `prefix`, by key, a page at a time. A folder's marker is no object."""
        token = ""
        while True:
            answer = self._told(f"list {prefix or 'it'}", lambda token=token: self._page(prefix, token))  # type: ignore[misc]
            for item in answer.get("Contents", ()):
                key = item["Key"].removeprefix(self._lead)
                if not key.endswith("/"):
                    yield Found(key, item["Size"], _bare(item.get("ETag")))
            token = answer.get("NextContinuationToken", "")
            if not answer.get("IsTruncated") or not token:
                return

    def delete(self, keys: Sequence[str]) -> None:
        """Remove objects, 1000 a request; one by one at a server that cannot do that."""
        full = [self._full(key) for key in keys]
        for begin in range(0, len(full), _BATCH):
            batch = full[begin : begin + _BATCH]
            if len(batch) == 1 or not self._batches or not self._delete_batch(batch):
                for key in batch:
                    self._delete_one(key)

    def check(self) -> None:
        """Put a small object and delete it: what a worker needs, and no right that it does not."""
        self.put(_PROBE, b"abr was here\n", "text/plain", "no-store")
        try:
            self.delete([_PROBE])
        except StoreDenied as error:
            _log.warning("origin lets nobody delete: old objects stay", origin=self.name, error=error)

    def close(self) -> None:
        """Give back connections. May be called twice; a later call opens new ones."""
        with self._making:
            client, self._made = self._made, None
        if client is not None:
            client.close()

    def _page(self, prefix: str, token: str) -> Any:
        more: Any = {"ContinuationToken": token, **self._payer} if token else self._payer
        return self._client().list_objects_v2(Bucket=self._origin.bucket, Prefix=self._lead + prefix, **more)

    def _delete_one(self, full: str) -> None:
        with suppress(StoreMissing):  # Swift says 404
            self._told(
                f"delete {full}",
                lambda: self._client().delete_object(Bucket=self._origin.bucket, Key=full, **self._payer),
            )

    def _delete_batch(self, batch: Sequence[str]) -> bool:
        """Delete many; False, and never tried again, where the server does not know how."""
        from abr.storage import answer  # noqa: PLC0415 - it imports botocore

        wanted: Any = {"Objects": [{"Key": key} for key in batch], "Quiet": True}
        try:
            result = self._client().delete_objects(Bucket=self._origin.bucket, Delete=wanted, **self._payer)
        except answer.ERRORS as error:
            if answer.is_refused_batch(error):
                self._batches = False
                return False
            doing = f"delete {len(batch)} objects"
            raise answer.store_error(error, place=self._origin.place, doing=doing) from error
        answer.check_deleted(result, self._origin.place)
        return True

    def _object(self, key: str) -> Any:
        return {"Bucket": self._origin.bucket, "Key": self._full(key), **self._payer}

    def _full(self, key: str) -> str:
        check_key(self.name, key)
        return self._lead + key

    def _client(self) -> "S3Client":
        with self._making:
            if self._made is None:
                self._made = _connect(self._origin, self._limits)
            return self._made

    def _told(self, doing: str, call: Callable[[], T]) -> T:
        """The call's answer; botocore's errors become ours."""
        from abr.storage import answer  # noqa: PLC0415 - it imports botocore

        try:
            return call()
        except answer.ERRORS as error:
            raise answer.store_error(error, place=self._origin.place, doing=doing) from error


def _connect(origin: S3Origin, limits: Limits) -> "S3Client":
    import boto3  # noqa: PLC0415 - a third of a second

    if origin.ca is not None and not origin.ca.is_file():
        raise StoreMisconfigured(f"{origin.place}: there is no file {origin.ca}", hint="ca= names a PEM file")
    session = boto3.session.Session(
        profile_name=origin.profile,
        aws_access_key_id=_plain(origin.access_key),
        aws_secret_access_key=_plain(origin.secret_key),
        aws_session_token=_plain(origin.session_token),
        region_name=origin.region,
    )
    region = session.region_name or ("us-east-1" if origin.endpoint else None)
    try:
        client = session.client(
            "s3",
            region_name=region,
            endpoint_url=origin.endpoint,
            verify=str(origin.ca) if origin.ca else None,
            config=_settings(origin, limits),
        )
    except ValueError as error:
        raise StoreMisconfigured(
            f"{origin.place}: {error}", hint="endpoint= is https://host[:port]"
        ) from error
    _listen_in(client, origin)
    return client


def _settings(origin: S3Origin, limits: Limits) -> "Config":
    from botocore.config import Config  # noqa: PLC0415

    checksums: Literal["when_required", "when_supported"] = (
        "when_required" if origin.endpoint else "when_supported"
    )
    addressing: Any = _addressing(origin)
    return Config(
        signature_version=origin.signature_version,
        s3={"addressing_style": addressing},
        retries={"total_max_attempts": 1},
        connect_timeout=limits.connect,
        read_timeout=limits.read,
        max_pool_connections=origin.connections,
        request_checksum_calculation=checksums,
        response_checksum_validation=checksums,
        tcp_keepalive=True,
    )


def _addressing(origin: S3Origin) -> str:
    return "path" if origin.addressing == "auto" and origin.endpoint else origin.addressing


def _listen_in(client: "S3Client", origin: S3Origin) -> None:
    """Change what botocore does between a call and its answer."""
    events: Any = client.meta.events  # the stubs do not know that a handler may answer
    events.register("request-created.s3.PutObject", _expect_nothing)
    events.register("needs-retry.s3", _once_more)
    if origin.endpoint:
        events.register("before-call.s3.DeleteObjects", _sign_batch)
    if origin.signature_version == "s3" and _addressing(origin) == "path":
        events.register("before-sign.s3", _sign_path)
    headers = {name: value.reveal() for name, value in origin.headers}
    if headers:
        events.register("before-call.s3", lambda params, **_: params["headers"].update(headers))


def _words(origin: S3Origin) -> dict[str, Any]:
    """What each put says besides the object and its two headers."""
    words = {
        "ACL": origin.acl,
        "StorageClass": origin.storage_class,
        "ServerSideEncryption": origin.sse,
        "SSEKMSKeyId": origin.sse_kms_key,
    }
    return {name: value for name, value in words.items() if value is not None}


def _plain(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()


def _expect_nothing(request: Any, **_: object) -> None:
    if "Expect" in request.headers:
        del request.headers["Expect"]


def _sign_path(request: Any, **_: object) -> None:
    """The older signature holds the path as it is sent; botocore would sign `/bucket/` and send `/bucket`."""
    request.auth_path = None


def _once_more(
    attempts: int, caught_exception: Exception | None, request_dict: dict[str, Any], **_: object
) -> int | None:
    """Seconds to the second attempt, none to a third: a kept connection may be closed just when it is used.

    A large body that was sent whole may have been stored: whoever repeats that put looks first.
    """
    from abr.storage import answer  # noqa: PLC0415 - it imports botocore

    stale = attempts == 1 and answer.is_closed(caught_exception)
    return 0 if stale and not _was_sent(request_dict.get("body")) else None


def _was_sent(body: Any) -> bool:
    """Whether a body that is too large to be sent twice without need has left us whole."""
    if not hasattr(body, "seek"):
        return False
    sent = body.tell()
    size: int = body.seek(0, os.SEEK_END)  # the second attempt goes back to the beginning
    return size > _SMALL and sent == size


def _sign_batch(params: dict[str, Any], **_: object) -> None:
    """Add Content-MD5: OpenStack Swift demands it of DeleteObjects, botocore has stopped to send it."""
    body = params["body"]
    data = body if isinstance(body, bytes) else str(body).encode()
    digest = hashlib.md5(data, usedforsecurity=False).digest()
    params["headers"]["Content-MD5"] = base64.b64encode(digest).decode()


def _held(key: str, answer: Any, body: bytes = b"") -> Held:
    return Held(
        key=key,
        size=int(answer["ContentLength"]),
        etag=_bare(answer.get("ETag")),
        content_type=answer.get("ContentType", ""),
        cache_control=answer.get("CacheControl", ""),
        body=body,
    )


def _bare(etag: str | None) -> str:
    """An ETag without quotes and without the mark of a weak one."""
    return (etag or "").removeprefix("W/").strip('"')
