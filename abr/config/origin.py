"""Addresses of origins: a folder, or a bucket behind an S3 endpoint."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from abr.config.place import parse_path
from abr.config.schema import nearest
from abr.config.secret import masked_url
from abr.errors import ConfigError

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
_PREFIX = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")
_REGION = re.compile(r"[A-Za-z0-9-]{1,64}")
_ADDRESSING = ("auto", "path", "virtual")
_KEYS = ("endpoint", "region", "addressing", "ca", "profile")
_EXAMPLE = "s3://bucket/prefix?endpoint=https://host&region=name"


@dataclass(frozen=True, slots=True)
class DirectoryOrigin:
    """A folder that a web server reads."""

    path: Path
    """Absolute."""

    @property
    def name(self) -> str:
        """How logs and the journal call it."""
        return str(self.path)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Origin:
    """A bucket. Credentials come from the usual AWS chain, never from the address."""

    bucket: str
    prefix: str = ""
    """Without slashes at its ends; "" is the bucket itself."""
    endpoint: str | None = None
    """URL of the service; None is Amazon's own."""
    region: str | None = None
    addressing: str = "auto"
    """"path" (host/bucket/key), "virtual" (bucket.host/key), or "auto": path for an own endpoint."""
    ca: Path | None = None
    """Certificates (PEM) that the endpoint's is checked against, instead of the system's."""
    profile: str | None = None
    """A profile of the AWS configuration files."""

    @property
    def name(self) -> str:
        """How logs and the journal call it: bucket, prefix and endpoint; the same at every start."""
        place = f"s3://{self.bucket}/{self.prefix}".rstrip("/")
        return f"{place}?endpoint={self.endpoint}" if self.endpoint else place

    def __str__(self) -> str:
        return self.name


Origin = DirectoryOrigin | S3Origin


def parse_origin(text: str, base: Path = Path(), key: str = "to") -> Origin:
    """The origin of a folder's path, `file:` or `s3://bucket/prefix?endpoint=…`. Raises ConfigError.

    `base` is the folder that relative paths start from; `key` is the option's name in errors.
    """
    scheme, separator, _ = text.partition("://")
    if separator and scheme.lower() == "s3":
        return _s3(text, base, key)
    if separator and scheme.lower() != "file":
        raise ConfigError(key, f"{scheme}:// is no origin; give a folder or {_EXAMPLE}")
    path = text[5:].removeprefix("//") if text.lower().startswith("file:") else text
    if not path.strip() or "\0" in path:
        raise ConfigError(key, f"is empty; give a folder or {_EXAMPLE}")
    return DirectoryOrigin(parse_path(path, base, key).absolute())


def _s3(text: str, base: Path, key: str) -> S3Origin:
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ConfigError(key, f"{masked_url(text)} is not an address; write {_EXAMPLE}") from None
    if {"@", ":"} & set(parts.netloc):
        raise ConfigError(
            key, "takes no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile"
        )
    if not _BUCKET.fullmatch(parts.netloc):
        raise ConfigError(key, f"{parts.netloc!r} is no bucket's name; write {_EXAMPLE}")
    values = _query(parts.query, key)
    ca = values.get("ca")
    return S3Origin(
        bucket=parts.netloc,
        prefix=_prefix(parts.path, key),
        endpoint=_endpoint(values.get("endpoint"), key),
        region=_matching(values.get("region"), _REGION, "region", key),
        addressing=_addressing(values.get("addressing", "auto"), key),
        ca=parse_path(ca, base, key).absolute() if ca else None,
        profile=values.get("profile"),
    )


def _query(text: str, key: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for word, value in parse_qsl(text, keep_blank_values=True):
        if word not in _KEYS:
            # The value is not shown: it may be a password that was put here by mistake.
            raise ConfigError(
                f"{key}.{word}" if word.isidentifier() else key, f"unknown key{nearest(word, _KEYS)}"
            )
        if not value or word in values:
            raise ConfigError(f"{key}.{word}", "is empty" if not value else "is given twice")
        values[word] = value
    return values


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


def _addressing(text: str, key: str) -> str:
    if text not in _ADDRESSING:
        raise ConfigError(f"{key}.addressing", f"{text!r} is not known; write auto, path or virtual")
    return text


def _matching(text: str | None, pattern: re.Pattern[str], word: str, key: str) -> str | None:
    if text is not None and not pattern.fullmatch(text):
        raise ConfigError(f"{key}.{word}", f"{text!r} is no {word}; letters, digits and hyphens")
    return text
