"""Every address that the user writes: where feeds are awaited or pulled from, origins, the worker's own pages.

No error and no text form holds a stream key, a password or a query.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from abr.config.origin import DirectoryOrigin, Origin, S3Origin, parse_origin
from abr.config.secret import Secret, masked_url
from abr.errors import ConfigError

__all__ = [
    "DirectoryOrigin", "HttpAddress", "ListenAddress", "Origin", "PullAddress", "S3Origin",
    "parse_http", "parse_listen", "parse_origin", "parse_pull",
]  # fmt: skip

RTMP_PORT = 1935

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_KEY = re.compile(r"[!-~]{1,256}")
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
_LISTEN_EXAMPLE = "rtmp://0.0.0.0:1935/live/KEY"
_SWITCH = {"1": True, "true": True, "yes": True, "": True, "0": False, "false": False, "no": False}


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where publishers are awaited: `rtmp://host:port/app/key`."""

    scheme: str
    host: str
    port: int
    app: str
    key: Secret

    @property
    def name(self) -> str:
        """The address without its key, for logs."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/{self.app}/***"

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class PullAddress:
    """A file or a URL that is read. Exactly one of `path` and `url` is set."""

    path: Path | None = None
    url: Secret | None = None
    loop: bool = False
    """Whether a file begins again when it ends."""

    @property
    def location(self) -> str:
        """What is opened, secrets included; not for any text that is shown."""
        return self.url.reveal() if self.url is not None else str(self.path)

    @property
    def name(self) -> str:
        """The path, or the URL without user, password and query, for logs."""
        return masked_url(self.url.reveal()) if self.url is not None else str(self.path)

    def __str__(self) -> str:
        return self.name


class HttpAddress(NamedTuple):
    """Host and port of the worker's own pages."""

    host: str
    port: int


def parse_listen(text: str, key: str = "listen") -> ListenAddress:
    """The address of `rtmp://host:port/app/key`; `key` is the option's name. Raises ConfigError."""
    scheme, separator, rest = text.partition("://")
    if scheme.lower() in {"srt", "rtmps"} and separator:
        raise ConfigError(key, f"{scheme.lower()}:// is not supported by this version; use rtmp://")
    if scheme.lower() != "rtmp" or not separator:
        raise ConfigError(key, f"is not an address to listen on; write {_LISTEN_EXAMPLE}")
    place, _, path = rest.partition("/")
    if "@" in place:
        raise ConfigError(
            key, f"takes no user or password; the stream key is the last part: {_LISTEN_EXAMPLE}"
        )
    host, port = _host_port(place, RTMP_PORT, key)
    app, _, stream = path.partition("/")
    if not _NAME.fullmatch(app):
        raise ConfigError(key, f"has no usable application name after the port; write {_LISTEN_EXAMPLE}")
    _check_stream_key(stream, key)
    return ListenAddress("rtmp", host, port, app, Secret(stream))


def _check_stream_key(stream: str, key: str) -> None:
    if not stream:
        raise ConfigError(key, f"has no stream key after the application; write {_LISTEN_EXAMPLE}")
    if not _KEY.fullmatch(stream) or set(stream) & set("/?#"):
        # Encoders send "?…" and "/…" after a key as parameters, each in its own way.
        raise ConfigError(
            key, "has a stream key with letters that encoders change; no spaces, '/', '?' or '#'"
        )


def parse_pull(text: str, base: Path = Path(), key: str = "pull") -> PullAddress:
    """The file or URL to read: a path, `file:` or `http(s)://`; `?loop` after a file repeats it.

    `base` is the folder that relative paths start from. Raises ConfigError.
    """
    scheme, separator, _ = text.partition("://")
    if scheme.lower() in {"http", "https"} and separator:
        if not _split(text, key).hostname:
            raise ConfigError(key, f"{masked_url(text)} has no host; write https://host/path")
        return PullAddress(url=Secret(text))
    if separator and scheme.lower() != "file":
        raise ConfigError(key, f"{scheme}:// cannot be pulled; give a file, http:// or https://")
    name, loop = _loop(text, key)
    if name.lower().startswith("file:"):
        name = unquote(_split(name, key).path)
    if not name or "\0" in name:
        raise ConfigError(key, "is empty; give a file, http:// or https://")
    return PullAddress(path=base / Path(name).expanduser(), loop=loop)


def parse_http(text: str, key: str = "http") -> HttpAddress:
    """Host and port of `127.0.0.1:8080`, `[::1]:8080` or `8080` (this machine only). Raises ConfigError."""
    if text.isdecimal():
        text = f"127.0.0.1:{text}"
    if "/" in text or "@" in text:
        raise ConfigError(key, f"{masked_url(text)!r} is not host and port; write 127.0.0.1:8080")
    return HttpAddress(*_host_port(text, None, key))


def _host_port(place: str, default: int | None, key: str) -> tuple[str, int]:
    match = re.fullmatch(r"(?:\[([^\[\]]*)\]|([^:\[\]]*))(?::(\d{1,5}))?", place)
    host = (match[1] or match[2] or "") if match else ""
    if match is None or not _HOST.fullmatch(host):
        raise ConfigError(key, f"{place!r} is not host and port; write for example 0.0.0.0:1935")
    if match[3] is None and default is None:
        raise ConfigError(key, f"{place!r} has no port; write {place}:8080")
    port = int(match[3]) if match[3] else default or 0
    if port > 65_535:
        raise ConfigError(key, f"{port} is no port; write 1 to 65535")
    return host, port


def _loop(text: str, key: str) -> tuple[str, bool]:
    """A file's name and whether `?loop` follows it. Other question marks belong to the name."""
    name, separator, query = text.rpartition("?")
    if not separator or not query.startswith("loop"):
        return text, False
    word, _, value = query.partition("=")
    if word != "loop" or value.lower() not in _SWITCH:
        raise ConfigError(key, f"?{query} is not understood; write ?loop after the file's name")
    return name, _SWITCH[value.lower()]


def _split(text: str, key: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ConfigError(key, f"{masked_url(text)} is not a URL") from None
    return parts
