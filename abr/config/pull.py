"""What can be pulled: a file, or an address that abr goes to."""

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from abr.config.place import parse_path
from abr.config.secret import Secret, masked_url
from abr.config.srt import parse_srt
from abr.errors import ConfigError

_WEB = frozenset({"http", "https"})
_KEYED = frozenset({"rtmp", "rtmps"})
_SCHEMES = _WEB | _KEYED | {"srt", "udp"}
_CHOICE = "give a file, http(s)://, rtmp(s)://, srt:// or udp://"
_BROKEN = re.compile(r"(?i)(https?|rtmps?|srt|udp)(:|//)")
"""An address that lost a letter behind its scheme: no file has such a name, and it may hold a key."""
_UDP_EXAMPLE = "udp://239.1.1.1:5000 or udp://0.0.0.0:5000"
_UDP_KEYS = frozenset({"interface", "source"})
_SWITCH = {"1": True, "true": True, "yes": True, "": True, "0": False, "false": False, "no": False}
_KEYED_PATH = re.compile(r"/[^/]+/[^/]")
_PRINTABLE = re.compile(r"[!-~\u00a1-\U0010ffff]+")


@dataclass(frozen=True, slots=True)
class PullAddress:
    """A file or a URL that is read. Exactly one of `path` and `url` is set."""

    path: Path | None = None
    url: Secret | None = None
    loop: bool = False
    """Whether a file begins again when it ends."""

    @property
    def scheme(self) -> str:
        """In small letters; "file" for a path."""
        return self.url.reveal().partition(":")[0].lower() if self.url is not None else "file"

    @property
    def awaited(self) -> bool:
        """Whether it is a live source: one that is not there, or goes away, is waited for without limit."""
        if self.url is None or self.scheme not in _WEB:
            return self.url is not None
        return urlsplit(self.url.reveal()).path.lower().endswith((".m3u8", ".m3u"))

    @property
    def location(self) -> str:
        """What is opened, secrets included; not for any text that is shown."""
        return self.url.reveal() if self.url is not None else str(self.path)

    @property
    def name(self) -> str:
        """The path, or the URL without user, password, query and stream key, for logs."""
        if self.url is None:
            return str(self.path)
        masked = masked_url(self.url.reveal())
        return "/".join(masked.split("/")[:4]) if self.scheme in _KEYED else masked

    def __str__(self) -> str:
        return self.name


class UdpAddress(NamedTuple):
    """Where MPEG-TS datagrams are awaited."""

    host: str
    """The address to bind, or the multicast group to join."""
    port: int
    interface: str = ""
    """The local address (IPv4) or the interface's name that a group is joined on; empty: the system's choice."""
    source: str = ""
    """The only address that is listened to; empty: any."""


def parse_pull(text: str, base: Path = Path(), key: str = "pull") -> PullAddress:
    """The file or URL to read; `?loop` after a file repeats it.

    `base` is the folder that relative paths start from. Raises ConfigError.
    """
    scheme, separator, _ = text.partition("://")
    scheme = scheme.lower()
    if separator and scheme in _SCHEMES:
        return _url(text, scheme, key)
    if separator and scheme != "file":
        raise ConfigError(key, f"{scheme}:// cannot be pulled; {_CHOICE}")
    if broken := _BROKEN.match(text):
        raise ConfigError(key, f"has no :// after {broken[1]}; write {broken[1].lower()}://…")
    name, loop = _loop(text, key)
    if name.lower().startswith("file:"):
        name = unquote(_split(name, key).path)
    if not name or "\0" in name:
        raise ConfigError(key, f"is empty; {_CHOICE}")
    return PullAddress(path=parse_path(name, base, key), loop=loop)


def parse_udp(url: str, key: str = "pull") -> UdpAddress:
    """Address and options of `udp://host:port?interface=…&source=…`; `udp://@host:port` is the same. Raises ConfigError."""
    parts = _split(url, key)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if not parts.port or parts.path.strip("/"):
        raise ConfigError(key, f"{masked_url(url)} is no address and port; write {_UDP_EXAMPLE}")
    if unknown := sorted(query.keys() - _UDP_KEYS):
        raise ConfigError(key, f"udp:// has no option {unknown[0]!r}; it has interface and source")
    host, source = _literal(parts.hostname or "", url, key), query.get("source", "")
    return UdpAddress(
        host, parts.port, query.get("interface", ""), _literal(source, url, key) if source else ""
    )


def _url(text: str, scheme: str, key: str) -> PullAddress:
    if scheme == "srt":
        parse_srt(text, key)
        return PullAddress(url=Secret(text))
    parts = _split(text, key)
    if not _PRINTABLE.fullmatch(text):
        raise ConfigError(key, f"{scheme}://… holds a space or a control character; write %20 for a space")
    address = PullAddress(url=Secret(text))
    if scheme == "udp":
        parse_udp(text, key)
    elif not parts.hostname:
        raise ConfigError(key, f"{scheme}:// has no host; write {scheme}://host/path")
    elif scheme in _KEYED and not _KEYED_PATH.match(parts.path):
        raise ConfigError(key, f"{scheme}:// needs application and key; write {scheme}://host/app/key")
    return address


def _literal(host: str, url: str, key: str) -> str:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        raise ConfigError(
            key, f"{masked_url(url)} names no address of this machine or group; write {_UDP_EXAMPLE}"
        ) from None


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
        # Not shown: behind a / in a password the rest of it would pass for a path.
        raise ConfigError(key, "is not a URL; write %2F for a / in a user name or password") from None
    return parts
