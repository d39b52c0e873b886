"""A store that is a bucket: AWS, Ceph and whatever else speaks S3."""

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

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

_PROBE = "abr-check.txt"
_log = Logger("storage")


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Place:
    """Where a bucket is and how to speak to it. Without keys or profile the usual AWS chain finds credentials."""

    bucket: str
    prefix: str = ""
    """Stands before every key, with a slash between."""
    endpoint: str | None = None
    """None is AWS."""
    region: str | None = None
    addressing: str = "auto"
    """"path" (host/bucket/key), "virtual" (bucket.host/key), or "auto": path at an own endpoint."""
    ca: Path | None = None
    """Certificates of the authority that signed the endpoint's."""
    profile: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    session_token: str | None = None
    connections: int = 8
    """Kept open; at least the number of threads that put."""
    connect_timeout: int = 5
    """Seconds."""
    read_timeout: int = 30
    """Seconds without a byte of the answer; longer than the slowest put's tail in the socket buffers."""

    def __repr__(self) -> str:
        return f"S3Place({self})"

    def __str__(self) -> str:
        return f"s3://{self.bucket} at {self.endpoint or 'AWS'}"


class S3Store:
    """Objects in a bucket. One client for all threads, made with the first call: boto3 is slow to import.

    botocore neither retries (one attempt; `storage.retrying` does that) nor waits for `100 Continue`, which
    costs a round trip a put, and a second where a proxy swallows it. At an endpoint that is not AWS it sends and
    checks only the checksums that S3 requires: its default over TLS is refused by every other server tried.
    """

    def __init__(self, place: S3Place, *, name: str = "") -> None:
        self.name = name or "/".join(part for part in (f"s3://{place.bucket}", place.prefix) if part)
        self._place = place
        self._lead = f"{place.prefix.strip('/')}/" if place.prefix.strip("/") else ""
        self._made: S3Client | None = None
        self._making = threading.Lock()
        self._batches = True

    def put(self, key: str, body: bytes | Path, content_type: str, cache_control: str) -> str:
        """Store an object; answer its ETag."""

        def send(content: Any) -> str:
            answer = self._client().put_object(
                Bucket=self._place.bucket,
                Key=self._full(key),
                Body=content,
                ContentType=content_type,
                CacheControl=cache_control,
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
            answer = self._client().get_object(Bucket=self._place.bucket, Key=self._full(key))
            with closing(answer["Body"]) as stream:
                body = stream.read()
            return _held(key, answer, body)

        return self._told(f"get {key}", read)

    def head(self, key: str) -> Held:
        """The object without its body. Raises StoreMissing."""

        def ask() -> Held:
            return _held(key, self._client().head_object(Bucket=self._place.bucket, Key=self._full(key)))

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
        more: Any = {"ContinuationToken": token} if token else {}
        return self._client().list_objects_v2(Bucket=self._place.bucket, Prefix=self._lead + prefix, **more)

    def _delete_one(self, full: str) -> None:
        with suppress(StoreMissing):  # Swift says 404
            self._told(
                f"delete {full}", lambda: self._client().delete_object(Bucket=self._place.bucket, Key=full)
            )

    def _delete_batch(self, batch: Sequence[str]) -> bool:
        """Delete many; False, and never tried again, where the server does not know how."""
        from abr.storage import answer  # noqa: PLC0415 - it imports botocore

        wanted: Any = {"Objects": [{"Key": key} for key in batch], "Quiet": True}
        try:
            result = self._client().delete_objects(Bucket=self._place.bucket, Delete=wanted)
        except answer.ERRORS as error:
            if answer.is_refused_batch(error):
                self._batches = False
                return False
            doing = f"delete {len(batch)} objects"
            raise answer.store_error(error, place=str(self._place), doing=doing) from error
        answer.check_deleted(result, str(self._place))
        return True

    def _full(self, key: str) -> str:
        check_key(self.name, key)
        return self._lead + key

    def _client(self) -> "S3Client":
        with self._making:
            if self._made is None:
                self._made = _connect(self._place)
            return self._made

    def _told(self, doing: str, call: Callable[[], T]) -> T:
        """The call's answer; botocore's errors become ours."""
        from abr.storage import answer  # noqa: PLC0415 - it imports botocore

        try:
            return call()
        except answer.ERRORS as error:
            raise answer.store_error(error, place=str(self._place), doing=doing) from error


def _connect(place: S3Place) -> "S3Client":
    import boto3  # noqa: PLC0415 - a third of a second

    if place.ca is not None and not place.ca.is_file():
        raise StoreMisconfigured(f"{place}: there is no file {place.ca}", hint="ca= names a PEM file")
    session = boto3.session.Session(
        profile_name=place.profile,
        aws_access_key_id=place.access_key,
        aws_secret_access_key=place.secret_key,
        aws_session_token=place.session_token,
        region_name=place.region,
    )
    region = session.region_name or ("us-east-1" if place.endpoint else None)
    try:
        client = session.client(
            "s3",
            region_name=region,
            endpoint_url=place.endpoint,
            verify=str(place.ca) if place.ca else None,
            config=_settings(place),
        )
    except ValueError as error:
        raise StoreMisconfigured(f"{place}: {error}", hint="endpoint= is https://host[:port]") from error
    client.meta.events.register("request-created.s3.PutObject", _expect_nothing)
    if place.endpoint:
        client.meta.events.register("before-call.s3.DeleteObjects", _sign_batch)
    return client


def _settings(place: S3Place) -> "Config":
    from botocore.config import Config  # noqa: PLC0415

    checksums: Literal["when_required", "when_supported"] = (
        "when_required" if place.endpoint else "when_supported"
    )
    addressing: Any = "path" if place.addressing == "auto" and place.endpoint else place.addressing
    return Config(
        signature_version="s3v4",
        s3={"addressing_style": addressing},
        retries={"total_max_attempts": 1},
        connect_timeout=place.connect_timeout,
        read_timeout=place.read_timeout,
        max_pool_connections=place.connections,
        request_checksum_calculation=checksums,
        response_checksum_validation=checksums,
        tcp_keepalive=True,
    )


def _expect_nothing(request: Any, **_: object) -> None:
    if "Expect" in request.headers:
        del request.headers["Expect"]


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
