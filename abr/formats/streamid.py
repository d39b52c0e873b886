"""SRT stream ids: a plain name, or `#!::r=NAME,m=publish,u=USER` (SRT Access Control Guidelines)."""

from typing import NamedTuple

from abr.errors import RemoteProtocolError

LONGEST = 512
"""Bytes that a handshake can carry."""

_KEYED = "#!::"
_NESTED = "#!:{"


class StreamId(NamedTuple):
    """What a caller says it wants."""

    resource: str
    """`r`, or the whole text of a plain id."""
    user: str = ""
    mode: str = ""
    """`m`: "request", "publish", "bidirectional"; empty where it is not said."""
    content: str = ""
    """`t`: "stream", "file", "auth"; empty where it is not said."""


def parse_stream_id(text: str) -> StreamId:
    """Take a stream id apart. Keys that mean nothing here (`h`, `s`, own ones) are passed over.

    Raises RemoteProtocolError for a keyed id that breaks the form; it does not hold the id itself.

    >>> parse_stream_id("#!::r=live/cam1,m=publish,u=anna")
    StreamId(resource='live/cam1', user='anna', mode='publish', content='')
    >>> parse_stream_id("live/cam1")
    StreamId(resource='live/cam1', user='', mode='', content='')
    """
    if text.startswith(_NESTED):
        raise RemoteProtocolError("the stream id is nested (#!:{…}); only #!::key=value,… is understood")
    if not text.startswith(_KEYED):
        return StreamId(text)
    values: dict[str, str] = {}
    for item in text.removeprefix(_KEYED).split(","):
        key, equals, value = item.partition("=")
        if not equals or not key:
            raise RemoteProtocolError("the stream id has an item that is not key=value")
        if key in values:
            raise RemoteProtocolError("the stream id names a key twice")
        values[key] = value
    return StreamId(*(values.get(key, "") for key in ("r", "u", "m", "t")))
