"""Every address that the user writes: where feeds are awaited or pulled from, origins, the worker's own pages.

No error and no text form holds a stream key, a password or a query.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple

from abr.config.bucket import S3Origin
from abr.config.hostport import host_port
from abr.config.origin import DirectoryOrigin, Origin, parse_origin
from abr.config.pull import PullAddress, parse_pull
from abr.config.secret import Secret, masked_url
from abr.config.srt import SrtAddress, parse_srt_listen
from abr.errors import ConfigError

__all__ = [
    "DirectoryOrigin", "HttpAddress", "ListenAddress", "Origin", "PullAddress", "S3Origin", "SrtAddress",
    "parse_http", "parse_listen", "parse_origin", "parse_pull",
]  # fmt: skip

_PORTS = {"rtmp": 1935, "rtmps": 443}
"""What encoders take where the address names no port."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_KEY = re.compile(r"[!-~]{1,256}")
_LISTEN_EXAMPLE = "rtmp://0.0.0.0:1935/live/KEY"


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where publishers are awaited: `rtmp://host:port/app/key`, or `rtmps://`."""

    scheme: str
    host: str
    port: int
    app: str
    key: Secret | None
    """None where the keys stand in a file."""

    @property
    def name(self) -> str:
        """The address without its key, for logs."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/{self.app}{'/***' if self.key else ''}"

    def __str__(self) -> str:
        return self.name


class HttpAddress(NamedTuple):
    """Host and port of the worker's own pages."""

    host: str
    port: int


def parse_listen(text: str, key: str = "listen") -> ListenAddress | SrtAddress:
    """`rtmp(s)://host:port/app[/key]` or `srt://host:port?streamid=…`; `key` is the option's name. Raises ConfigError."""
    scheme, separator, rest = text.partition("://")
    if scheme.lower() == "srt" and separator:
        return parse_srt_listen(text, key)
    if scheme.lower() not in _PORTS or not separator:
        raise ConfigError(key, f"is not an address to listen on; write {_LISTEN_EXAMPLE}")
    place, _, path = rest.partition("/")
    if "@" in place:
        raise ConfigError(
            key, f"takes no user or password; the stream key is the last part: {_LISTEN_EXAMPLE}"
        )
    host, port = host_port(place, _PORTS[scheme.lower()], key)
    app, _, stream = path.partition("/")
    if not _NAME.fullmatch(app):
        raise ConfigError(key, f"has no usable application name after the port; write {_LISTEN_EXAMPLE}")
    return ListenAddress(scheme.lower(), host, port, app, _stream_key(stream, key))


def _stream_key(stream: str, key: str) -> Secret | None:
    """The key; None where it is left to a file of keys."""
    if not stream:
        return None
    if not _KEY.fullmatch(stream) or set(stream) & set("/?#"):
        # Encoders send "?…" and "/…" after a key as parameters, each in its own way.
        raise ConfigError(
            key, "has a stream key with letters that encoders change; no spaces, '/', '?' or '#'"
        )
    return Secret(stream)


def parse_http(text: str, key: str = "http") -> HttpAddress:
    """Host and port of `127.0.0.1:8080`, `[::1]:8080` or `8080` (this machine only). Raises ConfigError."""
    if text.isdecimal():
        text = f"127.0.0.1:{text}"
    if "/" in text or "@" in text:
        raise ConfigError(key, f"{masked_url(text)!r} is not host and port; write 127.0.0.1:8080")
    return HttpAddress(*host_port(text, None, key))
