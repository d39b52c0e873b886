"""Origins: a folder, or a bucket behind an S3 endpoint; as an address, or as a table of the channel file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from abr.config.bucket import EXAMPLE, HEADER, S3Origin, parse_bucket
from abr.config.place import parse_path
from abr.config.schema import Table
from abr.config.written import Hidden
from abr.errors import ConfigError


class OriginTable(Table, frozen=True):
    """An origin whose options stand beside its address. The options are those of `s3://…?…`, and the secrets."""

    url: str
    endpoint: str | None = None
    region: str | None = None
    addressing: str | None = None
    signature_version: str | None = None
    ca: str | None = None
    profile: str | None = None
    access_key: Hidden | None = None
    secret_key: Hidden | None = None
    session_token: Hidden | None = None
    acl: str | None = None
    storage_class: str | None = None
    sse: str | None = None
    sse_kms_key: str | None = None
    headers: dict[str, Hidden] = msgspec.field(default_factory=dict)
    requester_pays: bool | None = None
    connections: int | None = None

    def options(self) -> dict[str, str]:
        """What stands beside the address, as the address would write it."""
        given = {key: value for key, value in msgspec.structs.asdict(self).items() if value is not None}
        headers = {f"{HEADER}{name}": value for name, value in self.headers.items()}
        plain = {
            key: str(value).lower() if isinstance(value, bool) else str(value)
            for key, value in given.items()
            if key not in {"url", "headers"}
        }
        return {**plain, **headers}


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


Origin = DirectoryOrigin | S3Origin


def read_origin(written: str | OriginTable, base: Path, key: str = "to") -> Origin:
    """The origin of an address or of a table. Raises ConfigError."""
    if isinstance(written, str):
        return parse_origin(written, base, key)
    return parse_origin(written.url, base, key, written.options())


def parse_origin(
    text: str, base: Path = Path(), key: str = "to", options: Mapping[str, str] | None = None
) -> Origin:
    """The origin of a folder's path, `file:` or `s3://bucket/prefix?endpoint=…`. Raises ConfigError.

    `base` is the folder that relative paths start from; `key` is the option's name in errors; `options` are those
    that a table holds beside the address.
    """
    scheme, separator, _ = text.partition("://")
    if separator and scheme.lower() == "s3":
        return parse_bucket(text, options or {}, base, key)
    if separator and scheme.lower() != "file":
        raise ConfigError(key, f"{scheme}:// is no origin; give a folder or {EXAMPLE}")
    path = text[5:].removeprefix("//") if text.lower().startswith("file:") else text
    if not path.strip() or "\0" in path:
        raise ConfigError(key, f"is empty; give a folder or {EXAMPLE}")
    if options:
        raise ConfigError(f"{key}.{next(iter(options))}", "is for a bucket; a folder takes no options")
    return DirectoryOrigin(parse_path(path, base, key).absolute())
