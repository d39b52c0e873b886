"""Objects below an origin: their keys, types and how long a cache may keep them."""

from enum import Enum
from fractions import Fraction
from typing import NamedTuple

from abr.model.media import Kind

IMMUTABLE = "public, max-age=31536000, immutable"
"""Cache-Control of what is written once."""

_TYPES = {
    "m3u8": "application/vnd.apple.mpegurl",
    "mpd": "application/dash+xml",
    "json": "application/json",
}


class ObjectKind(Enum):
    """What an object is; decides how it is delivered."""

    INIT = "init"
    SEGMENT = "segment"
    PLAYLIST = "playlist"
    """A live media playlist."""
    MANIFEST = "manifest"
    """The live DASH manifest."""
    ENTRY = "entry"
    """The multivariant playlist."""
    RECORDING = "recording"
    """Any file of a recording's folder."""
    STATE = "state"


class StoredObject(NamedTuple):
    """An object as it is put: key below the origin, and its two headers."""

    kind: ObjectKind
    key: str
    content_type: str
    cache_control: str


def init_object(channel: str, rendition: str, session: str, kind: Kind) -> StoredObject:
    """The init segment of a rendition."""
    key = f"{channel}/{rendition}/{session}/init.mp4"
    return StoredObject(ObjectKind.INIT, key, f"{kind}/mp4", IMMUTABLE)


def segment_object(channel: str, rendition: str, session: str, number: int, kind: Kind) -> StoredObject:
    """One segment."""
    key = f"{channel}/{rendition}/{session}/{number}.m4s"
    return StoredObject(ObjectKind.SEGMENT, key, f"{kind}/mp4", IMMUTABLE)


def playlist_object(channel: str, rendition: str, duration: Fraction) -> StoredObject:
    """The live media playlist of a rendition; `duration` is D in seconds."""
    key = f"{channel}/{rendition}/index.m3u8"
    return StoredObject(ObjectKind.PLAYLIST, key, _TYPES["m3u8"], _max_age(_half(duration)))


def manifest_object(channel: str, duration: Fraction) -> StoredObject:
    """The live DASH manifest."""
    return StoredObject(
        ObjectKind.MANIFEST, f"{channel}/manifest.mpd", _TYPES["mpd"], _max_age(_half(duration))
    )


def entry_object(channel: str) -> StoredObject:
    """The multivariant playlist, where a viewer enters."""
    return StoredObject(ObjectKind.ENTRY, f"{channel}/index.m3u8", _TYPES["m3u8"], _max_age(60))


def state_object(channel: str) -> StoredObject:
    """The public state: layout version, event, sessions, ladder."""
    return StoredObject(ObjectKind.STATE, f"{channel}/state.json", _TYPES["json"], _max_age(60))


def recording_object(channel: str, event: str, path: str) -> StoredObject:
    """A file of a recording: `path` is `index.m3u8`, `manifest.mpd` or `{rendition}/index.m3u8`."""
    key = f"{channel}/recordings/{event}/{path}"
    return StoredObject(ObjectKind.RECORDING, key, _TYPES[path.rpartition(".")[2]], _max_age(60))


def _half(duration: Fraction) -> int:
    return max(1, int(duration / 2))


def _max_age(seconds: int) -> str:
    return f"public, max-age={seconds}"
