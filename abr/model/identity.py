"""Names: sessions, events and channels."""

import re
from datetime import UTC, datetime

from abr.model.time import NANO

_CHANNEL = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_NOT_CHANNEL = re.compile(r"[^a-z0-9._-]+")


def session_id(wall: int, entropy: bytes) -> str:
    """The id of a session or event: its UTC start (`wall`, nanoseconds since the epoch) and 64 random bits.

    >>> session_id(1_788_027_300_000_000_000, bytes(8))
    '20260829T181500Z-0000000000000000'
    """
    start = datetime.fromtimestamp(wall // NANO, UTC)
    return f"{start:%Y%m%dT%H%M%SZ}-{entropy[:8].hex()}"


def is_channel(name: str) -> bool:
    """Whether the name can stand in a URL and as a folder as it is."""
    return _CHANNEL.fullmatch(name) is not None


def channel_of(stem: str) -> str:
    """A channel's name made from a file's: lower case, everything unusual a hyphen.

    >>> channel_of("Sunday Service (HD)")
    'sunday-service-hd'
    """
    name = _NOT_CHANNEL.sub("-", stem.lower()).strip("-._")[:64].strip("-._")
    return name or "film"
