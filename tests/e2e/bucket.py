"""A channel in a bucket, read with an S3 client that is not ours."""

import hashlib
import json
import time
from contextlib import closing
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.contract.servers import ACCESS, BUCKET, SECRET, Server

REGION = "us-east-1"


class Stored(NamedTuple):
    """An object as it is served."""

    body: bytes
    content_type: str
    cache_control: str


class Bucket:
    """The objects of one channel below `prefix`; it is made if there is none.

    `looks`: how often a reader asks who gets nothing or a torn body. One is what S3 promises; rclone, which deletes
    an object before it puts the next in its place, needs more.
    """

    def __init__(self, name: str, server: Server, *, tls: bool, channel: str, looks: int = 1) -> None:
        self.name = name
        self._channel, self._looks = f"origin/{channel}/", looks
        self._endpoint, self._ca = (server.https, server.ca) if tls else (server.http, None)
        self.public = f"{server.http}/{BUCKET}/{self._channel}".rstrip("/")
        """The channel for those who have no key, see `open_to_all`."""
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=self._endpoint,
            region_name=REGION,
            aws_access_key_id=ACCESS,
            aws_secret_access_key=SECRET,
            verify=str(self._ca) if self._ca else None,
            config=Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 1}),
        )

    def __enter__(self) -> Self:
        if BUCKET not in [bucket["Name"] for bucket in self._client.list_buckets()["Buckets"]]:
            self._client.create_bucket(Bucket=BUCKET)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @property
    def address(self) -> str:
        """What `abr live --to` is given."""
        query = {"endpoint": self._endpoint, "region": REGION, **({"ca": str(self._ca)} if self._ca else {})}
        return f"s3://{BUCKET}/origin?{urlencode(query)}"

    def open_to_all(self) -> None:
        """Everybody may read, from every page: as a CDN or a player does."""
        grant = {
            "Effect": "Allow",
            "Principal": {"AWS": ["*"]},
            "Action": ["s3:GetObject"],
            "Resource": [f"arn:aws:s3:::{BUCKET}/*"],
        }
        policy = {"Version": "2012-10-17", "Statement": [grant]}
        self._client.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
        rule = {"AllowedMethods": ["GET", "HEAD"], "AllowedOrigins": ["*"], "AllowedHeaders": ["*"]}
        self._client.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [rule]})

    def read(self, key: str) -> Stored | None:
        """The object as it is now; None where there is none."""
        for look in range(self._looks):
            time.sleep(0.05 * look)
            try:
                answer = self._client.get_object(Bucket=BUCKET, Key=self._channel + key)
                with closing(answer["Body"]) as stream:
                    body = stream.read()
            except (ClientError, BotoCoreError) as error:
                if look + 1 == self._looks and not _missing(error):
                    raise
                continue
            if hashlib.md5(body).hexdigest() == answer["ETag"].strip('"'):
                return Stored(body, answer["ContentType"], answer.get("CacheControl", ""))
        return None

    def holds(self, key: str) -> bool:
        try:
            self._client.head_object(Bucket=BUCKET, Key=self._channel + key)
        except ClientError as error:
            if not _missing(error):
                raise
            return False
        return True

    def playlists(self) -> dict[str, bytes]:
        """The media playlists that the multivariant playlist names."""
        entry = self.read("index.m3u8")
        if entry is None:
            return {}
        found = {name: self.read(f"{name}/index.m3u8") for name in _named(entry.body.decode())}
        return {name: stored.body for name, stored in found.items() if stored}

    def objects(self) -> dict[str, Stored]:
        """Everything of the channel, by key."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=self._channel)
        keys = [
            item["Key"].removeprefix(self._channel) for page in pages for item in page.get("Contents", ())
        ]
        found = {key: self.read(key) for key in keys}
        return {key: stored for key, stored in found.items() if stored}


def _missing(error: Exception) -> bool:
    return isinstance(error, ClientError) and error.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def _named(multivariant: str) -> list[str]:
    """The folders of the media playlists: of rungs (a line each) and of sound (URI of EXT-X-MEDIA)."""
    lines = multivariant.splitlines()
    rungs = [line for line in lines if line and not line.startswith("#")]
    media = [
        line.partition('URI="')[2].partition('"')[0] for line in lines if line.startswith("#EXT-X-MEDIA:")
    ]
    return [uri.rpartition("/")[0] for uri in dict.fromkeys(rungs + [uri for uri in media if uri])]
