"""Enhanced RTMP v2: what it wraps around a media message, taken off again, and what a server says of itself."""

from typing import NamedTuple

from abr.errors import RemoteProtocolError
from abr.formats.rtmp.event import MediaKind
from abr.formats.rtmp.value import Cursor, Value

EX_VIDEO = 0x80
"""Bit of the first byte of a video message that a four-letter code follows."""
EX_AUDIO = 9
"""Sound format in the first byte of an audio message, in its high half, that says the same."""
MULTITRACK = {MediaKind.AUDIO: 5, MediaKind.VIDEO: 6}
"""Packet type of messages that hold one track of several, or several."""

_MOD_EX = 7
_METADATA = 4
_CODED_FRAMES, _SEQUENCE_END = 1, 2
_COMMAND_FRAME = 5
"""Frame type of seek marks, which carry no picture."""
_ONE_TRACK, _MANY_CODECS = 0, 2
_MAX_TRACKS = 256
"""A track's number is one byte."""
_OLD_HEVC = 12
"""Codec number under which some encoders send HEVC, laid out as AVC is. It was never Adobe's; not every FFmpeg reads it."""
_OLD_HEADER = 5
"""Bytes in front of such a picture: frame and codec, packet type, composition time."""

_VIDEO_CODES = ("avc1", "hvc1", "av01", "vp09", "vp08")
_AUDIO_CODES = ("mp4a", "Opus", "fLaC", "ac-3", "ec-3", ".mp3")
_CAN_DECODE = 1.0
_CAPABILITIES = float(0x02 | 0x04)
"""`capsEx`: multitrack and ModEx are understood. Not: asking to reconnect, nanoseconds."""
_ASKING = ("fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap", "capsEx")


class Plain(NamedTuple):
    """A media message as Enhanced RTMP v1 would have it, and the number of its track."""

    track: int
    """0 too for a message that names none."""
    payload: bytes


def plain(kind: MediaKind, payload: bytes) -> Plain | None:
    """The message without ModEx and multitrack headers: of several tracks the lowest one.

    None for a message that holds no media, or is cut short: the next one is whole again.
    """
    if not payload:
        return None
    first = payload[0]
    if kind is MediaKind.VIDEO:
        if not first & EX_VIDEO:
            return Plain(0, payload if first & 0x0F != _OLD_HEVC else _renamed(payload))
    elif kind is not MediaKind.AUDIO or first >> 4 != EX_AUDIO:
        return Plain(0, payload)
    if first & 0x0F not in {MULTITRACK[kind], _MOD_EX}:
        return Plain(0, payload)
    try:
        return _unwrapped(kind, payload)
    except RemoteProtocolError:
        return None


def capabilities(asked: dict[str, Value]) -> dict[str, Value]:
    """What `_result` tells a client whose connect asks for it (chapter "Enhancing NetConnection connect Command").

    Others get nothing: old encoders read their answer into little room.
    """
    if not any(name in asked for name in _ASKING):
        return {}
    return {
        "fourCcList": [*_VIDEO_CODES, *_AUDIO_CODES],
        "videoFourCcInfoMap": dict.fromkeys(_VIDEO_CODES, _CAN_DECODE),
        "audioFourCcInfoMap": dict.fromkeys(_AUDIO_CODES, _CAN_DECODE),
        "capsEx": _CAPABILITIES,
    }


def _unwrapped(kind: MediaKind, payload: bytes) -> Plain | None:
    cursor = Cursor(payload, 1, what="an extended media message")
    high, packet = payload[0] & 0xF0, payload[0] & 0x0F
    while packet == _MOD_EX:
        packet = _skip_mod_ex(cursor)
    if kind is MediaKind.VIDEO and high >> 4 & 7 == _COMMAND_FRAME and packet != _METADATA:
        return None
    if packet != MULTITRACK[kind]:
        return Plain(0, bytes([high | packet]) + cursor.take(cursor.left))
    form = cursor.integer(1)
    form, packet = form >> 4, form & 0x0F
    if form > _MANY_CODECS or packet in {MULTITRACK[kind], _MOD_EX}:
        return None
    found = min(_tracks(cursor, form), default=None)
    return found and Plain(found.track, bytes([high | packet]) + found.payload)


def _skip_mod_ex(cursor: Cursor) -> int:
    """Pass over one extension (nanoseconds, so far); return the packet type behind it."""
    size = cursor.integer(1) + 1
    if size == 256:  # the specification's: 255 says that a longer size follows
        size = cursor.integer(2) + 1
    cursor.take(size)
    return cursor.integer(1) & 0x0F


def _tracks(cursor: Cursor, form: int) -> list[Plain]:
    """The tracks of a message; each payload begins with its four-letter code."""
    shared = b"" if form == _MANY_CODECS else cursor.take(4)
    found: list[Plain] = []
    while cursor.left and len(found) < _MAX_TRACKS:
        code = shared or cursor.take(4)
        track = cursor.integer(1)
        size = cursor.left if form == _ONE_TRACK else cursor.integer(3)
        found.append(Plain(track, code + cursor.take(size)))
    return found


def _renamed(payload: bytes) -> bytes:
    """HEVC under its old number as Enhanced RTMP writes it."""
    frame = payload[0] & 0x70
    if len(payload) < _OLD_HEADER or frame >> 4 == _COMMAND_FRAME:
        return payload
    packet = payload[1]
    if packet > _SEQUENCE_END:
        return payload
    head = bytes([EX_VIDEO | frame | packet]) + b"hvc1"
    return head + payload[2 if packet == _CODED_FRAMES else _OLD_HEADER :]
