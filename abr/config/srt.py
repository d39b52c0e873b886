"""SRT addresses: `srt://host:port?streamid=…&passphrase=…&latency=…&pbkeylen=…`."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from abr.config import units
from abr.config.hostport import host_port
from abr.config.secret import Secret
from abr.errors import ConfigError, RemoteProtocolError
from abr.formats.streamid import LONGEST, parse_stream_id

LATENCY_MS = 200
"""Four round trips of 50 ms. Of both ends' wishes the longer one holds."""
_LATENCIES = range(20, 10_001)
_PASSPHRASE = re.compile(r"[ -~]{10,79}")
_KEY_LENGTHS = ("16", "24", "32")
_KEYS = ("streamid", "passphrase", "latency", "pbkeylen")
_EXAMPLE = "srt://0.0.0.0:9000?streamid=NAME&passphrase=SECRET"


@dataclass(frozen=True, slots=True)
class SrtAddress:
    """Where an SRT publisher is awaited, or a listener called."""

    host: str
    port: int
    stream_id: Secret | None = None
    """Which stream id is meant; None for any."""
    passphrase: Secret | None = None
    latency: int = LATENCY_MS
    """Milliseconds that libsrt may take to get lost packets again."""
    key_length: int = 0
    """Bytes of the AES key, 0 for the publisher's choice."""

    @property
    def name(self) -> str:
        """The address without its secrets, for logs."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"srt://{host}:{self.port}"

    def __str__(self) -> str:
        return self.name


def parse_srt_listen(text: str, key: str = "listen") -> SrtAddress:
    """The address at which publishers are awaited. Raises ConfigError, without any of its secrets.

    Without `streamid` every stream id is taken; then a passphrase must say who may publish.
    """
    address = parse_srt(text, key)
    if address.stream_id is None and address.passphrase is None:
        raise ConfigError(key, f"lets everybody publish; give a streamid, a passphrase or both: {_EXAMPLE}")
    return address


def parse_srt(text: str, key: str) -> SrtAddress:
    """An SRT address of either side. Raises ConfigError, without any of its secrets."""
    scheme, separator, rest = text.partition("://")
    if scheme.lower() != "srt" or not separator:
        raise ConfigError(key, f"is no SRT address; write {_EXAMPLE}")
    place, _, query = rest.partition("?")
    place = place.removesuffix("/")
    if "@" in place or "/" in place:
        raise ConfigError(key, f"takes neither a user nor a path; write {_EXAMPLE}")
    host, port = host_port(place, None, key)
    values = _query(query, key)
    return SrtAddress(
        host,
        port,
        _stream_id(values.get("streamid"), key),
        _passphrase(values.get("passphrase"), key),
        _latency(values.get("latency"), key),
        _key_length(values.get("pbkeylen"), key, encrypted="passphrase" in values),
    )


def _query(query: str, key: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for item in query.split("&") if query else ():
        name, _, value = item.partition("=")
        if name not in _KEYS:
            known = ", ".join(_KEYS)
            raise ConfigError(key, f"has an option that is not known; it takes {known} (% as %25, & as %26)")
        if name in values:
            raise ConfigError(key, f"names {name} twice")
        values[name] = value
    return values


def _plain(value: str, name: str, key: str) -> str:
    """A value with its escapes undone. Programs differ about "+", so it must be written as it is meant."""
    if "+" in value:
        raise ConfigError(key, f"has a + in its {name}; write %2B for a plus and %20 for a space")
    return unquote(value)


def _stream_id(value: str | None, key: str) -> Secret | None:
    if value is None:
        return None
    text = _plain(value, "streamid", key)
    if not text or len(text.encode()) > LONGEST:
        raise ConfigError(key, f"has a streamid that is empty or longer than {LONGEST} bytes")
    try:
        parse_stream_id(text)
    except RemoteProtocolError as error:
        raise ConfigError(key, f"has a streamid that no publisher could send: {error}") from error
    return Secret(text)


def _passphrase(value: str | None, key: str) -> Secret | None:
    if value is None:
        return None
    text = _plain(value, "passphrase", key)
    if not _PASSPHRASE.fullmatch(text):
        raise ConfigError(key, "has a passphrase that SRT does not take; 10 to 79 letters of ASCII")
    return Secret(text)


def _latency(value: str | None, key: str) -> int:
    """Milliseconds; a bare number counts them too, as in SRT itself."""
    if value is None:
        return LATENCY_MS
    try:
        exact = units.duration(f"{value}ms" if re.fullmatch(r"[\d.]+", value) else value) * 1000
    except ValueError:
        raise ConfigError(key, "has a latency that is no duration; write latency=400ms") from None
    if exact.denominator != 1 or int(exact) not in _LATENCIES:
        raise ConfigError(
            key, "has a latency that is out of range; 20ms to 10s (a bare number is milliseconds)"
        )
    return int(exact)


def _key_length(value: str | None, key: str, *, encrypted: bool) -> int:
    if value is None:
        return 0
    if value not in _KEY_LENGTHS:
        raise ConfigError(key, "has a pbkeylen that AES does not know; 16, 24 or 32 bytes")
    if not encrypted:
        raise ConfigError(key, "has a pbkeylen and no passphrase; give both or none")
    return int(value)
