"""A bucket as an origin: where it is, how to speak to it, and what to say with each put."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from abr.config.place import parse_path
from abr.config.schema import nearest
from abr.config.secret import Secret, masked_url
from abr.errors import ConfigError

EXAMPLE = "s3://bucket/prefix?endpoint=https://host&region=name"

CONNECTIONS = 4
"""Puts that an origin takes at once unless it says otherwise."""

HEADER = "header."
"""Stands before the name of a header in an address."""

_SECRET_KEYS = ("access_key", "secret_key", "session_token")
_KEYS = (
    "endpoint", "region", "addressing", "signature_version", "ca", "profile", "acl", "storage_class", "sse",
    "sse_kms_key", "requester_pays", "connections",
)  # fmt: skip

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
_PREFIX = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")
_REGION = re.compile(r"[A-Za-z0-9-]{1,64}")
_STORAGE_CLASS = re.compile(r"[A-Z0-9_]{1,64}")
_KMS_KEY = re.compile(r"[A-Za-z0-9:/_-]{1,2048}")
_WORD = re.compile(r"[!-~]{1,4096}")
_CONNECTIONS = re.compile(r"[1-9]|[1-5][0-9]|6[0-4]")
_HEADER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")
_HEADER_VALUE = re.compile(r"[!-~](?:[ -~]{0,1022}[!-~])?")

_CHOICES = {
    "addressing": ("auto", "path", "virtual"),
    "signature_version": ("s3v4", "s3"),
    "acl": (
        "private", "public-read", "authenticated-read", "aws-exec-read", "bucket-owner-read",
        "bucket-owner-full-control",
    ),
    "sse": ("AES256", "aws:kms", "aws:kms:dsse"),
    "requester_pays": ("true", "false"),
}  # fmt: skip
_PATTERNS = {
    "region": (_REGION, "is no region; letters, digits and hyphens"),
    "storage_class": (
        _STORAGE_CLASS,
        "is no class; write STANDARD, STANDARD_IA, or one of this server's own",
    ),
    "sse_kms_key": (_KMS_KEY, "is no key; write its id or ARN"),
    "connections": (_CONNECTIONS, "is out of range; write 1 to 64"),
}
_ASLEEP = ("GLACIER", "DEEP_ARCHIVE")
"""Storage classes whose objects nobody can read before they were restored."""

_OURS = {
    "authorization", "cache-control", "connection", "content-encoding", "content-length", "content-md5",
    "content-type", "date", "expect", "host", "range", "transfer-encoding", "x-amz-acl",
    "x-amz-content-sha256", "x-amz-copy-source", "x-amz-date", "x-amz-request-payer", "x-amz-security-token",
    "x-amz-storage-class",
}  # fmt: skip
_OUR_FAMILIES = ("if-", "x-amz-server-side-encryption", "x-amz-checksum-", "x-amz-sdk-")


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Origin:
    """A bucket. Without keys or profile the usual AWS chain finds credentials."""

    bucket: str
    prefix: str = ""
    """Stands before every key; without slashes at its ends. "" is the bucket itself."""
    endpoint: str | None = None
    """URL of the service; None is Amazon's own."""
    region: str | None = None
    addressing: str = "auto"
    """"path" (host/bucket/key), "virtual" (bucket.host/key), or "auto": path for an own endpoint."""
    signature_version: str = "s3v4"
    """"s3v4", or "s3": the older signature of servers that know no other."""
    ca: Path | None = None
    """Certificates (PEM) that the endpoint's is checked against, instead of the system's."""
    profile: str | None = None
    """A profile of the AWS configuration files."""
    access_key: Secret | None = None
    secret_key: Secret | None = None
    session_token: Secret | None = None
    acl: str | None = None
    """A canned ACL for each object that is put."""
    storage_class: str | None = None
    sse: str | None = None
    """How the server encrypts what is put: "AES256", "aws:kms" or "aws:kms:dsse"."""
    sse_kms_key: str | None = None
    headers: tuple[tuple[str, Secret], ...] = ()
    """Headers of every request: name and value. A value may be a gateway's key."""
    requester_pays: bool = False
    connections: int = CONNECTIONS
    """Puts at once, and connections that are kept open for them."""

    @property
    def name(self) -> str:
        """How logs and the journal call it: bucket, prefix and endpoint; the same at every start."""
        place = f"s3://{self.bucket}/{self.prefix}".rstrip("/")
        return f"{place}?endpoint={self.endpoint}" if self.endpoint else place

    @property
    def place(self) -> str:
        """Bucket and service, for errors."""
        return f"s3://{self.bucket} at {self.endpoint or 'AWS'}"

    def __str__(self) -> str:
        return self.name


def parse_bucket(text: str, more: Mapping[str, str], base: Path, key: str) -> S3Origin:
    """The origin of `s3://bucket/prefix?…`. `more` are keys that a table holds beside the address.

    Secrets may stand in the table only: an address is shown in process lists. Raises ConfigError.
    """
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ConfigError(key, f"{masked_url(text)} is not an address; write {EXAMPLE}") from None
    if {"@", ":"} & set(parts.netloc):
        raise ConfigError(
            key, "takes no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile"
        )
    if not _BUCKET.fullmatch(parts.netloc):
        raise ConfigError(key, f"{parts.netloc!r} is no bucket's name; write {EXAMPLE}")
    values = _query(parts.query, more, key)
    _check_credentials(values, key)
    _check_storage(values, key)
    ca = values.get("ca")
    return S3Origin(
        bucket=parts.netloc,
        prefix=_prefix(parts.path, key),
        endpoint=_endpoint(values.get("endpoint"), key),
        region=values.get("region"),
        addressing=values.get("addressing", "auto"),
        signature_version=values.get("signature_version", "s3v4"),
        ca=parse_path(ca, base, key).absolute() if ca else None,
        profile=values.get("profile"),
        access_key=_secret(values, "access_key", key),
        secret_key=_secret(values, "secret_key", key),
        session_token=_secret(values, "session_token", key),
        acl=values.get("acl"),
        storage_class=values.get("storage_class"),
        sse=values.get("sse"),
        sse_kms_key=values.get("sse_kms_key"),
        headers=_headers(values, key),
        requester_pays=values.get("requester_pays") == "true",
        connections=int(values.get("connections", CONNECTIONS)),
    )


def _query(text: str, more: Mapping[str, str], key: str) -> dict[str, str]:
    """The keys of the address and of the table beside it, as texts; each known, given once, and of its form."""
    values: dict[str, str] = {}
    for word, value in parse_qsl(text, keep_blank_values=True):
        if word in _SECRET_KEYS:
            raise ConfigError(
                f"{key}.{word}",
                "stands in process lists here; write it in a table of the channel file, or set the AWS variables",
            )
        _add(values, word, value, key)
    for word, value in more.items():
        _add(values, word, value, key)
    for word, value in values.items():
        _check(word, value, key)
    return values


def _add(values: dict[str, str], word: str, value: str, key: str) -> None:
    if word not in (*_KEYS, *_SECRET_KEYS) and not word.startswith(HEADER):
        # The value is not shown: it may be a password that was put here by mistake.
        raise ConfigError(
            f"{key}.{word}" if word.isidentifier() else key, f"unknown key{nearest(word, (*_KEYS, HEADER))}"
        )
    if not value or word in values:
        raise ConfigError(f"{key}.{word}", "is empty" if not value else "is given twice")
    values[word] = value


def _check(word: str, value: str, key: str) -> None:
    """A key that takes one of some words, or one of a form."""
    path = f"{key}.{word}"
    if word in _CHOICES and value not in _CHOICES[word]:
        *most, last = _CHOICES[word]
        raise ConfigError(path, f"{value!r} is not known; write {', '.join(most)} or {last}")
    pattern, wrong = _PATTERNS.get(word, (None, ""))
    if pattern is not None and not pattern.fullmatch(value):
        raise ConfigError(path, f"{value!r} {wrong}")


def _check_credentials(values: Mapping[str, str], key: str) -> None:
    given = [word for word in _SECRET_KEYS if word in values]
    for word in _SECRET_KEYS[:2]:
        if given and word not in values:
            raise ConfigError(f"{key}.{word}", f"is missing beside {given[0]}")
    if given and "profile" in values:
        raise ConfigError(f"{key}.profile", "stands beside keys; give one or the other")


def _check_storage(values: Mapping[str, str], key: str) -> None:
    if values.get("storage_class") in _ASLEEP:
        raise ConfigError(
            f"{key}.storage_class",
            f"{values['storage_class']} objects cannot be read before they are restored; write another",
        )
    if "sse_kms_key" in values and not values.get("sse", "").startswith("aws:kms"):
        raise ConfigError(f"{key}.sse_kms_key", "needs sse=aws:kms beside it")


def _secret(values: Mapping[str, str], word: str, key: str) -> Secret | None:
    value = values.get(word)
    if value is not None and not _WORD.fullmatch(value):
        raise ConfigError(f"{key}.{word}", "holds a letter that no key has; write it without spaces")
    return None if value is None else Secret(value)


def _headers(values: Mapping[str, str], key: str) -> tuple[tuple[str, Secret], ...]:
    headers: dict[str, Secret] = {}
    for word, value in values.items():
        if not word.startswith(HEADER):
            continue
        name = word.removeprefix(HEADER)
        if not _HEADER_NAME.fullmatch(name):
            raise ConfigError(key, "names a header that cannot be; letters, digits and hyphens")
        if name.lower() in _OURS or name.lower().startswith(_OUR_FAMILIES):
            raise ConfigError(f"{key}.{HEADER}{name}", "is written by abr itself; leave it out")
        if not _HEADER_VALUE.fullmatch(value):
            raise ConfigError(f"{key}.{HEADER}{name}", "has a value that no header takes; ASCII on one line")
        if name.lower() in headers:
            raise ConfigError(f"{key}.{HEADER}{name}", "is given twice")
        headers[name.lower()] = Secret(value)
    return tuple(headers.items())


def _prefix(path: str, key: str) -> str:
    prefix = path.strip("/")
    if prefix and (not _PREFIX.fullmatch(prefix) or {".", ".."} & set(prefix.split("/"))):
        raise ConfigError(
            key, f"the prefix {prefix!r} is no part of a key; use letters, digits, '.', '_', '-' and '/'"
        )
    return prefix


def _endpoint(text: str | None, key: str) -> str | None:
    if text is None:
        return None
    path = f"{key}.endpoint"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ConfigError(path, f"{masked_url(text)} is not a URL; write https://host") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(path, f"{masked_url(text)} is not a URL; write https://host")
    if "@" in parts.netloc or parts.query or parts.fragment or port == 0:
        raise ConfigError(path, "takes only scheme, host, port and path; credentials come from the AWS chain")
    return text.rstrip("/")
