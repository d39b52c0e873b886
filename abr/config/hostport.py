"""Host and port, as every address writes them."""

import re

from abr.errors import ConfigError

_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")


def host_port(place: str, default: int | None, key: str) -> tuple[str, int]:
    """`name:1935`, `127.0.0.1:1935`, `[::1]:1935`; without a port the default. Raises ConfigError."""
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
