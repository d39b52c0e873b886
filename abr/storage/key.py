"""Keys of objects: what may stand in one, and what its ending says."""

import re

from abr.errors import StoreError

_PART = r"[A-Za-z0-9_-][A-Za-z0-9._-]*"  # no leading dot: neither `..` nor a temporary file of ours
_KEY = re.compile(rf"{_PART}(?:/{_PART})*")

_TYPES = {
    "m3u8": "application/vnd.apple.mpegurl",
    "mpd": "application/dash+xml",
    "json": "application/json",
    "mp4": "video/mp4",
    "m4s": "video/mp4",
}


def check_key(store: str, key: str) -> None:
    """See that the key can stand below any origin. Raises StoreError."""
    if _KEY.fullmatch(key) is None:
        raise StoreError(f"{store}: {key!r} is not a key: letters, digits, `._-` and single slashes")


def type_of(key: str) -> str:
    """The content type by the key's ending, for a store that keeps none.

    >>> type_of("news/index.m3u8")
    'application/vnd.apple.mpegurl'
    """
    return _TYPES.get(key.rpartition(".")[2], "application/octet-stream")
