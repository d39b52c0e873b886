"""A compressed HTTP body, unpacked up to a limit."""

import zlib

from abr.errors import FeedUnreadable

_ZIPPED = frozenset(("gzip", "x-gzip"))
_GZIP = 16 + zlib.MAX_WBITS


def inflated(data: bytes, encoding: str, largest: int) -> bytes:
    """The body. Servers that hold a playlist compressed send it so, asked or not. Raises FeedUnreadable."""
    if encoding in {"", "identity"}:
        return data
    if encoding not in _ZIPPED:
        raise FeedUnreadable(f"the answer is compressed with {encoding[:20]}, which was not asked for")
    try:
        inflater = zlib.decompressobj(_GZIP)
        plain = inflater.decompress(data, largest)
    except zlib.error as error:
        raise FeedUnreadable("the answer is damaged: it cannot be unpacked") from error
    if inflater.unconsumed_tail:
        raise FeedUnreadable(f"the answer is larger than {largest >> 20} MiB unpacked")
    return plain
